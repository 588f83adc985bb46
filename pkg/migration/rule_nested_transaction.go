package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

const ruleNestedTransaction = "nested-transaction"

func nestedTransaction() Rule {
	return Rule{
		ID: ruleNestedTransaction, Class: MakesWait, Title: "begins a transaction inside another, ends one that is not its own, or leaves one open",
		Why:    "PostgreSQL has no nested transactions: the inner COMMIT ends the tool's, and the rest of the migration runs without one. One that is left open keeps its locks.",
		Remedy: "leave BEGIN and COMMIT to the tool, or tell the tool to run the migration without a transaction",
		Source: "squawk transaction-nesting",
		Bad:    "BEGIN;\nCREATE TABLE one (id bigint PRIMARY KEY);\nBEGIN;\nCREATE TABLE two (id bigint PRIMARY KEY);\nCOMMIT;",
		Good:   "BEGIN;\nCREATE TABLE one (id bigint PRIMARY KEY);\nCREATE TABLE two (id bigint PRIMARY KEY);\nCOMMIT;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.Transaction)
			if !is || s.transaction == nil {
				return nil
			}
			switch {
			case action.Kind == statement.Begin && !s.transaction.implicit:
				return one(s.found("a transaction begins inside another").
					breaks("the first COMMIT ends both, and what follows is committed statement by statement"))
			case (action.Kind == statement.Commit || action.Kind == statement.Rollback) && s.transaction.whole:
				return one(s.found("the transaction that the tool began is ended").
					breaks("the rest of the migration runs outside of it, and the tool's record of it with that"))
			}
			return nil
		},
	}
}

// openFinding is about a transaction that the file never ends.
func openFinding(at statement.Position) Finding {
	return Finding{Rule: ruleNestedTransaction, Position: at, Problem: "the transaction that the file begins is never committed"}.
		breaks("what the file does is undone when the session ends, and until then its locks are held")
}
