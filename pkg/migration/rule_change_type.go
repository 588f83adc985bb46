package migration

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func changeType() Rule {
	return Rule{
		ID: "change-type", Class: BreaksAtOnce, Title: "changes the type of a column, or its collation",
		Why: "The old version's prepared statements that return the column fail, and it may not read what the new type holds. " +
			"Most changes write the whole table anew while nobody can read it.",
		Remedy: "add a column of the new type, write both, fill the new one, read it, and drop the old one in a later release",
		Source: "squawk changing-column-type; strong_migrations, Changing the type of a column; cached plan must not change result type was tried on PostgreSQL",
		Old:    "SELECT quantity FROM orders WHERE id = 1",
		Bad:    "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN quantity_wide bigint;",
		Examine: func(s *scene) []Finding {
			action, converted, from := s.converted()
			if action == nil || converted.widens {
				return nil
			}
			wantedType := collated(action.Type, action.Collation)
			table, old, wanted := action.Table.Quote(), statement.Quote(action.Column), statement.Quote(action.Column+"_new")
			return one(s.found("column %s of %s goes from %s to %s", action.Column, action.Table, from, wantedType).
				breaks("the old version's prepared statements that return it fail (0A000, cached plan must not change result type), and it may not read what the new type holds").
				safe(slices.Concat([]string{
					fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s; -- this release writes both", table, wanted, wantedType),
					fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS NULL; -- in parts", table, wanted, computed(*action), wanted),
					"-- a later release, when no version that may come back uses " + action.Column,
				}, s.schema.table(action.Table).column(action.Column).carried(wanted), []string{
					fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, old),
				})...))
		},
	}
}

// computed is what a column of the new type is filled with. What calls a function
// may give it a key, so its strings are not told.
func computed(action statement.AlterType) string {
	switch {
	case action.Using == nil:
		return statement.Quote(action.Column)
	case len(action.Using.Calls()) > 0:
		return action.Using.String()
	}
	return action.Using.SQL()
}

// carried says what else of a column goes over to the one that takes its place,
// nothing where it surely has nothing else. In the release before, a default would
// stand for what the old version writes to the old column alone.
func (c *column) carried(to string) []string {
	switch {
	case !c.known:
		return []string{"-- with the NOT NULL and the DEFAULT that it may have, which " + to + " gets first"}
	case c.notNull && c.filled:
		return []string{"-- with its NOT NULL and its DEFAULT, which " + to + " gets first"}
	case c.notNull:
		return []string{"-- with its NOT NULL, which " + to + " gets first"}
	case c.filled:
		return []string{"-- with its DEFAULT, which " + to + " gets first"}
	}
	return nil
}

func widenType() Rule {
	return Rule{
		ID: "widen-type", Class: BreaksLater, Title: "lets a column hold more than before",
		Why: "No row is touched, but the old version may not take what the new one writes, its prepared statements that return the column " +
			"fail once, and the way back is closed as soon as a longer value is there.",
		Remedy: "let the new version write no more than the old one takes, until the old one can't come back; let the old one's pools reconnect",
		Source: "even varchar(10) to varchar(20) breaks a prepared SELECT of the column, tried on PostgreSQL",
		Old:    "SELECT note FROM orders WHERE id = 1",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN note TYPE varchar(40);",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN note_long text;",
		Examine: func(s *scene) []Finding {
			action, converted, from := s.converted()
			if action == nil || !converted.widens || from == collated(action.Type, action.Collation) {
				return nil
			}
			return one(s.found("column %s of %s goes from %s to %s", action.Column, action.Table, from, action.Type).
				breaks("the old version may not take the longer values that the new one writes; its prepared statements that return the column fail until they are prepared again (0A000)"))
		},
	}
}

// converted is a change of the type of a column that the old version knows,
// nil for every other change; from is the type before.
func (s *scene) converted() (action *statement.AlterType, to conversion, from string) {
	change, is := s.change.Action.(statement.AlterType)
	if !is || s.freshColumn(change.Table, change.Column) {
		return nil, conversion{}, ""
	}
	known := s.schema.table(change.Table).column(change.Column)
	from = "a type that is not known"
	if known.known {
		from = collated(known.typ, known.collation)
	}
	return &change, known.convert(change), from
}

// collated is a type with a collation that is not its own.
func collated(typ statement.Type, collation statement.Name) string {
	if collation.Name == "" {
		return typ.String()
	}
	return typ.String() + " COLLATE " + collation.Quote()
}
