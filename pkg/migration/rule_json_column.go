package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func jsonColumn() Rule {
	return Rule{
		ID: "json-column", Class: BreaksAtOnce, Title: "adds a column of type json",
		Why:    "json has no equality, so every SELECT DISTINCT, GROUP BY or UNION over all columns of the table fails from then on, in queries that never name the column.",
		Remedy: "use jsonb",
		Source: "strong_migrations, Adding a json column",
		Old:    "SELECT DISTINCT * FROM carts",
		Bad:    "ALTER TABLE carts ADD COLUMN extra json;",
		Good:   "CREATE TABLE cart_extras (cart_id bigint PRIMARY KEY, extra jsonb);",
		Examine: func(s *scene) []Finding {
			add, is := s.change.Action.(statement.AddColumn)
			if !is || s.fresh(add.Table) || add.Column.Type.Name != "json" {
				return nil
			}
			return one(s.found("column %s of %s is json", add.Column.Name, add.Table).
				breaks("a query of the old version that compares whole rows (SELECT DISTINCT *, UNION) fails at once (42883)").
				safe("ALTER TABLE " + add.Table.Quote() + " ADD COLUMN " + statement.Quote(add.Column.Name) + " jsonb;"))
		},
	}
}
