package migration

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// apply records what a change leaves behind.
func (s *schema) apply(action statement.Action) {
	switch action := action.(type) {
	case statement.CreateTable:
		s.createTable(action)
	case statement.AddColumn:
		s.table(action.Table).add(action.Column, s.judging)
	case statement.DropColumn:
		delete(s.table(action.Table).columns, action.Column)
	case statement.AlterType:
		column := s.table(action.Table).column(action.Column)
		column.typ, column.known = action.Type, true
	case statement.SetDefault:
		s.table(action.Table).column(action.Column).filled = action.Default != nil
	case statement.SetNotNull:
		s.table(action.Table).column(action.Column).notNull = true
	case statement.DropNotNull:
		s.table(action.Table).column(action.Column).notNull = false
	case statement.AddConstraint:
		s.addConstraint(action)
	case statement.ValidateConstraint:
		if proof := s.table(action.Table).proofs[action.Constraint]; proof != nil {
			proof.validated = true
		}
	case statement.DropConstraint:
		delete(s.table(action.Table).proofs, action.Constraint)
	case statement.Set:
		if action.Name == "search_path" && action.Value != "" {
			s.path = action.Value
		}
	default:
		s.applyObject(action)
	}
}

func (s *schema) createTable(action statement.CreateTable) {
	key := s.key(action.Table)
	if _, exists := s.tables[key]; exists && action.IfNotExists {
		return
	}
	made := &table{name: action.Table.String(), fresh: s.judging, columns: map[string]*column{}, proofs: map[string]*proof{}}
	for _, column := range action.Columns {
		made.add(column, s.judging)
	}
	s.tables[key] = made
}

// add records a new column.
func (t *table) add(definition statement.Column, fresh bool) {
	t.columns[definition.Name] = &column{
		typ: definition.Type, known: true, fresh: fresh, notNull: definition.NotNull,
		filled: definition.Default != nil || definition.Identity || definition.Generated != nil || definition.Type.IsSerial(),
	}
}

func (s *schema) addConstraint(action statement.AddConstraint) {
	constraint := action.Constraint
	column := constraint.Check.ProvesNotNull()
	if constraint.Kind == statement.NotNull && len(constraint.Columns) == 1 {
		column = constraint.Columns[0]
	}
	if column == "" || constraint.NotEnforced {
		return
	}
	s.table(action.Table).proofs[constraint.Name] = &proof{column: column, validated: !constraint.NotValid, fresh: s.judging}
}

func (s *schema) applyObject(action statement.Action) {
	switch action := action.(type) {
	case statement.Rename:
		s.rename(action)
	case statement.SetSchema:
		if action.Kind == "table" {
			s.move(action.Object, statement.Name{Schema: action.Schema, Name: action.Object.Name})
		}
	case statement.Drop:
		switch action.Kind {
		case "table":
			delete(s.tables, s.key(action.Name))
		case "index":
			delete(s.indexes, s.key(action.Name))
		}
	case statement.CreateIndex:
		s.indexes[s.key(action.Name)] = &index{table: s.key(action.Table), columns: action.Columns, unique: action.Unique, fresh: s.judging}
	case statement.CreateFunction:
		s.functions[action.Name.Name] = action.Code
		if !action.Replace {
			s.made[objectKey("function", s.key(action.Name))] = s.judging
		}
	case statement.CreateView:
		if !action.Replace {
			s.made[objectKey("view", s.key(action.Name))] = s.judging
		}
	case statement.Create:
		s.made[objectKey(action.Kind, s.key(action.Name))] = s.judging
		if action.Kind == "domain" {
			s.domains[action.Name.Name] = true
		}
	}
}

// objectKey puts the kinds together that one DROP or another names.
func objectKey(kind, name string) string {
	switch kind {
	case "materialized view":
		kind = "view"
	case "procedure", "routine":
		kind = "function"
	case "domain":
		kind = "type"
	}
	return kind + " " + name
}

func (s *schema) rename(action statement.Rename) {
	switch action.Kind {
	case "table":
		s.move(action.Object, statement.Name{Schema: action.Object.Schema, Name: action.To})
	case "column":
		columns := s.table(action.Object).columns
		if columns[action.Part] != nil {
			columns[action.To] = columns[action.Part]
			delete(columns, action.Part)
		}
	}
}

// move gives a table another name.
func (s *schema) move(from, to statement.Name) {
	moved := s.table(from)
	delete(s.tables, s.key(from))
	moved.name = to.String()
	s.tables[s.key(to)] = moved
}
