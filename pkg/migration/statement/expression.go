package statement

import "strings"

// Expression is an expression as the tokens that it is made of.
type Expression []Token

// String is the expression with its words apart.
func (e Expression) String() string {
	var text strings.Builder
	for i, token := range e {
		if i > 0 && token.start > e[i-1].end {
			text.WriteByte(' ')
		}
		text.WriteString(token.written())
	}
	return text.String()
}

// written is the token as SQL.
func (t Token) written() string {
	switch t.Kind {
	case Quoted:
		return `"` + strings.ReplaceAll(t.Value, `"`, `""`) + `"`
	case Literal:
		return "'" + strings.ReplaceAll(t.Value, "'", "''") + "'"
	default:
		return t.Value
	}
}

// Calls are the functions that an expression calls, in order, without their
// schema.
func (e Expression) Calls() []string {
	var called []string
	for i := range len(e) - 1 {
		token := e[i]
		name := token.Kind == Word && !isSyntax(token.Value) || token.Kind == Quoted
		if name && e[i+1].Is("(") && (i == 0 || !e[i-1].Is("::")) {
			called = append(called, token.Value)
		}
	}
	return called
}

// isSyntax reports whether a word before a parenthesis calls no function.
func isSyntax(word string) bool {
	switch word {
	case "and", "or", "not", "in", "any", "some", "all", "exists", "case", "when", "then", "else", "as", "is",
		"cast", "row", "array", "coalesce", "nullif", "greatest", "least", "values", "select", "from", "where", "on",
		"using", "over", "filter", "within", "group", "by", "order", "with", "into", "set", "between", "like", "ilike",
		"similar", "to", "distinct", "join", "lateral", "union", "except", "intersect", "limit", "offset", "returning",
		"check", "default", "numeric", "decimal", "varchar", "character", "varying", "char", "timestamp", "timestamptz",
		"time", "interval", "bit", "current_timestamp", "current_time", "localtime", "localtimestamp", "collate":
		return true
	}
	return false
}

// Mentions reports whether a name stands in the expression.
func (e Expression) Mentions(name string) bool {
	for _, token := range e {
		if (token.Kind == Word || token.Kind == Quoted) && token.Value == name {
			return true
		}
	}
	return false
}

// ProvesNotNull is the column of an expression that says no more and no less
// than "column IS NOT NULL", "" for every other one.
func (e Expression) ProvesNotNull() string {
	e = e.unwrapped()
	if len(e) == 4 && e[1].Is("is") && e[2].Is("not") && e[3].Is("null") {
		return e[0].Value
	}
	return ""
}
