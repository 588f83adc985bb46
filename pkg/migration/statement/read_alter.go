package statement

// alter reads what follows ALTER.
func (r *reader) alter() {
	switch {
	case r.accept("table"), r.accept("foreign", "table"):
		r.alterTable()
	case r.accept("type"):
		r.alterType()
	case r.accept("domain"):
		r.alterDomain()
	case r.accept("policy"):
		name := r.identifier()
		r.expect("on")
		r.alterNamed(Policy{Name: name, Table: r.name(), Alter: true}, "policy")
	case r.accept("trigger"), r.accept("rule"):
		kind := r.tokens[r.next-1].Value
		r.identifier()
		r.expect("on")
		table := r.name()
		r.everything()
		r.did(AlterTable{Table: table, What: "ALTER " + kind, Mode: AccessExclusive})
	case r.accept("index"):
		r.alterIndex()
	case r.accept("default", "privileges"):
		if rest := r.everything(); rest.Mentions("revoke") {
			r.did(Revoke{Text: rest.String()})
		} else {
			r.did(Grant{})
		}
	case r.accept("system"):
		r.everything()
		r.did(Outside{What: "ALTER SYSTEM"})
		r.did(Alter{Kind: "system", What: "ALTER SYSTEM"})
	default:
		r.alterOther()
	}
}

// alterNamed takes what follows an object's name: the action, but for a new name.
func (r *reader) alterNamed(action Action, kind string) {
	if r.accept("rename", "to") {
		r.identifier()
		r.did(Harmless{What: "rename of a " + kind})
		return
	}
	r.everything()
	r.did(action)
}

func (r *reader) alterIndex() {
	if r.accept("all", "in", "tablespace") {
		r.everything()
		r.did(RewriteTable{What: "ALTER INDEX ALL IN TABLESPACE", Everything: true})
		return
	}
	r.accept("if", "exists")
	index := r.name()
	switch {
	case r.accept("rename", "to"):
		r.identifier()
		r.did(Rename{Kind: "index", Object: index, To: r.tokens[r.next-1].Value})
	case r.accept("set", "tablespace"):
		r.identifier()
		r.accept("nowait")
		r.did(RewriteTable{What: "SET TABLESPACE of an index", Everything: true})
	default:
		r.everything()
		r.did(Harmless{What: "alter index"})
	}
}

func (r *reader) alterType() {
	name := r.name()
	switch {
	case r.accept("add", "value"):
		r.accept("if", "not", "exists")
		r.did(AddEnumValue{Type: name, Value: r.take().Value})
		if _, found := r.acceptAny("before", "after"); found {
			r.take()
		}
	case r.accept("rename"):
		r.rename(Object{Kind: "type", Name: name})
	case r.accept("set", "schema"):
		r.did(SetSchema{Kind: "type", Object: name, Schema: r.identifier()})
	case r.comes("add", "attribute"), r.comes("drop", "attribute"), r.comes("alter", "attribute"):
		r.did(AlterComposite{Type: name, What: r.peek().Value + " attribute"})
		r.everything()
	default:
		r.everything()
		r.did(Alter{Kind: "type", Name: name, What: "ALTER TYPE"})
	}
}

func (r *reader) alterDomain() {
	change := AlterDomain{Domain: r.name()}
	switch {
	case r.accept("add"):
		constraint := r.tableConstraint()
		change.What, change.Constraint = "ADD CONSTRAINT", &constraint
	case r.accept("set", "not", "null"):
		change.What, change.Constraint = "SET NOT NULL", &Constraint{Kind: NotNull}
	case r.accept("validate", "constraint"):
		change.What, change.Validates = "VALIDATE CONSTRAINT", true
		r.identifier()
	case r.accept("drop", "not", "null"), r.accept("drop", "constraint"):
		change.What, change.Relaxes = "DROP CONSTRAINT", true
		r.everything()
	case r.accept("set", "default"), r.accept("drop", "default"):
		change.What = "DEFAULT"
		r.everything()
	case r.accept("rename"):
		r.rename(Object{Kind: "domain", Name: change.Domain})
		return
	case r.accept("set", "schema"):
		r.did(SetSchema{Kind: "domain", Object: change.Domain, Schema: r.identifier()})
		return
	default:
		r.expect("owner", "to")
		r.identifier()
		change.What = "OWNER TO"
	}
	r.did(change)
}

// alterOther reads ALTER of objects that are known by their name alone.
func (r *reader) alterOther() {
	kind := ""
	for _, words := range [][]string{{"view"}, {"materialized", "view"}, {"sequence"}, {"schema"}, {"function"}, {"procedure"}, {"routine"},
		{"aggregate"}, {"extension"}, {"database"}, {"role"}, {"user"}, {"group"}, {"publication"}, {"subscription"}, {"statistics"},
		{"operator"}, {"collation"}, {"conversion"}, {"server"}, {"text", "search"}, {"event", "trigger"}, {"language"}, {"large", "object"},
		{"foreign", "data", "wrapper"}, {"tablespace"}} {
		if r.accept(words...) {
			kind = Expression(r.tokens[r.next-len(words) : r.next]).String()
			break
		}
	}
	if kind == "" {
		r.fail("%s is nothing that is known here", r.here())
		return
	}
	if kind == "operator" || kind == "text search" || kind == "large object" || kind == "user" || kind == "role" || kind == "group" {
		r.did(Alter{Kind: kind, What: "ALTER " + kind + " " + r.everything().String()})
		return
	}
	r.accept("if", "exists")
	name := r.name()
	arguments := r.arguments(kind)
	switch {
	case r.accept("rename"):
		r.rename(Object{Kind: kind, Name: name, Arguments: arguments})
	case r.accept("set", "schema"):
		r.did(SetSchema{Kind: kind, Object: name, Arguments: arguments, Schema: r.identifier()})
	case r.accept("alter"):
		r.accept("column")
		r.identifier()
		r.everything()
		r.did(Alter{Kind: kind, Name: name, What: "ALTER COLUMN"})
	default:
		r.did(Alter{Kind: kind, Name: name, Arguments: arguments, What: r.everything().String()})
	}
}
