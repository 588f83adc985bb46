package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

// unknownPath is no schema's name: where names without one are isn't known.
const unknownPath = "?"

// doubt records what may have happened, in a branch of code. What is new stays
// so, whether it is still there or not; of what is old no more is known than
// holds both ways.
func (s *schema) doubt(action statement.Action) {
	switch action := action.(type) {
	case statement.Drop:
		switch action.Kind {
		case "table":
			s.doubtTable(action.Name)
		case "function", "procedure", "routine", "aggregate":
			s.forgetRoutine(action.Named())
		}
	case statement.DropColumn:
		s.doubtColumn(action.Table, action.Column)
	case statement.DropConstraint:
		remove(s.journal, s.record(action.Table).proofs, action.Constraint)
	case statement.Rename:
		if action.Kind == "column" {
			s.doubtColumn(action.Object, action.Part)
			s.doubtColumn(action.Object, action.To)
			return
		}
		s.doubtName(action.Named(), statement.Name{Schema: action.Object.Schema, Name: action.To})
	case statement.SetSchema:
		s.doubtName(action.Named(), statement.Name{Schema: action.Schema, Name: action.Object.Name})
	case statement.Set:
		if action.Name == "search_path" || action.Everything {
			assign(s.journal, &s.path, unknownPath)
		}
	default:
		if !s.judging { // as all that was applied before, it is taken to be what the migrations say
			s.alter(action)
			return
		}
		s.doubtAlteration(action)
	}
}

// doubtTable forgets a table that is not new.
func (s *schema) doubtTable(name statement.Name) {
	key := s.key(name)
	remove(s.journal, s.gone, objectKey("table", key))
	if known := s.tables[key]; known != nil && !known.fresh {
		remove(s.journal, s.tables, key)
	}
}

// doubtColumn forgets all of a column that is not new, but that there may be one.
func (s *schema) doubtColumn(table statement.Name, name string) {
	columns := s.record(table).columns
	remove(s.journal, s.gone, s.columnKey(table, name))
	if known := columns[name]; known == nil || !known.fresh {
		put(s.journal, columns, name, &column{})
	}
}

// doubtName is for an object that may have got another name.
func (s *schema) doubtName(from statement.Object, name statement.Name) {
	to := from
	to.Name = name
	remove(s.journal, s.gone, s.named(to))
	switch {
	case from.Kind == "table":
		s.doubtTable(from.Name)
		s.doubtTable(name)
	case from.Arguments != nil:
		s.forgetRoutine(from)
	}
}

// doubtAlteration leaves of a column what a rule may rely on both ways.
func (s *schema) doubtAlteration(action statement.Action) {
	switch action := action.(type) {
	case statement.AlterType:
		column := s.columnRecord(action.Table, action.Column)
		assign(s.journal, &column.known, false)
		assign(s.journal, &column.fresh, false)
	case statement.SetDefault:
		column := s.columnRecord(action.Table, action.Column)
		assign(s.journal, &column.filled, true)
		assign(s.journal, &column.fresh, false)
	case statement.SetNotNull:
		assign(s.journal, &s.columnRecord(action.Table, action.Column).fresh, false)
	case statement.DropNotNull:
		assign(s.journal, &s.columnRecord(action.Table, action.Column).notNull, false)
	}
}
