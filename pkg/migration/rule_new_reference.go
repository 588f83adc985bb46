package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func newReference() Rule {
	return Rule{
		ID: "new-reference", Class: BreaksLater, Title: "makes new rows refer to a table of the old version",
		Why:    "Once the new version has written such a row, the old one can't delete the row that it refers to, or change its key; with ON DELETE CASCADE it deletes what it doesn't know.",
		Remedy: "see what the old version deletes from the table; leave the foreign key to a later release if that may hurt",
		Source: "reasoned from PostgreSQL's manual, Foreign Keys, and tried on it",
		Old:    "DELETE FROM customers WHERE id = 2",
		Bad:    "SET lock_timeout = '2s';\nCREATE TABLE addresses (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
		Good:   "CREATE TABLE addresses (id bigint PRIMARY KEY, customer_id bigint);",
		Examine: func(s *scene) []Finding {
			var table statement.Name
			var constraints []statement.Constraint
			switch action := s.change.Action.(type) {
			case statement.CreateTable:
				table, constraints = action.Table, constraintsOf(action)
			case statement.AddColumn:
				table, constraints = action.Table, action.Column.Constraints
			case statement.AddConstraint:
				if !s.fresh(action.Table) && s.binds(action.Table, action.Constraint) {
					return nil // add-constraint tells it
				}
				table, constraints = action.Table, []statement.Constraint{action.Constraint}
			}
			var findings []Finding
			for _, constraint := range constraints {
				parent := constraint.References
				if constraint.Kind != statement.ForeignKey || s.fresh(parent) || constraint.NotEnforced || parent == table {
					continue
				}
				effect := "a delete from " + parent.String() + " by the old version fails (23503) once the new one refers to the row"
				if constraint.OnDelete != "" {
					effect = "a delete from " + parent.String() + " by the old version also changes what the new one wrote (" + constraint.OnDelete + ")"
				}
				findings = append(findings, s.found("rows of %s refer to %s", table, parent).breaks("%s", effect))
			}
			return findings
		},
	}
}
