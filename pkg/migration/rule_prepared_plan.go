package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

const rulePreparedPlan = "prepared-plan"

func preparedPlan() Rule {
	return Rule{
		ID: rulePreparedPlan, Class: NeedsReview, Title: "changes what SELECT * or RETURNING * of a table gives",
		Why: "Only an old version that runs a prepared SELECT * or RETURNING * is hurt, which no file shows. Such a statement fails with \"cached plan must not change result type\" when it is run again, once a connection, " +
			"and inside a transaction that is lost with it. Statements that name their columns are not touched.",
		Remedy: "where the old version names its columns in every query, there is nothing to do; else let it do so first, or let its pools reconnect after the migration",
		Source: "tried on PostgreSQL 12 to 18; no linter tells it",
		Old:    "SELECT * FROM carts WHERE id = 1",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE carts ADD COLUMN remark text;",
		Good:   "CREATE TABLE cart_remarks (cart_id bigint PRIMARY KEY, remark text);",
		Examine: func(s *scene) []Finding {
			var table statement.Name
			switch action := s.change.Action.(type) {
			case statement.AddColumn:
				table = action.Table
			case statement.DropColumn:
				if !s.freshColumn(action.Table, action.Column) {
					table = action.Table
				}
			default:
				return nil
			}
			if table.Name == "" || s.fresh(table) {
				return nil
			}
			return one(s.found("a SELECT * or RETURNING * on %s gives other columns than before", table).
				breaks("one that the old version has prepared fails once a connection (0A000); queries that name their columns don't"))
		},
	}
}
