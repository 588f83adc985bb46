package migration

import (
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func addConstraint() Rule {
	return Rule{
		ID: "add-constraint", Class: BreaksAtOnce, Title: "demands more of what is written to a table",
		Why: "A constraint holds for the old version too, and NOT VALID only spares the rows that are there. " +
			"On a column that this release adds, the old version writes nothing, so a comparison with it refuses nothing; IS NOT NULL, OR and coalesce may. " +
			"Where such a column has a default, that is what the old version writes.",
		Remedy: "let this release write what fits, and add the constraint in a later one, when no version that may come back writes anything else",
		Source: "that NOT VALID refuses new rows was tried on PostgreSQL; squawk constraint-missing-not-valid; atlas MF101",
		Old:    "INSERT INTO orders (id, quantity) VALUES (9001, 0)",
		Bad:    "ALTER TABLE orders ADD CONSTRAINT orders_some CHECK (quantity > 0) NOT VALID;",
		Good: `SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN weight integer;
ALTER TABLE orders ADD CONSTRAINT orders_weight CHECK (weight > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_weight;`,
		Examine: func(s *scene) []Finding {
			table, what := s.demanded()
			if what == "" {
				return nil
			}
			return one(s.found("%s demands %s", table, what).
				breaks("a write of the old version that does not fit fails at once (23xxx), and so does one after a rollback"))
		},
	}
}

// demanded is what a change asks of the old version's writes, and of which
// table or domain.
func (s *scene) demanded() (table, what string) {
	switch action := s.change.Action.(type) {
	case statement.AddConstraint:
		if !s.fresh(action.Table) && s.binds(action.Table, action.Constraint) {
			return action.Table.String(), demand(action.Constraint)
		}
	case statement.CreateIndex:
		if action.Unique && !s.fresh(action.Table) {
			constraint := statement.Constraint{Kind: statement.Unique, Columns: action.Columns, NullsNotDistinct: action.NullsNotDistinct}
			if s.binds(action.Table, constraint) {
				return action.Table.String(), demand(constraint)
			}
		}
	case statement.SetDefault:
		if constraint, is := s.bound(action); is {
			return action.Table.String(), demand(constraint)
		}
	case statement.AlterDomain:
		if action.Constraint != nil && !s.freshObject("domain", action.Domain) {
			return "domain " + action.Domain.String(), demand(*action.Constraint)
		}
	}
	return "", ""
}

// bound is the constraint of this release that a default has refuse what the old
// version writes, which leaves the column out: without the default that was let pass.
func (s *scene) bound(action statement.SetDefault) (constraint statement.Constraint, is bool) {
	before := s.schema.table(action.Table)
	column := before.columns[action.Column]
	if before.fresh || column == nil || !column.fresh {
		return constraint, false
	}
	changed := column.defaulting(action.Default)
	after := &table{columns: maps.Clone(before.columns)}
	after.columns[action.Column] = &changed
	demands := maps.Clone(before.demands)
	for name, known := range s.schema.indexes {
		if known.fresh && known.unique && known.table == s.schema.key(action.Table) {
			demands["index "+name] = statement.Constraint{Kind: statement.Unique, Columns: known.columns}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(demands)) {
		if constraint := demands[name]; constraint.UsingIndex == "" && !before.binds(constraint) && after.binds(constraint) {
			return constraint, true
		}
	}
	return constraint, false
}

// binds reports whether a constraint may refuse what the old version writes.
func (s *scene) binds(table statement.Name, constraint statement.Constraint) bool {
	if constraint.UsingIndex != "" { // that it is unique was told of the index
		done, _ := s.addedWork(statement.AddConstraint{Table: table, Constraint: constraint})
		return done == scans && !constraint.NotEnforced
	}
	return s.schema.table(table).binds(constraint)
}

// binds reports whether a constraint that is made from no index may refuse what the
// old version writes. What it says of columns that the old version doesn't know binds
// it only if it may not be left out: null fits every key, reference and comparison.
func (t *table) binds(constraint statement.Constraint) bool {
	switch {
	case constraint.NotEnforced:
		return false
	case constraint.Kind == statement.NotNull && len(constraint.Columns) == 1:
		column := t.column(constraint.Columns[0])
		return !column.notNull && (!column.fresh || !column.filled)
	case constraint.Kind == statement.PrimaryKey:
		return !slices.ContainsFunc(constraint.Columns, func(name string) bool { return t.column(name).fresh && t.column(name).filled })
	}
	if constraint.Check != nil {
		if name := constraint.Check.ProvesNotNull(); name != "" {
			column := t.column(name)
			return !column.notNull && (!column.fresh || !column.filled)
		}
		return !t.spares(constraint.Check)
	}
	optional := slices.ContainsFunc(constraint.Columns, func(name string) bool {
		column := t.columns[name]
		return column != nil && column.fresh && !column.filled
	})
	return !optional || constraint.NullsNotDistinct
}

func demand(constraint statement.Constraint) string {
	columns := strings.Join(constraint.Columns, ", ")
	if constraint.UsingIndex != "" {
		return "that no column of index " + constraint.UsingIndex + " is null"
	}
	switch constraint.Kind {
	case statement.Check:
		return "that " + constraint.Check.String()
	case statement.ForeignKey:
		return "that " + columns + " is found in " + constraint.References.String()
	case statement.NotNull:
		return "that " + columns + " is not null"
	case statement.Exclude:
		return "that no two rows overlap"
	default:
		return "that " + columns + " is unique"
	}
}
