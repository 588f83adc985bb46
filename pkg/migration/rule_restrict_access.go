package migration

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func restrictAccess() Rule {
	return Rule{
		ID: "restrict-access", Class: BreaksAtOnce, Title: "takes rights away, or hides rows",
		Why:    "Both versions use the same roles more often than not: what is revoked from one is revoked from the other, and row security hides rows without an error.",
		Remedy: "give the new version a role of its own, and take rights away in a later release",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Old:    "SELECT note FROM carts WHERE id = 1",
		Bad:    "REVOKE SELECT ON carts FROM app;",
		Good: `GRANT SELECT ON carts TO app;
CREATE FUNCTION revenue() RETURNS numeric LANGUAGE sql SECURITY DEFINER AS $$ SELECT sum(total) FROM orders $$;
REVOKE ALL ON FUNCTION revenue() FROM PUBLIC;`,
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.Revoke:
				known := func(object statement.Object) bool { return !s.freshNamed(object) }
				if len(action.Objects) > 0 && !slices.ContainsFunc(action.Objects, known) {
					return nil
				}
				return one(s.found("rights are revoked: %s", compact(action.Text)).
					breaks("a query of the old version that needs them fails at once (42501), and so does a rollback"))
			case statement.RowSecurity:
				if action.Strict && !s.fresh(action.Table) {
					return one(s.found("row security is put on %s", action.Table).
						breaks("the old version sees and changes at once only those rows that a policy lets it, without an error"))
				}
			case statement.Policy:
				if !s.fresh(action.Table) {
					return one(s.found("policy %s of %s decides anew which rows are seen", action.Name, action.Table).
						breaks("the old version may see other rows at once, without an error"))
				}
			case statement.Drop:
				if action.Kind == "policy" && !s.fresh(action.Table) {
					return one(s.found("policy %s of %s is dropped", action.Name, action.Table).
						breaks("the old version may see other rows at once, without an error"))
				}
			}
			return nil
		},
	}
}
