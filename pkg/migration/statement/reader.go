package statement

import (
	"fmt"
	"slices"
	"strconv"
)

// reader reads one statement from its first token to its last. The first thing
// that it does not expect ends it: from then on it stands at the end, and
// problem says why.
type reader struct {
	tokens []Token
	next   int
	// end is the token that stands for the end.
	end     Token
	problem string
	// problemAt is where it stopped.
	problemAt Position
	// depth is how many bodies of code the statement stands in.
	depth   int
	changes []Change
	// at is where the command begins that is being read.
	at Position
}

// read reads the statement's changes, or says why it can't.
func (s *Statement) read(depth int) {
	last := s.Tokens[len(s.Tokens)-1]
	r := &reader{tokens: s.Tokens, at: s.At, depth: depth, end: Token{Kind: Symbol, At: last.At}}
	if i := slices.IndexFunc(s.Tokens, func(token Token) bool { return token.Kind == Invalid }); i >= 0 {
		r.next = i
		r.fail("%s", s.Tokens[i].Value)
	} else {
		r.statement()
		if !r.done() {
			r.fail("%s is not understood here", r.here())
		}
	}
	s.Unread, s.UnreadAt = r.problem, r.problemAt
	if r.problem == "" {
		s.Changes = r.changes
	}
}

func (r *reader) fail(format string, args ...any) {
	if r.problem == "" {
		r.problem, r.problemAt = fmt.Sprintf(format, args...), r.peek().At
	}
	r.next = len(r.tokens)
}

// here is what comes next, as a message names it.
func (r *reader) here() string {
	if r.done() {
		return "the end of the statement"
	}
	if r.peek().Kind == Literal {
		return "a string"
	}
	return strconv.Quote(r.peek().shown())
}

func (r *reader) done() bool { return r.next >= len(r.tokens) }

func (r *reader) peek() Token { return r.ahead(0) }

func (r *reader) ahead(count int) Token {
	if r.next+count >= len(r.tokens) {
		return r.end
	}
	return r.tokens[r.next+count]
}

func (r *reader) take() Token {
	token := r.peek()
	r.next = min(r.next+1, len(r.tokens))
	return token
}

// comes reports whether these words or symbols come next.
func (r *reader) comes(words ...string) bool {
	for i, word := range words {
		if r.next+i >= len(r.tokens) || !r.ahead(i).Is(word) {
			return false
		}
	}
	return true
}

// accept takes these words or symbols if they come next.
func (r *reader) accept(words ...string) bool {
	if !r.comes(words...) {
		return false
	}
	r.next += len(words)
	return true
}

// acceptAny takes one of these words if it comes next.
func (r *reader) acceptAny(words ...string) (string, bool) {
	for _, word := range words {
		if r.accept(word) {
			return word, true
		}
	}
	return "", false
}

// expect takes these words or symbols, and fails where others come.
func (r *reader) expect(words ...string) {
	for _, word := range words {
		if !r.accept(word) {
			r.fail("%s is not understood here, where %s was expected", r.here(), word)
			return
		}
	}
}

// did records what the command does that is being read.
func (r *reader) did(action Action) { r.changes = append(r.changes, Change{At: r.at, Action: action}) }

// identifier takes one name.
func (r *reader) identifier() string {
	token := r.peek()
	if r.done() || token.Kind != Word && token.Kind != Quoted {
		r.fail("%s is not understood here, where a name was expected", r.here())
		return ""
	}
	r.take()
	return token.Value
}

// name takes a name with its schema, if it has one; a database before that is
// left out.
func (r *reader) name() Name {
	name := Name{Name: r.identifier()}
	for r.accept(".") {
		name = Name{Schema: name.Name, Name: r.identifier()}
	}
	return name
}

// names takes a list of names.
func (r *reader) names() []Name {
	names := []Name{r.name()}
	for r.accept(",") {
		names = append(names, r.name())
	}
	return names
}

// parenthesised takes what stands in parentheses, which must come next,
// without them.
func (r *reader) parenthesised() Expression {
	if !r.comes("(") {
		r.expect("(")
		return nil
	}
	depth, start := 0, r.next+1
	for !r.done() {
		switch token := r.take(); {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		}
		if depth == 0 {
			return r.tokens[start : r.next-1]
		}
	}
	r.fail("a parenthesis is not closed")
	return nil
}

// until takes tokens until one of these words, or a comma or closing
// parenthesis, comes outside of parentheses and brackets.
func (r *reader) until(words ...string) Expression {
	depth, start := 0, r.next
	for !r.done() {
		token := r.peek()
		if depth == 0 && r.next > start && token.Kind == Word && slices.Contains(words, token.Value) {
			break
		}
		if depth == 0 && (token.Is(",") || token.Is(")")) {
			break
		}
		switch {
		case token.Is("("), token.Is("["):
			depth++
		case token.Is(")"), token.Is("]"):
			depth--
		}
		r.next++
	}
	if r.next == start {
		r.fail("%s is not understood here, where an expression was expected", r.here())
	}
	return r.tokens[start:min(r.next, len(r.tokens))]
}

// everything takes all that is left.
func (r *reader) everything() Expression {
	rest := r.tokens[min(r.next, len(r.tokens)):]
	r.next = len(r.tokens)
	return rest
}

// behavior takes CASCADE or RESTRICT, and reports the former.
func (r *reader) behavior() bool {
	word, _ := r.acceptAny("cascade", "restrict")
	return word == "cascade"
}
