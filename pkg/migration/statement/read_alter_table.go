package statement

import "strings"

// alterTable reads ALTER TABLE from after the word TABLE. The same commands
// serve ALTER FOREIGN TABLE.
func (r *reader) alterTable() {
	if r.accept("all", "in", "tablespace") {
		r.everything()
		r.did(RewriteTable{What: "ALTER TABLE ALL IN TABLESPACE", Everything: true})
		return
	}
	r.accept("if", "exists")
	r.accept("only")
	table := r.name()
	r.accept("*")
	for {
		r.at = r.peek().At
		r.alterCommand(table)
		if !r.accept(",") {
			return
		}
	}
}

func (r *reader) alterCommand(table Name) {
	switch {
	case r.accept("add"):
		r.add(table)
	case r.accept("drop"):
		r.dropFrom(table)
	case r.accept("alter", "constraint"):
		r.identifier()
		r.attributes(&Constraint{})
		r.accept("inherit")
		r.did(AlterTable{Table: table, What: "ALTER CONSTRAINT", Mode: AccessExclusive})
	case r.accept("alter"):
		r.accept("column")
		r.alterColumn(table, r.columnName())
	case r.accept("validate", "constraint"):
		r.did(ValidateConstraint{Table: table, Constraint: r.identifier()})
	case r.accept("rename"):
		r.rename(Object{Kind: "table", Name: table})
	case r.accept("attach", "partition"):
		r.did(AttachPartition{Table: table, Partition: r.name()})
		r.bound()
	case r.accept("detach", "partition"):
		detached := DetachPartition{Table: table, Partition: r.name()}
		detached.Concurrently, detached.Finalize = r.accept("concurrently"), r.accept("finalize")
		r.did(detached)
	default:
		r.alterWhole(table)
	}
}

// columnName is a column's name, or its number in an index's statistics.
func (r *reader) columnName() string {
	if r.peek().Kind == Number {
		return r.take().Value
	}
	return r.identifier()
}

func (r *reader) add(table Name) {
	if r.beginsConstraint() {
		r.did(AddConstraint{Table: table, Constraint: r.tableConstraint()})
		return
	}
	r.accept("column")
	exists := r.accept("if", "not", "exists")
	r.did(AddColumn{Table: table, Column: r.column(), IfNotExists: exists})
}

func (r *reader) dropFrom(table Name) {
	constraint := r.accept("constraint")
	if !constraint {
		r.accept("column")
	}
	r.accept("if", "exists")
	name := r.identifier()
	r.behavior()
	if constraint {
		r.did(DropConstraint{Table: table, Constraint: name})
		return
	}
	r.did(DropColumn{Table: table, Column: name})
}

func (r *reader) alterColumn(table Name, column string) {
	switch {
	case r.accept("type"), r.accept("set", "data", "type"):
		change := AlterType{Table: table, Column: column, Type: r.dataType()}
		if r.accept("collate") {
			change.Collation = r.collation()
		}
		if r.accept("using") {
			change.Using = r.until()
		}
		r.did(change)
	case r.accept("set", "default"):
		r.did(SetDefault{Table: table, Column: column, Default: r.until()})
	case r.accept("drop", "default"):
		r.did(SetDefault{Table: table, Column: column})
	case r.accept("set", "not", "null"):
		r.did(SetNotNull{Table: table, Column: column})
	case r.accept("drop", "not", "null"):
		r.did(DropNotNull{Table: table, Column: column})
	case r.accept("set", "expression", "as"):
		r.parenthesised()
		r.did(AlterGenerated{Table: table, Column: column, What: "SET EXPRESSION", Rewrites: true})
	case r.accept("drop", "expression"), r.accept("drop", "identity"):
		what := "DROP " + strings.ToUpper(r.tokens[r.next-1].Value)
		r.accept("if", "exists")
		r.did(AlterGenerated{Table: table, Column: column, What: what, Drops: true})
	case r.comes("add", "generated"):
		r.take()
		generated := Column{}
		r.expect("generated")
		always := r.comes("always")
		generated.generated(r)
		r.did(AlterGenerated{Table: table, Column: column, What: "ADD GENERATED AS IDENTITY", Always: always})
	case r.comes("set", "generated"), r.comes("restart"), r.comes("set", "increment"), r.comes("set", "start"), r.comes("set", "cache"),
		r.comes("set", "no"), r.comes("set", "minvalue"), r.comes("set", "maxvalue"), r.comes("set", "cycle"):
		r.did(AlterGenerated{Table: table, Column: column, What: "SET GENERATED", Always: r.until().Mentions("always")})
	default:
		r.alterStorage(table)
	}
}

// alterStorage reads the commands about how a column is stored and counted.
func (r *reader) alterStorage(table Name) {
	mode := ShareUpdateExclusive
	switch {
	case r.accept("set", "statistics"):
		r.accept("-")
		r.take()
	case r.accept("set", "storage"), r.accept("set", "compression"):
		mode = AccessExclusive
		r.identifier()
	case r.accept("set"), r.accept("reset"):
		r.parenthesised()
	case r.accept("options"):
		mode = AccessExclusive
		r.parenthesised()
	default:
		r.fail("%s is not understood here, where a change of a column was expected", r.here())
	}
	r.did(AlterTable{Table: table, What: "ALTER COLUMN SET", Mode: mode})
}

// alterWhole reads the commands about the table as a whole.
func (r *reader) alterWhole(table Name) {
	other := AlterTable{Table: table, Mode: AccessExclusive}
	switch {
	case r.rowSecurity(table):
		return
	case r.accept("set", "schema"):
		r.did(SetSchema{Kind: "table", Object: table, Schema: r.identifier()})
		return
	case r.accept("set", "logged"), r.accept("set", "unlogged"):
		r.did(RewriteTable{Table: table, What: "SET LOGGED or UNLOGGED"})
		return
	case r.accept("set", "tablespace"), r.accept("set", "access", "method"):
		r.did(RewriteTable{Table: table, What: "SET TABLESPACE or ACCESS METHOD"})
		r.identifier()
		r.accept("nowait")
		return
	case r.accept("set", "without"):
		r.identifier()
		other.What, other.Mode = "SET WITHOUT", ShareUpdateExclusive
	case r.accept("cluster", "on"):
		r.identifier()
		other.What, other.Mode = "CLUSTER ON", ShareUpdateExclusive
	case r.accept("set"), r.accept("reset"):
		r.parenthesised()
		other.What, other.Mode = "SET (…)", ShareUpdateExclusive
	case r.accept("owner", "to"):
		r.identifier()
		r.did(Alter{Kind: "owner", Name: table, What: "OWNER TO"})
		return
	case r.accept("inherit"), r.accept("no", "inherit"):
		r.name()
		other.What = "INHERIT"
	case r.accept("of"):
		r.name()
		other.What = "OF"
	case r.accept("not", "of"):
		other.What = "NOT OF"
	case r.accept("replica", "identity"):
		r.until()
		other.What = "REPLICA IDENTITY"
	case r.accept("options"):
		r.parenthesised()
		other.What = "OPTIONS"
	default:
		r.trigger(table)
		return
	}
	r.did(other)
}

func (r *reader) rowSecurity(table Name) bool {
	enabled := r.accept("enable", "row") || r.accept("force", "row")
	if !enabled && !r.accept("disable", "row") && !r.accept("no", "force", "row") {
		return false
	}
	r.expect("level", "security")
	r.did(RowSecurity{Table: table, Strict: enabled})
	return true
}

// trigger reads ENABLE and DISABLE of a trigger or rule.
func (r *reader) trigger(table Name) {
	word, found := r.acceptAny("enable", "disable")
	if !found {
		r.fail("%s is not understood here, where a change of a table was expected", r.here())
		return
	}
	r.acceptAny("always", "replica")
	mode := ShareRowExclusive
	if kind, _ := r.acceptAny("trigger", "rule"); kind == "rule" {
		mode = AccessExclusive
	} else if kind == "" {
		r.fail("%s is nothing that can be enabled", r.here())
	}
	r.identifier()
	r.did(AlterTable{Table: table, What: word + " trigger", Mode: mode})
}

// rename reads what follows RENAME, of a table or of what is like one.
func (r *reader) rename(object Object) {
	change := Rename{Kind: object.Kind, Object: object.Name, Arguments: object.Arguments}
	switch {
	case r.accept("to"):
		change.To = r.identifier()
		r.did(change)
		return
	case r.accept("constraint"):
		change.Kind = "constraint"
	case r.accept("attribute"):
		change.Kind = "attribute"
	case r.accept("value"):
		change.Kind, change.Part = "enum value", r.take().Value
		r.expect("to")
		change.To = r.take().Value
		r.did(change)
		return
	default:
		r.accept("column")
		change.Kind = "column"
	}
	change.Part = r.identifier()
	r.expect("to")
	change.To = r.identifier()
	r.behavior()
	r.did(change)
}
