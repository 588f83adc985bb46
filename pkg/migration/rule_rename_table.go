package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func renameTable() Rule {
	return Rule{
		ID: "rename-table", Class: BreaksAtOnce, Title: "renames a table, or moves it to another schema",
		Why: "The old version uses the old name. A view of that name, made in the same transaction, keeps its queries working, those too " +
			"that it has prepared; what is more than a plain query (ON CONFLICT, LOCK TABLE, COPY) needs a look.",
		Remedy: "leave a view of the old name, made in the same transaction, and drop it in a later release",
		Source: "strong_migrations, Renaming a table; that prepared statements live on behind a view was tried on PostgreSQL",
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
			found := s.found("table %s becomes %s", name, to)
			if s.viewed(name) {
				found.Level = Warn
				found.Remedy = "see that the view has the same rights, and that the old version does no more than query and write through it"
				return one(found.breaks("the old version goes through the view: plain queries and writes work, ON CONFLICT and LOCK TABLE may not"))
			}
			return one(found.breaks("every query of the old version on it fails at once (42P01), and so does a rollback").safe(
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
