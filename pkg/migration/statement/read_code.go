package statement

import "slices"

// deepest is how many bodies of code are read inside one another.
const deepest = 8

// createFunction reads CREATE FUNCTION and CREATE PROCEDURE from after that word.
func (r *reader) createFunction(kind string, replace bool) {
	function := CreateFunction{Kind: kind, Name: r.name(), Replace: replace}
	function.Arguments = signature(kind, r.parenthesised())
	options := r.everything()
	language, body := "sql", Expression(nil)
	for i, token := range options {
		switch {
		case token.Is("language") && i+1 < len(options):
			language = options[i+1].Value
		case token.Is("as") && i+1 < len(options) && options[i+1].Kind == Literal && body == nil:
			body = options[i+1 : i+2]
		case (token.Is("atomic") || token.Is("return")) && body == nil:
			body = options[i+1:]
		}
	}
	function.Code = r.code(language, body)
	r.did(function)
}

// do reads DO [LANGUAGE name] body.
func (r *reader) do() {
	language, body := "plpgsql", Expression(nil)
	for !r.done() {
		switch {
		case r.accept("language"):
			language = r.take().Value
		case r.peek().Kind == Literal:
			body = Expression{r.take()}
		default:
			r.fail("%s is not understood here, where code was expected", r.here())
		}
	}
	if body == nil {
		r.fail("the code of DO is missing")
		return
	}
	r.did(Do{Code: r.code(language, body)})
}

// code reads the static SQL of a body.
func (r *reader) code(language string, body Expression) Code {
	code := Code{Language: language}
	switch {
	case language != "sql" && language != "plpgsql":
		code.Opaque = "it is written in " + language
	case len(body) == 0:
		code.Opaque = "it has no body"
	case r.depth >= deepest:
		code.Opaque = "it is code in code in code"
	case len(body) > 1 || body[0].Kind != Literal: // BEGIN ATOMIC: only queries may stand in it
	case body[0].Inside == Position{}:
		code.Opaque = "its body is not dollar-quoted"
	case language == "sql":
		code.Statements = splitAt(body[0].Value, body[0].Inside, r.depth+1)
	default:
		code.Statements = procedural(body[0], r.depth+1)
	}
	return code
}

// runs are the words with which a statement begins that runs SQL.
func runs() []string {
	return []string{"alter", "create", "drop", "truncate", "lock", "insert", "update", "delete", "merge", "perform", "call", "execute",
		"select", "with", "grant", "revoke", "comment", "refresh", "reindex", "cluster", "vacuum", "analyze", "set", "reset", "copy", "do"}
}

// procedural finds the SQL in a body of PL/pgSQL. What stands between it
// (assignments, conditions, loops) moves no schema by itself, but decides which
// of it runs.
func procedural(body Token, depth int) []Statement {
	scanned := scan(body.Value, body.Inside)
	tokens := Expression(scanned.tokens)
	branches := newBranches()
	var statements []Statement
	var places []place
	first := false
	for i := 0; i < len(tokens); i++ {
		dynamic := tokens[i].Is("execute") // FOR … IN EXECUTE, RETURN QUERY EXECUTE
		isSQL := dynamic || first && tokens[i].Kind == Word && slices.Contains(runs(), tokens[i].Value)
		if !isSQL {
			first = branches.pass(tokens[i], tokens.at(i+1), first || i == 0)
			continue
		}
		end := i
		for end < len(tokens) && !tokens[end].Is(";") && (!dynamic || !tokens[end].Is("loop")) {
			end++
		}
		run := tokens[i:end]
		statement := Statement{Text: body.Value[run[0].start:run[len(run)-1].end], At: run[0].At, Tokens: run}
		statement.readProcedural(depth)
		statements, places = append(statements, statement), append(places, branches.place())
		i, first = end-1, false
	}
	branches.settle(statements, places)
	attach(statements, scanned)
	return statements
}

// readProcedural reads a statement of PL/pgSQL: EXECUTE of a constant is the
// statement that the constant holds.
func (s *Statement) readProcedural(depth int) {
	constant := len(s.Tokens) == 2 && s.Tokens[0].Is("execute") && s.Tokens[1].Kind == Literal
	if !constant {
		s.read(depth)
		return
	}
	for _, inner := range splitAt(s.Tokens[1].Value, s.At, depth) {
		if inner.Unread != "" {
			s.Unread, s.UnreadAt = inner.Unread, s.At
			return
		}
		for _, change := range inner.Changes {
			s.Changes = append(s.Changes, Change{At: s.At, Action: change.Action})
		}
	}
}
