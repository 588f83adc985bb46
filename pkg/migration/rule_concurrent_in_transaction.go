package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func concurrentInTransaction() Rule {
	return Rule{
		ID: "concurrent-in-transaction", Class: MakesWait, Title: "runs in a transaction what PostgreSQL refuses there",
		Why:    "CREATE INDEX CONCURRENTLY, VACUUM and their like fail inside a transaction (25001), also inside the one that the tool begins, or that a file of several statements is.",
		Remedy: "put it alone into a migration that the tool runs without a transaction",
		Source: "squawk ban-concurrent-index-creation-in-transaction; PostgreSQL's manual",
		Bad:    "BEGIN;\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\nCOMMIT;",
		Good:   "CREATE INDEX CONCURRENTLY orders_note ON orders (note);",
		Examine: func(s *scene) []Finding {
			if s.transaction == nil || !refused(s.change) {
				return nil
			}
			return one(s.found("%s runs in a transaction", compact(firstWords(s.statement))).breaks("the migration fails here (25001)"))
		},
	}
}

func firstWords(read *statement.Statement) string {
	return statement.Expression(read.Tokens[:min(3, len(read.Tokens))]).String()
}

func brokenIndex() Rule {
	return Rule{
		ID: "broken-index", Class: MakesWait, Title: "builds an index CONCURRENTLY on PostgreSQL 14.0 to 14.3",
		Why:    "Those releases may leave rows out of the index without an error; 14.4 mended it.",
		Remedy: "update PostgreSQL first, or say with --postgres-version which minor release it is",
		Source: "PostgreSQL 14.4's release notes",
		Examine: func(s *scene) []Finding {
			concurrent := false
			switch action := s.change.Action.(type) {
			case statement.CreateIndex:
				concurrent = action.Concurrently
			case statement.Reindex:
				concurrent = action.Concurrently
			}
			if !concurrent || s.version.Major != 14 || s.version.Minor > 3 {
				return nil
			}
			return one(s.found("PostgreSQL %s may leave rows out of the index", s.version).breaks("queries of both versions may miss rows, without an error"))
		},
	}
}
