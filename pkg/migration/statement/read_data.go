package statement

import "slices"

// data reads a statement that reads or writes rows, as the words that it is
// made of.
func (r *reader) data(verb string) {
	query := r.everything()
	change := Data{Verb: verb, Query: query, Calls: query.Calls(), Surely: query.callsSurely()}
	depth := 0
	for i, token := range query {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth > 0:
		case verb == "with" && (token.Is("insert") || token.Is("update") || token.Is("delete") || token.Is("merge")):
			verb = token.Value // what the query behind the named ones does
			change.Verb = verb
		case token.Is("where"), token.Is("limit"):
			change.Where = true
		}
		if depth == 0 && change.Table.Name == "" && verb != "with" && verb != "select" && i+1 < len(query) {
			change.Table = written(verb, query[i:])
		}
	}
	change.Equals = query.changesEqual()
	change.Nulls = query.whereNull()
	r.did(change)
	if verb == "with" { // the query behind the named ones writes nothing
		for _, named := range query.namedWrites() {
			r.did(named)
		}
	}
	r.settings(query)
}

// namedWrites are what the named queries of WITH write. What they call is among the
// calls of the whole.
func (e Expression) namedWrites() []Data {
	var found []Data
	for i := 0; i+2 < len(e); i++ {
		opens, write := e[i], e[i+1]
		named := i > 0 && (e[i-1].Is("as") || e[i-1].Is("materialized"))
		if !named || !opens.Is("(") || write.Kind != Word || !slices.Contains([]string{"insert", "update", "delete", "merge"}, write.Value) {
			continue
		}
		inner := e[i+1 : e.closing(i)]
		one := Data{Verb: write.Value, Query: inner, Where: inner.Mentions("where"), Nulls: inner.whereNull()}
		for at := range inner {
			if one.Table = written(one.Verb, inner[at:]); one.Table.Name != "" {
				break
			}
		}
		found = append(found, one)
	}
	return found
}

// changesEqual is the column where an UPDATE or a DELETE is one of the rows whose
// column equals a constant, and of no other table; "" for every other statement.
func (e Expression) changesEqual() string {
	if !e.at(0).Is("update") && !e.at(0).Is("delete") {
		return ""
	}
	end := len(e)
	if i := slices.IndexFunc(e, func(token Token) bool { return token.Is("returning") }); i >= 0 {
		end = i
	}
	where := slices.IndexFunc(e, func(token Token) bool { return token.Is("where") })
	others := slices.ContainsFunc(e[min(2, len(e)):], func(token Token) bool {
		return token.Is("from") || token.Is("using") || token.Is("select") || token.Is("table")
	})
	if where < 0 || where > end || others {
		return ""
	}
	return e[where+1 : end].unwrapped().equality()
}

// whereNull are the columns of a statement whose condition is that they are null,
// none where it has another one.
func (e Expression) whereNull() []string {
	where, end, depth := -1, len(e), 0
	for i, token := range e {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth == 0 && token.Is("where"):
			where = i
		case depth == 0 && token.Is("returning"):
			end = i
		}
	}
	if where < 0 || where > end {
		return nil
	}
	var columns []string
	for _, condition := range e[where+1 : end].Conjuncts() {
		column := condition.isNull()
		if column == "" {
			return nil
		}
		columns = append(columns, column)
	}
	return columns
}

// isNull is the column of a condition that is "column IS NULL", "" of any other.
func (e Expression) isNull() string {
	for e.at(1).Is(".") { // the table before it
		e = e[2:]
	}
	if !e.at(0).isName() || len(e) != 3 || !e[1].Is("is") || !e[2].Is("null") {
		return ""
	}
	return e[0].Value
}

// equality is the column of a condition that is "column = constant", "" of any other.
func (e Expression) equality() string {
	for e.at(1).Is(".") { // the table before it
		e = e[2:]
	}
	if len(e) == 3 && e[0].isName() && e[1].Is("=") && (e[2].Kind == Literal || e[2].Kind == Number) {
		return e[0].Value
	}
	return ""
}

// callsSurely reports whether a query is one that only calls: rows, conditions
// and what isn't computed where its value isn't needed may leave a call out.
func (e Expression) callsSurely() bool {
	calls := []string{"select", "perform", "call"}
	decides := []string{"from", "where", "having", "limit", "offset", "fetch", "group", "union", "except", "intersect", "with",
		"case", "coalesce", "and", "or", "exists", "any", "some", "all", "in", "filter"}
	if len(e) == 0 || e[0].Kind != Word || !slices.Contains(calls, e[0].Value) {
		return false
	}
	return !slices.ContainsFunc(e, func(token Token) bool { return token.Kind == Word && slices.Contains(decides, token.Value) })
}

// written is the table after the word that names what a statement writes to.
func written(verb string, tokens Expression) Name {
	before := map[string]string{"insert": "into", "merge": "into", "update": "update", "delete": "from", "copy": "copy"}[verb]
	if before == "" || !tokens[0].Is(before) {
		return Name{}
	}
	inner := &reader{tokens: tokens[1:]}
	inner.accept("only")
	return inner.name()
}

// settings finds SELECT set_config('name', 'value', local).
func (r *reader) settings(query Expression) {
	for i := range query {
		rest := query[i:]
		if len(rest) < 8 || !rest[0].Is("set_config") || !rest[1].Is("(") || rest[2].Kind != Literal || rest[4].Kind != Literal {
			continue
		}
		r.did(Set{Name: rest[2].Value, Value: rest[4].Value, Local: rest[6].Is("true")})
	}
}
