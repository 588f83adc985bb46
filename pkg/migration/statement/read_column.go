package statement

// endsDefault are the words that end the default of a column.
func endsDefault() []string {
	return []string{"not", "null", "constraint", "check", "unique", "primary", "references", "generated", "default",
		"collate", "deferrable", "initially", "enforced", "storage", "compression"}
}

// column reads the definition of a column.
func (r *reader) column() Column {
	column := Column{At: r.peek().At, Name: r.identifier()}
	column.Type = r.dataType()
	if r.accept("options") {
		r.parenthesised()
	}
	column.rules(r)
	return column
}

// rules reads what follows the type of a column.
func (c *Column) rules(r *reader) {
	for !r.done() && !r.comes(",") && !r.comes(")") {
		at := r.peek().At
		name := ""
		if r.accept("constraint") {
			name = r.identifier()
		}
		switch {
		case r.accept("not", "null"):
			c.NotNull = true
			r.notValid() // PostgreSQL 18 takes NO INHERIT here
		case r.accept("null"), r.accept("not", "deferrable"), r.accept("deferrable"):
		case r.accept("initially"):
			r.identifier()
		case r.accept("storage"), r.accept("compression"):
			r.identifier()
		case r.accept("collate"):
			c.Collation = r.collation()
		case r.accept("default"):
			c.Default = r.until(endsDefault()...)
		case r.accept("generated"):
			c.generated(r)
		case r.accept("enforced"):
		case r.accept("not", "enforced"):
			if last := len(c.Constraints) - 1; last >= 0 {
				c.Constraints[last].NotEnforced = true
			}
		default:
			c.Constraints = append(c.Constraints, r.columnConstraint(Constraint{At: at, Name: name, Columns: []string{c.Name}}))
		}
	}
}

// collation takes the name of a collation, none for that of the type itself.
func (r *reader) collation() Name {
	name := r.name()
	if name.Schema == "pg_catalog" {
		name.Schema = ""
	}
	if name.String() == "default" {
		return Name{}
	}
	return name
}

func (c *Column) generated(r *reader) {
	if !r.accept("always") {
		r.expect("by", "default")
	}
	r.expect("as")
	if r.accept("identity") {
		c.Identity = true
		if r.comes("(") {
			r.parenthesised()
		}
		return
	}
	c.Generated = r.parenthesised()
	c.Virtual = !r.accept("stored") // VIRTUAL, which is the default of PostgreSQL 18
	r.accept("virtual")
}

func (r *reader) columnConstraint(constraint Constraint) Constraint {
	switch {
	case r.accept("check"):
		constraint.Kind, constraint.Check = Check, r.parenthesised()
		r.accept("no", "inherit")
	case r.accept("unique"), r.accept("primary", "key"):
		constraint.Kind = Unique
		if r.tokens[r.next-1].Is("key") {
			constraint.Kind = PrimaryKey
		}
		r.keyOptions(&constraint)
	case r.accept("references"):
		constraint.Kind = ForeignKey
		r.references(&constraint)
	default:
		r.fail("%s is not understood here, where a constraint was expected", r.here())
	}
	return constraint
}

// beginsConstraint reports whether a constraint that stands by itself comes.
func (r *reader) beginsConstraint() bool {
	return r.comes("constraint") || r.comes("check") || r.comes("unique") || r.comes("primary", "key") ||
		r.comes("foreign", "key") || r.comes("exclude") || r.comes("not", "null")
}

// tableConstraint reads a constraint that stands by itself.
func (r *reader) tableConstraint() Constraint {
	constraint := Constraint{At: r.peek().At}
	if r.accept("constraint") {
		constraint.Name = r.identifier()
	}
	switch {
	case r.accept("check"):
		constraint.Kind, constraint.Check = Check, r.parenthesised()
	case r.accept("not", "null"): // PostgreSQL 18
		constraint.Kind = NotNull
		if !r.done() { // that of a domain names no column
			constraint.Columns = []string{r.identifier()}
		}
	case r.accept("unique"):
		constraint.Kind = Unique
		r.key(&constraint)
	case r.accept("primary", "key"):
		constraint.Kind = PrimaryKey
		r.key(&constraint)
	case r.accept("foreign", "key"):
		constraint.Kind, constraint.Columns = ForeignKey, r.keyColumns()
		r.expect("references")
		r.references(&constraint)
	case r.accept("exclude"):
		constraint.Kind = Exclude
		if r.accept("using") {
			r.identifier()
		}
		r.parenthesised()
		r.keyOptions(&constraint)
		if r.accept("where") {
			r.parenthesised()
		}
	default:
		r.fail("%s is not understood here, where a constraint was expected", r.here())
	}
	r.attributes(&constraint)
	return constraint
}

// key reads the columns of a key, or the index that it is made from.
func (r *reader) key(constraint *Constraint) {
	constraint.NullsNotDistinct = r.nullsNotDistinct()
	if r.accept("using", "index") {
		constraint.UsingIndex = r.identifier()
		return
	}
	constraint.Columns = r.keyColumns()
	r.keyOptions(constraint)
}

// keyColumns reads columns in parentheses; PERIOD and WITHOUT OVERLAPS are
// PostgreSQL 18's.
func (r *reader) keyColumns() []string {
	var columns []string
	r.expect("(")
	for {
		r.accept("period")
		columns = append(columns, r.identifier())
		r.accept("without", "overlaps")
		if !r.accept(",") {
			break
		}
	}
	r.expect(")")
	return columns
}

func (r *reader) nullsNotDistinct() bool {
	if r.accept("nulls", "not", "distinct") {
		return true
	}
	r.accept("nulls", "distinct")
	return false
}

func (r *reader) keyOptions(constraint *Constraint) {
	constraint.NullsNotDistinct = r.nullsNotDistinct() || constraint.NullsNotDistinct
	if r.accept("include") {
		r.parenthesised()
	}
	if r.accept("with") {
		r.parenthesised()
	}
	if r.accept("using", "index", "tablespace") {
		r.identifier()
	}
}

// references reads what follows REFERENCES.
func (r *reader) references(constraint *Constraint) {
	constraint.References = r.name()
	if r.comes("(") {
		r.keyColumns()
	}
	for {
		switch {
		case r.accept("match"):
			r.identifier()
		case r.accept("on", "delete"):
			constraint.OnDelete = r.action()
		case r.accept("on", "update"):
			r.action()
		default:
			return
		}
	}
}

func (r *reader) action() string {
	switch {
	case r.accept("no", "action"), r.accept("restrict"):
		return ""
	case r.accept("cascade"):
		return "cascade"
	}
	r.expect("set")
	to, found := r.acceptAny("null", "default")
	if !found {
		r.fail("%s is nothing that a foreign key does", r.here())
	}
	if r.comes("(") {
		r.parenthesised()
	}
	return "set " + to
}

// attributes reads what ends a constraint.
func (r *reader) attributes(constraint *Constraint) {
	for {
		switch {
		case r.accept("not", "valid"):
			constraint.NotValid = true
		case r.accept("not", "enforced"):
			constraint.NotEnforced = true
		case r.accept("enforced"), r.accept("not", "deferrable"), r.accept("deferrable"), r.accept("no", "inherit"):
		case r.accept("initially"):
			r.identifier()
		default:
			return
		}
	}
}

// notValid reads the attributes that a column's NOT NULL takes.
func (r *reader) notValid() { r.accept("no", "inherit") }
