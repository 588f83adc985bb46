package statement

import "slices"

// Through is what a view shows of one table, where PostgreSQL reads and writes
// the table through it, every row of it.
type Through struct {
	Table Name
	// Everything: each column that the table has when the view is made, by its
	// own name.
	Everything bool
	// Columns are those that are shown, where not all are.
	Columns []Shown
}

// Shown is a column of a table, and the name that a view gives it.
type Shown struct{ Column, As string }

// Through reads a view that is a list of the columns of one table. One that is
// more may take no writes, or not show every row; why completes "the view …" then.
func (v CreateView) Through() (through Through, why string) {
	switch {
	case v.Materialized:
		return Through{}, "is a materialized one, which takes no writes"
	case v.Temporary:
		return Through{}, "is a temporary one, which no other session sees"
	case v.Recursive:
		return Through{}, "is a recursive one, which takes no writes"
	}
	r := &reader{tokens: v.Query}
	through = r.through()
	if !r.done() {
		r.fail("%s is not understood here", r.here())
	}
	switch {
	case r.problem != "":
		return Through{}, "is more than a list of the columns of one table: " + r.problem
	case len(v.Columns) > len(through.Columns): // which are also those that * stands for
		return Through{}, "names columns by their order alone"
	}
	for i, name := range v.Columns {
		through.Columns[i].As = name
	}
	return through, ""
}

// through reads SELECT * or a list of columns FROM one table.
func (r *reader) through() Through {
	var through Through
	r.expect("select")
	r.accept("all")
	for {
		shown, everything := r.shownColumn()
		if everything {
			through.Everything = true
			break
		}
		through.Columns = append(through.Columns, shown)
		if !r.accept(",") {
			break
		}
	}
	if through.Everything && len(through.Columns) > 0 {
		r.fail("* stands beside other columns")
	}
	r.expect("from")
	if r.comes("only") {
		r.fail("ONLY leaves out rows")
	}
	through.Table = r.name()
	if r.accept("as") || r.peek().isName() && !r.done() {
		r.identifier()
	}
	return through
}

// shownColumn reads one column of a list, or the * that stands for all.
func (r *reader) shownColumn() (shown Shown, everything bool) {
	if r.accept("*") {
		return Shown{}, true
	}
	if token := r.peek(); !token.isName() || token.isValue() {
		r.fail("%s is no column", r.here())
	}
	shown.Column = r.identifier()
	for r.accept(".") { // the table before it
		if r.accept("*") {
			return Shown{}, true
		}
		shown.Column = r.identifier()
	}
	shown.As = shown.Column
	if r.accept("as") || r.peek().isName() && !r.done() {
		shown.As = r.identifier()
	}
	return shown, false
}

// isValue reports whether a word is a value by itself, and so no column.
func (t Token) isValue() bool {
	return t.Kind == Word && slices.Contains([]string{"null", "true", "false", "user", "current_catalog", "current_date", "current_role", "current_schema",
		"current_user", "session_user", "system_user"}, t.Value)
}

// Behind is the column that is shown by a name of those that are listed, ""
// where none is.
func (t Through) Behind(name string) string {
	for _, shown := range t.Columns {
		if shown.As == name {
			return shown.Column
		}
	}
	return ""
}
