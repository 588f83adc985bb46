package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func invalidIndex() Rule {
	return Rule{
		ID: "invalid-index", Class: NeedsReview, Title: "builds an index CONCURRENTLY only IF NOT EXISTS",
		Why: "A build that fails, by a duplicate, a deadlock or a timeout, leaves an index that is invalid: no query uses it, and every write pays for it. " +
			"The next try finds the name taken and passes, so what the new version counts on is never there.",
		Remedy: "drop it first and build it without IF NOT EXISTS, or look afterwards that pg_index.indisvalid is true",
		Source: "PostgreSQL's manual, Building Indexes Concurrently; that the next try leaves it invalid was tried on PostgreSQL",
		Bad:    "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_note ON orders (note);",
		Good:   "DROP INDEX CONCURRENTLY IF EXISTS orders_note;\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.CreateIndex)
			if !is || !action.Concurrently || !action.IfNotExists || s.fresh(action.Table) || s.dropped[s.schema.key(action.Name)] {
				return nil
			}
			return one(s.found("index %s is not built where one of its name is there, be it what a build that failed has left", action.Name).
				breaks("queries of the new version go without the index, and a UNIQUE one that failed keeps no duplicate out").
				safe(s.buildAnew(action)...))
		},
	}
}

// buildAnew is the statement behind one that drops what a former try has left.
func (s *scene) buildAnew(action statement.CreateIndex) []string {
	tokens := s.statement.Tokens
	exists := slices.IndexFunc(tokens, func(token statement.Token) bool { return token.Is("exists") })
	if exists < 2 || !tokens[exists-1].Is("not") || !tokens[exists-2].Is("if") {
		return nil // it stands in code
	}
	before, behind := statement.Expression(tokens[:exists-2]), statement.Expression(tokens[exists+1:])
	return []string{
		fmt.Sprintf("DROP INDEX CONCURRENTLY IF EXISTS %s;", action.Name.Quote()),
		compact(strings.ToUpper(before.String()) + " " + behind.String() + ";"),
	}
}
