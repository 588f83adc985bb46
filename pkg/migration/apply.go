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
		s.addColumn(action)
	case statement.DropColumn:
		delete(s.table(action.Table).columns, action.Column)
		s.gone[s.columnKey(action.Table, action.Column)] = true
	case statement.AlterType:
		column := s.table(action.Table).column(action.Column)
		column.typ, column.collation, column.known = action.Type, action.Collation, true
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
	maybe := action.IfNotExists && !action.Temporary && !s.takeGone(objectKey("table", key))
	made := &table{name: action.Table.String(), fresh: s.judging && !maybe, columns: map[string]*column{}, proofs: map[string]*proof{}}
	made.whole = !maybe && !action.Borrows && action.Query == nil && action.PartitionOf.Name == "" && len(action.Inherits) == 0
	for _, column := range action.Columns {
		made.columns[column.Name] = s.newColumn(column, maybe)
	}
	s.tables[key] = made
}

func (s *schema) addColumn(action statement.AddColumn) {
	table := s.table(action.Table)
	_, exists := table.columns[action.Column.Name]
	if exists && action.IfNotExists {
		return
	}
	gone := s.takeGone(s.columnKey(action.Table, action.Column.Name))
	table.columns[action.Column.Name] = s.newColumn(action.Column, action.IfNotExists && !gone && !table.whole)
}

// newColumn is a column as it is made, or, with IF NOT EXISTS, as it may have
// been there in another shape.
func (s *schema) newColumn(definition statement.Column, maybe bool) *column {
	made := &column{
		typ: definition.Type, collation: definition.Collation, known: true, fresh: s.judging && !maybe, notNull: definition.NotNull,
		computed: definition.Generated != nil,
		filled:   definition.Default != nil || definition.Identity || definition.Generated != nil || definition.Type.IsSerial(),
	}
	if s.judging && maybe {
		return &column{supposed: made}
	}
	return made
}

// takeGone reports whether an object was dropped, for one that takes its place.
// Nothing else proves that IF NOT EXISTS made it.
func (s *schema) takeGone(key string) bool {
	gone := s.gone[key]
	delete(s.gone, key)
	return gone
}

// columnKey is a column among what is gone.
func (s *schema) columnKey(table statement.Name, name string) string {
	return objectKey("column", s.key(table)+"."+name)
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
		s.drop(action)
	case statement.CreateIndex:
		s.createIndex(action)
	case statement.CreateFunction:
		s.functions[action.Name.Name] = action.Code
		s.makes("function", action.Name, action.Replace)
		s.makes("function", withArguments(action.Name, action.Arguments), action.Replace)
	case statement.CreateView:
		s.makes("view", action.Name, action.Replace || action.IfNotExists)
	case statement.Create:
		s.makes(action.Kind, action.Name, action.IfNotExists)
		if action.Kind == "domain" {
			s.domains[action.Name.Name] = true
		}
	}
}

// makes records an object that may have been there before, where OR REPLACE or
// IF NOT EXISTS says so.
func (s *schema) makes(kind string, name statement.Name, maybe bool) {
	if name.Name == "" { // one whose name is not read is told from no other
		return
	}
	key := objectKey(kind, s.key(name))
	if gone := s.takeGone(key); gone || !maybe {
		s.made[key] = s.judging
	}
}

func (s *schema) drop(action statement.Drop) {
	key := s.key(action.Name)
	switch action.Kind {
	case "table":
		delete(s.tables, key)
	case "index":
		delete(s.indexes, key)
	case "trigger", "rule", "policy": // whose names are those of a table
		return
	case "function", "procedure", "routine", "aggregate": // of which others of the name may be left
		return
	}
	delete(s.made, objectKey(action.Kind, key))
	s.gone[objectKey(action.Kind, key)] = true
}

func (s *schema) createIndex(action statement.CreateIndex) {
	key := s.key(action.Name)
	if _, exists := s.indexes[key]; exists && action.IfNotExists {
		return
	}
	gone := s.takeGone(objectKey("index", key))
	s.indexes[key] = &index{
		table: s.key(action.Table), columns: action.Columns, unique: action.Unique, fresh: s.judging && (gone || !action.IfNotExists),
	}
}

// withArguments is the name of one function among others.
func withArguments(name statement.Name, arguments string) statement.Name {
	name.Name += "(" + arguments + ")"
	return name
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
		delete(s.gone, s.columnKey(action.Object, action.To))
	default:
		delete(s.gone, objectKey(action.Kind, s.key(statement.Name{Schema: action.Object.Schema, Name: action.To})))
	}
}

// move gives a table another name.
func (s *schema) move(from, to statement.Name) {
	moved := s.table(from)
	delete(s.tables, s.key(from))
	moved.name = to.String()
	delete(s.gone, objectKey("table", s.key(to)))
	s.tables[s.key(to)] = moved
}
