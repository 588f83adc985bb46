package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func renameColumn() Rule {
	return Rule{
		ID: "rename-column", Class: BreaksAtOnce, Title: "renames a column",
		Why:    "The old version names the column as it was. There is no moment at which both names work, unless the table is behind a view.",
		Remedy: "add a column of the new name, write both, fill the new one, read it, and drop the old one in a later release",
		Source: "squawk renaming-column; strong_migrations, Renaming a column; atlas BC102",
		Old:    "SELECT note FROM carts WHERE id = 1",
		Bad:    "ALTER TABLE carts RENAME COLUMN note TO remark;",
		Good: `BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE carts RENAME TO baskets;
ALTER TABLE baskets RENAME COLUMN note TO remark;
CREATE VIEW carts AS SELECT id, remark AS note FROM baskets;
GRANT SELECT, INSERT, UPDATE, DELETE ON carts TO app;
COMMIT;`,
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.Rename)
			if !is || action.Kind != "column" || s.freshColumn(action.Object, action.Part) || s.freshObject("view", action.Object) {
				return nil
			}
			found := s.found("column %s of %s becomes %s", action.Part, action.Object, action.To)
			if behind := s.schema.table(action.Object).behind; behind.Name != "" {
				view, later := s.viewed(behind)
				through, _ := view.Through()
				if !later || through.Behind(action.Part) == action.To { // one that is there keeps the names of its columns
					found.Level = Warn
					found.Remedy = "see that the old version does no more than query and write through the view " + behind.String()
					return one(found.breaks("the old version goes through the view %s, which shows it by its old name", behind))
				}
				found.Remedy = fmt.Sprintf("list the columns in the view %s, and this one as %s AS %s", behind, statement.Quote(action.To), statement.Quote(action.Part))
				return one(found.breaks("the old version goes through the view %s, which does not show it by its old name: every query that names it fails at once (42703), and so does a rollback", behind))
			}
			table, old, wanted := action.Object.Quote(), statement.Quote(action.Part), statement.Quote(action.To)
			typ := "the type of " + action.Part
			if known := s.schema.table(action.Object).columns[action.Part]; known != nil && known.known {
				typ = known.typ.String()
			}
			return one(found.breaks("every query of the old version that names it fails at once (42703), and so does a rollback").safe(
				fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s; -- this release writes both", table, wanted, typ),
				fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS DISTINCT FROM %s; -- in parts", table, wanted, old, wanted, old),
				"-- a later release, when no version that may come back uses "+action.Part,
				fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, old)))
		},
	}
}
