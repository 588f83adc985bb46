package migration

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// apply records what a change leaves behind.
func (s *schema) apply(change statement.Change) {
	if s.make(change.Action, change.Conditional()) {
		return
	}
	if change.Conditional() {
		s.doubt(change.Action)
		return
	}
	s.alter(change.Action)
}

// make records what an action makes, and reports whether it is one that does.
func (s *schema) make(action statement.Action, conditional bool) bool {
	switch action := action.(type) {
	case statement.CreateTable:
		s.createTable(action, conditional)
	case statement.AddColumn:
		s.addColumn(action, conditional)
	case statement.CreateIndex:
		s.createIndex(action, conditional)
	case statement.CreateFunction:
		put(s.journal, s.functions, action.Name.Name, action.Code)
		s.makes(action.Named(), action.Replace || conditional)
		s.makes(statement.Object{Kind: action.Kind, Name: action.Name}, action.Replace || conditional)
	case statement.CreateView:
		s.makes(statement.Object{Kind: "view", Name: action.Name}, action.Replace || action.IfNotExists || conditional)
	case statement.Create:
		s.makes(statement.Object{Kind: action.Kind, Name: action.Name}, action.IfNotExists || conditional)
		if action.Kind == "domain" {
			put(s.journal, s.domains, action.Name.Name, true)
		}
	default:
		return false
	}
	return true
}

// alter records what an action makes of what is there.
func (s *schema) alter(action statement.Action) {
	switch action := action.(type) {
	case statement.DropColumn:
		remove(s.journal, s.record(action.Table).columns, action.Column)
		put(s.journal, s.gone, s.columnKey(action.Table, action.Column), true)
	case statement.AlterType:
		column := s.columnRecord(action.Table, action.Column)
		assign(s.journal, &column.typ, action.Type)
		assign(s.journal, &column.collation, action.Collation)
		assign(s.journal, &column.known, true)
	case statement.SetDefault:
		column := s.columnRecord(action.Table, action.Column)
		assign(s.journal, column, column.defaulting(action.Default))
	case statement.SetNotNull:
		assign(s.journal, &s.columnRecord(action.Table, action.Column).notNull, true)
	case statement.DropNotNull:
		assign(s.journal, &s.columnRecord(action.Table, action.Column).notNull, false)
	case statement.AddConstraint:
		s.addConstraint(action)
	case statement.ValidateConstraint:
		if proof := s.table(action.Table).proofs[action.Constraint]; proof != nil {
			assign(s.journal, &proof.validated, true)
		}
	case statement.DropConstraint:
		remove(s.journal, s.record(action.Table).proofs, action.Constraint)
		remove(s.journal, s.record(action.Table).demands, action.Constraint)
	case statement.Rename:
		s.rename(action)
	case statement.SetSchema:
		s.moveObject(action.Named(), statement.Name{Schema: action.Schema, Name: action.Object.Name})
	case statement.Drop:
		s.drop(action)
	case statement.Set:
		if action.Name == "search_path" || action.Everything {
			assign(s.journal, &s.path, cmp.Or(action.Value, usualPath))
		}
	}
}

// isNew reports whether what is made surely wasn't there before. PostgreSQL
// makes nothing twice; where IF NOT EXISTS, OR REPLACE or a branch of code lets
// it be, only that it was dropped before proves it.
func (s *schema) isNew(key string, maybe bool) bool {
	gone := s.gone[key]
	remove(s.journal, s.gone, key)
	return gone || !maybe
}

func (s *schema) createTable(action statement.CreateTable, conditional bool) {
	key := s.key(action.Table)
	if _, exists := s.tables[key]; exists && (action.IfNotExists || conditional) {
		return
	}
	isNew := s.isNew(objectKey("table", key), action.IfNotExists && !action.Temporary || conditional)
	made := newTable(action.Table)
	made.fresh = s.judging && isNew
	made.whole = isNew && !action.Borrows && action.Query == nil && action.PartitionOf.Name == "" && len(action.Inherits) == 0
	made.supposed = s.judging && !isNew && !conditional && !s.speaksOf(action.Table.Name)
	s.supposes = s.supposes || made.supposed
	for _, column := range action.Columns {
		made.columns[column.Name] = s.newColumn(column, isNew)
	}
	for _, constraint := range action.Constraints {
		for _, name := range constraint.Columns {
			if column := made.columns[name]; constraint.Kind == statement.PrimaryKey && column != nil && column.known {
				column.notNull = true
			}
		}
	}
	put(s.journal, s.tables, key, made)
}

func (s *schema) addColumn(action statement.AddColumn, conditional bool) {
	table, maybe := s.record(action.Table), action.IfNotExists || conditional
	if _, exists := table.columns[action.Column.Name]; exists && maybe {
		return
	}
	isNew := s.isNew(s.columnKey(action.Table, action.Column.Name), maybe && !table.whole)
	put(s.journal, table.columns, action.Column.Name, s.newColumn(action.Column, isNew))
	for _, constraint := range action.Column.Constraints {
		s.demand(action.Table, constraint)
	}
}

// demand keeps a constraint that what is judged adds.
func (s *schema) demand(table statement.Name, constraint statement.Constraint) {
	if s.judging && !constraint.NotEnforced {
		demands := s.record(table).demands
		put(s.journal, demands, cmp.Or(constraint.Name, fmt.Sprint(len(demands), constraint.At)), constraint)
	}
}

// newColumn is a column as it is made, or, where it may not be new, as it may
// have been there in another shape.
func (s *schema) newColumn(definition statement.Column, isNew bool) *column {
	made := &column{
		typ: definition.Type, collation: definition.Collation, known: true, fresh: s.judging && isNew, notNull: definition.NotNull || isKey(definition),
		computed: definition.Generated != nil, usual: definition.Default,
		filled: definition.Default != nil && !definition.Default.IsNull() || definition.Identity || definition.Generated != nil || definition.Type.IsSerial(),
	}
	made.empty = !made.filled
	if s.judging && !isNew {
		return &column{supposed: made}
	}
	return made
}

// isKey reports whether a column is the primary key by itself, and so never null.
func isKey(definition statement.Column) bool {
	return slices.ContainsFunc(definition.Constraints, func(c statement.Constraint) bool { return c.Kind == statement.PrimaryKey })
}

// columnKey is a column among what is gone.
func (s *schema) columnKey(table statement.Name, name string) string {
	return objectKey("column", s.key(table)+"."+name)
}

func (s *schema) addConstraint(action statement.AddConstraint) {
	constraint := action.Constraint
	s.demand(action.Table, constraint)
	column := constraint.Check.ProvesNotNull()
	if constraint.Kind == statement.NotNull && len(constraint.Columns) == 1 {
		column = constraint.Columns[0]
	}
	if column == "" || constraint.NotEnforced {
		return
	}
	put(s.journal, s.record(action.Table).proofs, constraint.Name, &proof{column: column, validated: !constraint.NotValid, fresh: s.judging})
}

// makes records an object that is made, or may have been there before.
func (s *schema) makes(object statement.Object, maybe bool) {
	if object.Name.Name == "" { // one whose name is not read is told from no other
		return
	}
	key := s.named(object)
	if s.isNew(key, maybe) {
		put(s.journal, s.made, key, s.judging)
	}
}

func (s *schema) drop(action statement.Drop) {
	key := s.key(action.Name)
	switch action.Kind {
	case "table":
		remove(s.journal, s.tables, key)
	case "index":
		remove(s.journal, s.indexes, key)
	case "trigger", "rule", "policy": // whose names are those of a table
		return
	case "function", "procedure", "routine", "aggregate": // of which others of the name may be left
		s.forgetRoutine(action.Named())
		return
	}
	remove(s.journal, s.made, objectKey(action.Kind, key))
	put(s.journal, s.gone, objectKey(action.Kind, key), true)
}

func (s *schema) createIndex(action statement.CreateIndex, conditional bool) {
	key, maybe := s.key(action.Name), action.IfNotExists || conditional
	if _, exists := s.indexes[key]; exists && maybe {
		return
	}
	isNew := s.isNew(objectKey("index", key), maybe)
	put(s.journal, s.indexes, key, &index{table: s.key(action.Table), columns: action.Columns, unique: action.Unique, fresh: s.judging && isNew})
}

// forgetRoutine forgets that a function is new: its name alone is that of
// another one from now on, which may be old.
func (s *schema) forgetRoutine(object statement.Object) {
	remove(s.journal, s.made, s.named(object))
	object.Arguments = nil
	remove(s.journal, s.made, s.named(object))
}

// named is the key of an object that a statement names: of a function, with
// what tells it from others of the name where the statement says that.
func (s *schema) named(object statement.Object) string {
	key := s.key(object.Name)
	if object.Arguments != nil {
		key += "(" + *object.Arguments + ")"
	}
	return objectKey(object.Kind, key)
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
	case "column":
		columns := s.record(action.Object).columns
		if columns[action.Part] != nil {
			put(s.journal, columns, action.To, columns[action.Part])
			remove(s.journal, columns, action.Part)
		}
		remove(s.journal, s.gone, s.columnKey(action.Object, action.To))
	default:
		s.moveObject(action.Named(), statement.Name{Schema: action.Object.Schema, Name: action.To})
	}
}

// moveObject gives an object another name, under which it is as new as before.
func (s *schema) moveObject(from statement.Object, name statement.Name) {
	to := from
	to.Name = name
	remove(s.journal, s.gone, s.named(to))
	switch from.Kind {
	case "table":
		s.move(from.Name, name)
		return
	case "constraint", "attribute", "enum value", "trigger", "rule", "policy": // which are parts of another object
		return
	}
	isNew := s.made[s.named(from)]
	remove(s.journal, s.made, s.named(from))
	if from.Arguments != nil {
		s.forgetRoutine(from)
	}
	put(s.journal, s.made, s.named(to), isNew)
	put(s.journal, s.made, objectKey(to.Kind, s.key(name)), isNew) // by its name alone too
}

// move gives a table another name.
func (s *schema) move(from, to statement.Name) {
	moved := s.record(from)
	remove(s.journal, s.tables, s.key(from))
	assign(s.journal, &moved.name, to.String())
	remove(s.journal, s.gone, objectKey("table", s.key(to)))
	put(s.journal, s.tables, s.key(to), moved)
}
