package migration

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func renameTable() Rule {
	return Rule{
		ID: "rename-table", Class: BreaksAtOnce, Title: "renames a table, or moves it to another schema",
		Why: "The old version uses the old name. A view of that name, made in the same transaction, keeps its queries working, those too " +
			"that it has prepared, if it shows every column and PostgreSQL writes through it: SELECT *, or a list of plain columns, of that table " +
			"alone, without DISTINCT, WHERE, LIMIT and their like. What is more than a plain query (ON CONFLICT, LOCK TABLE, COPY) needs a look.",
		Remedy: "leave a view of the old name, made in the same transaction, and drop it in a later release",
		Source: "strong_migrations, Renaming a table; PostgreSQL's manual, Updatable Views; that prepared statements live on behind a view was tried on PostgreSQL",
		Old:    "SELECT note FROM carts WHERE id = 1",
		Bad:    "ALTER TABLE carts RENAME TO baskets;",
		Good: `BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE carts RENAME TO baskets;
CREATE VIEW carts AS SELECT * FROM baskets;
GRANT SELECT, INSERT, UPDATE, DELETE ON carts TO app;
COMMIT;`,
		Examine: func(s *scene) []Finding {
			name, to := movedTable(s.change.Action)
			if name.Name == "" || s.fresh(name) {
				return nil
			}
			found := s.found("table %s becomes %s", name, to).
				breaks("every query of the old version on it fails at once (42P01), and so does a rollback")
			if view, viewed := s.viewed(name); viewed {
				misses := s.misses(view, name, to)
				if misses == "" {
					found.Level = Warn
					found.Remedy = "see that the view has the same rights, and that the old version does no more than query and write through it"
					return one(found.breaks("the old version goes through the view: plain queries and writes work, ON CONFLICT and LOCK TABLE may not"))
				}
				found.Remedy = "let the view be SELECT * of the new name, or list every column of it, and nothing else"
				found = found.breaks("the old version goes through the view %s, which %s: its queries or writes may fail at once, or miss something, and so after a rollback", view.Name, misses)
			}
			return one(found.safe(
				"BEGIN;", "SET LOCAL lock_timeout = '2s';", s.text(),
				fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM %s;", name.Quote(), to.Quote()),
				fmt.Sprintf("-- and the rights of %s on the view", name), "COMMIT;"))
		},
	}
}

// movedTable is a table that gets another name, and that name.
func movedTable(action statement.Action) (from, to statement.Name) {
	switch action := action.(type) {
	case statement.Rename:
		if action.Kind == "table" {
			return action.Object, statement.Name{Schema: action.Object.Schema, Name: action.To}
		}
	case statement.SetSchema:
		if action.Kind == "table" {
			return action.Object, statement.Name{Schema: action.Schema, Name: action.Object.Name}
		}
	}
	return statement.Name{}, statement.Name{}
}

// misses is what a view that takes the old name of a table does not show or take
// of what the old version knew, as it completes "the view …"; "" for nothing.
func (s *scene) misses(view statement.CreateView, from, to statement.Name) string {
	through, why := view.Through()
	switch {
	case why != "":
		return why
	case s.schema.key(through.Table) != s.schema.key(to):
		return fmt.Sprintf("shows %s, and not %s", through.Table, to)
	case through.Everything:
		return ""
	}
	var left []string
	table := s.schema.table(from)
	for _, name := range slices.Sorted(maps.Keys(table.columns)) {
		behind := through.Behind(name)
		switch {
		case table.columns[name].fresh:
		case behind == "":
			left = append(left, name)
		case behind != name && table.columns[behind] != nil:
			return fmt.Sprintf("shows %s by the name %s", behind, name)
		}
	}
	switch {
	case len(left) > 0:
		return "leaves out " + strings.Join(left, ", ")
	case !table.whole:
		return fmt.Sprintf("lists columns, and whether that is all that %s had is not known from the migrations that were read (SELECT * shows them all)", from)
	}
	return ""
}
