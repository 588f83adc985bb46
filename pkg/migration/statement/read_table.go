package statement

// createTable reads CREATE TABLE from after the word TABLE.
func (r *reader) createTable(temporary bool) {
	table := CreateTable{Temporary: temporary, IfNotExists: r.accept("if", "not", "exists"), Table: r.name()}
	switch {
	case r.accept("partition", "of"):
		table.PartitionOf = r.name()
		if r.comes("(") {
			r.elements(&table, true)
		}
		r.bound()
	case r.accept("of"):
		table.Borrows = true
		r.name()
		if r.comes("(") {
			r.elements(&table, true)
		}
	case r.comes("(") && !r.plainNames():
		r.elements(&table, false)
	case r.comes("("):
		r.parenthesised()
	}
	r.tableOptions(&table)
	if r.accept("as") {
		table.Query = r.everything()
	}
	r.did(table)
}

// plainNames reports whether the parentheses that come hold names alone, as
// those of CREATE TABLE … AS do.
func (r *reader) plainNames() bool {
	for i := 1; ; i += 2 {
		kind := r.ahead(i).Kind
		if kind != Word && kind != Quoted {
			return false
		}
		if r.ahead(i + 1).Is(")") {
			return true
		}
		if !r.ahead(i + 1).Is(",") {
			return false
		}
	}
}

// elements reads the columns and constraints of a table. Those of a table of a
// type, and of a partition, name columns without a type.
func (r *reader) elements(table *CreateTable, typed bool) {
	r.expect("(")
	for !r.comes(")") && !r.done() {
		switch {
		case r.accept("like"):
			table.Borrows = true
			r.name()
			for r.comes("including") || r.comes("excluding") {
				r.take()
				r.identifier()
			}
		case r.beginsConstraint():
			table.Constraints = append(table.Constraints, r.tableConstraint())
		case typed:
			column := Column{At: r.peek().At, Name: r.identifier()}
			r.accept("with", "options")
			column.rules(r)
			table.Columns = append(table.Columns, column)
		default:
			table.Columns = append(table.Columns, r.column())
		}
		if !r.accept(",") {
			break
		}
	}
	r.expect(")")
}

// bound reads which rows a partition takes.
func (r *reader) bound() {
	if r.accept("default") {
		return
	}
	r.expect("for", "values")
	switch {
	case r.accept("in"), r.accept("with"):
		r.parenthesised()
	default:
		r.expect("from")
		r.parenthesised()
		r.expect("to")
		r.parenthesised()
	}
}

func (r *reader) tableOptions(table *CreateTable) {
	for {
		switch {
		case r.accept("inherits"):
			r.expect("(")
			table.Inherits = r.names()
			r.expect(")")
		case r.accept("partition", "by"):
			r.identifier()
			r.parenthesised()
		case r.accept("using"), r.accept("tablespace"):
			r.identifier()
		case r.accept("with"):
			r.parenthesised()
		case r.accept("without", "oids"):
		case r.accept("on", "commit"):
			for r.comes("preserve") || r.comes("delete") || r.comes("rows") || r.comes("drop") {
				r.take()
			}
		default:
			return
		}
	}
}
