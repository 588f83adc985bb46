package statement

import "strings"

// Expression is an expression as the tokens that it is made of.
type Expression []Token

// String is the expression for people: with its words apart, and without what
// its string constants hold, which may be a secret.
func (e Expression) String() string { return e.join(Token.shown) }

// SQL is the expression as PostgreSQL reads it, for what is safe to repeat: the
// definition of a column or of a constraint, which is no place for a secret.
func (e Expression) SQL() string { return e.join(Token.written) }

func (e Expression) join(write func(Token) string) string {
	var text strings.Builder
	for i, token := range e {
		if i > 0 && token.start > e[i-1].end {
			text.WriteByte(' ')
		}
		text.WriteString(write(token))
	}
	return text.String()
}

// written is the token as SQL.
func (t Token) written() string {
	if t.Kind == Literal {
		return "'" + strings.ReplaceAll(t.Value, "'", "''") + "'"
	}
	return t.shown()
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
