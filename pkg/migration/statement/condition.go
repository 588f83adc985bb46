package statement

import "slices"

// deepestCondition is how deep the parentheses of a condition are looked into.
const deepestCondition = 32

// Conjuncts are the parts of a condition that AND joins, also in parentheses
// of their own.
func (e Expression) Conjuncts() []Expression { return e.conjuncts(deepestCondition) }

func (e Expression) conjuncts(levels int) []Expression {
	if levels == 0 {
		return []Expression{e}
	}
	e = e.unwrapped()
	var parts []Expression
	depth, start, between := 0, 0, false
	for i, token := range e {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth > 0:
		case token.Is("between"):
			between = true
		case token.Is("and") && between: // which is BETWEEN's own
			between = false
		case token.Is("and"):
			parts = append(parts, e[start:i].conjuncts(levels-1)...)
			start = i + 1
		}
	}
	if start == 0 {
		return []Expression{e}
	}
	return append(parts, e[start:].conjuncts(levels-1)...)
}

// Compared are the columns of a condition that is null if one of them is: one
// that only compares and computes, and calls no function that isn't strict. plain
// tells whether it is such a condition; what is not known to be one is none.
func (e Expression) Compared(strict func(function string) bool) (names []string, plain bool) {
	name, constants := e.amongConstants()
	if name == "" {
		return e.compared(strict, false)
	}
	if _, plain := constants.compared(strict, true); !plain {
		return nil, false
	}
	return []string{name}, true
}

// amongConstants is the column of "column IN (…)" and of "column BETWEEN … AND
// …", with what it is compared to. The other way round these are not null if
// the column is, so neither may name one there.
func (e Expression) amongConstants() (string, Expression) {
	if len(e) < 4 || !e[0].isName() {
		return "", nil
	}
	if e[1].Is("in") && e[2].Is("(") && e.closing(2) == len(e)-1 || e[1].Is("between") {
		return e[0].Value, e[2:]
	}
	return "", nil
}

// compared reads a condition token by token; constants may stand in a list, and
// no name beside them.
func (e Expression) compared(strict func(string) bool, constants bool) (names []string, plain bool) {
	for i, token := range e {
		before, after := e.at(i-1), e.at(i+1)
		switch {
		case token.Kind == Literal, token.Kind == Number, token.Is("true"), token.Is("false"), token.Is("null"):
		case token.Kind == Symbol && comparesStrictly(token.Value):
		case constants && (token.Is(",") || token.Is("and")):
		case token.Is("like"), token.Is("ilike"):
		case before.Is("::") && (token.Kind == Word || token.Kind == Quoted): // a type
		case after.Is(".") && token.isName(): // a table
		case token.isName() && after.Is("(") && e.at(i+2).Is(")"): // now() gives the same for every column
		case token.Kind == Word && after.Is("(") && !before.Is(".") && strict(token.Value):
		case !constants && token.isName() && !after.Is("("):
			names = append(names, token.Value)
		default:
			return nil, false
		}
	}
	return names, true
}

// comparesStrictly reports whether a mark, or an operator, leaves null what is null.
func comparesStrictly(symbol string) bool {
	return slices.Contains([]string{"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "~", "~*", "!~", "!~*", "->", "->>", "::", ".", "(", ")"}, symbol)
}

// Comparison takes "column operator constant" apart, also with the constant in
// front of =. The name is "" for every other condition.
func (e Expression) Comparison() (column, operator string, constant Token) {
	e = e.unwrapped()
	if len(e) < 3 || e[1].Kind != Symbol {
		return "", "", Token{}
	}
	if e[1].Is("=") && !e[0].isName() && len(e) == 3 {
		e = Expression{e[2], e[1], e[0]}
	}
	constant, is := e[2:].Constant()
	if !is || !e[0].isName() || e[0].Is("true") || e[0].Is("false") {
		return "", "", Token{}
	}
	return e[0].Value, e[1].Value, constant
}

// Constant is the value of an expression that is a number, with its sign, a
// string or a truth value, also cast to a type that takes it as it is.
func (e Expression) Constant() (Token, bool) {
	e = e.unwrapped()
	if e.at(0).Kind == Literal && e.at(1).Is("::") {
		if kind := e[2:].String(); kind == "text" || kind == "character varying" {
			e = e[:1]
		}
	}
	if len(e) == 2 && e[0].Is("-") && e[1].Kind == Number {
		return Token{Kind: Number, Value: "-" + e[1].Value}, true
	}
	is := len(e) == 1 && (e[0].Kind == Number || e[0].Kind == Literal || e[0].Is("true") || e[0].Is("false"))
	return e.at(0), is
}

// IsNull reports whether an expression is null and nothing else.
func (e Expression) IsNull() bool { return len(e) == 1 && e[0].Is("null") }

// isName reports whether a token may name a column, a table or a type: a word
// that makes something of null is no name.
func (t Token) isName() bool {
	makesSomething := []string{"isnull", "notnull", "end", "at", "overlaps", "operator"}
	return t.Kind == Quoted || t.Kind == Word && !isSyntax(t.Value) && !slices.Contains(makesSomething, t.Value)
}

// at is the token at an index, an empty one outside.
func (e Expression) at(index int) Token {
	if index < 0 || index >= len(e) {
		return Token{}
	}
	return e[index]
}

// unwrapped is the expression without the parentheses around the whole of it.
func (e Expression) unwrapped() Expression {
	for range deepestCondition {
		if len(e) < 3 || !e[0].Is("(") || e.closing(0) != len(e)-1 {
			break
		}
		e = e[1 : len(e)-1]
	}
	return e
}

// closing is the index of the parenthesis that closes the one at an index,
// the length where none does.
func (e Expression) closing(open int) int {
	depth := 0
	for i := open; i < len(e); i++ {
		switch {
		case e[i].Is("("):
			depth++
		case e[i].Is(")"):
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return len(e)
}
