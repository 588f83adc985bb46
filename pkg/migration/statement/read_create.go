package statement

// create reads what follows CREATE.
func (r *reader) create() {
	replace := r.accept("or", "replace")
	temporary, recursive := false, false
	for {
		word, found := r.acceptAny("temporary", "temp", "unlogged", "global", "local", "recursive", "trusted", "procedural")
		if !found {
			break
		}
		temporary = temporary || word == "temp" || word == "temporary"
		recursive = recursive || word == "recursive"
	}
	kind, found := r.acceptAny("table", "index", "unique", "view", "materialized", "function", "procedure", "trigger", "constraint", "rule",
		"policy", "type")
	if !found {
		r.createOther()
		return
	}
	switch kind {
	case "table":
		r.createTable(temporary)
	case "index":
		r.createIndex(false)
	case "unique":
		r.expect("index")
		r.createIndex(true)
	case "view":
		r.createView(CreateView{Replace: replace, Temporary: temporary, Recursive: recursive})
	case "materialized":
		r.expect("view")
		r.createView(CreateView{Materialized: true})
	case "function", "procedure":
		r.createFunction(kind, replace)
	case "trigger":
		r.createTrigger(replace)
	case "constraint":
		r.expect("trigger")
		r.createTrigger(replace)
	case "rule":
		r.createRule()
	case "policy":
		r.createPolicy()
	case "type":
		r.createType()
	}
}

func (r *reader) createRule() {
	name := r.identifier()
	r.expect("as", "on")
	r.identifier()
	r.expect("to")
	r.did(CreateRule{Name: name, Table: r.name()})
	r.everything()
}

func (r *reader) createPolicy() {
	name := r.identifier()
	r.expect("on")
	r.did(Policy{Name: name, Table: r.name()})
	r.everything()
}

// createOther reads the objects whose making neither version notices.
func (r *reader) createOther() {
	for _, kind := range []string{"sequence", "schema", "extension", "domain", "role", "user", "group", "aggregate", "operator", "cast",
		"collation", "conversion", "statistics", "publication", "subscription", "server", "foreign", "access", "text", "language", "transform", "default"} {
		if !r.accept(kind) {
			continue
		}
		if kind == "foreign" && r.accept("table") {
			r.createTable(false)
			r.everything()
			return
		}
		change := Create{Kind: kind, IfNotExists: r.accept("if", "not", "exists")}
		if kind == "sequence" || kind == "schema" || kind == "extension" || kind == "domain" || kind == "role" {
			change.Name = r.name()
		}
		r.everything()
		r.did(change)
		return
	}
	if kind, found := r.acceptAny("database", "tablespace"); found {
		r.everything()
		r.did(Outside{What: "CREATE " + kind})
		return
	}
	if r.accept("event", "trigger") {
		r.everything()
		r.did(Alter{Kind: "event trigger", What: "CREATE EVENT TRIGGER"})
		return
	}
	r.fail("%s is nothing that is known here", r.here())
}

func (r *reader) createType() {
	name := r.name()
	enum := r.comes("as", "enum")
	r.everything()
	r.did(Create{Kind: "type", Name: name, Enum: enum})
}

// createIndex reads CREATE INDEX from after the word INDEX.
func (r *reader) createIndex(unique bool) {
	index := CreateIndex{Unique: unique, Concurrently: r.accept("concurrently"), IfNotExists: r.accept("if", "not", "exists")}
	if !r.comes("on") {
		index.Name = Name{Name: r.identifier()}
	}
	r.expect("on")
	index.Only = r.accept("only")
	index.Table = r.name()
	index.Name.Schema = index.Table.Schema
	if r.accept("using") {
		r.identifier()
	}
	index.Columns = columnsOf(r.parenthesised())
	if r.accept("include") {
		r.parenthesised()
	}
	index.NullsNotDistinct = r.nullsNotDistinct()
	if r.accept("with") {
		r.parenthesised()
	}
	if r.accept("tablespace") {
		r.identifier()
	}
	if r.accept("where") {
		index.Partial = true
		r.everything()
	}
	r.did(index)
}

// columnsOf are the columns of an index's list, "" for an expression.
func columnsOf(list Expression) []string {
	var columns []string
	depth, fresh := 0, true
	for i, token := range list {
		if fresh {
			column := ""
			call := i+1 < len(list) && list[i+1].Is("(")
			if (token.Kind == Word || token.Kind == Quoted) && !call {
				column = token.Value
			}
			columns = append(columns, column)
		}
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		}
		fresh = depth == 0 && token.Is(",")
	}
	return columns
}

// createView reads what follows the word VIEW.
func (r *reader) createView(view CreateView) {
	view.IfNotExists = r.accept("if", "not", "exists")
	view.Name = r.name()
	if r.comes("(") {
		view.Columns = columnsOf(r.parenthesised())
	}
	if r.accept("using") {
		r.identifier()
	}
	if r.accept("with") {
		r.parenthesised()
	}
	if r.accept("tablespace") {
		r.identifier()
	}
	r.expect("as")
	view.Query = r.everything()
	r.did(view)
}

func (r *reader) createTrigger(replace bool) {
	trigger := CreateTrigger{Name: r.identifier(), Replace: replace}
	for !r.done() && !r.comes("on") {
		r.take()
	}
	r.expect("on")
	trigger.Table = r.name()
	r.everything()
	r.did(trigger)
}
