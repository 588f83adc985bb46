package migration

import (
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func indexBlocks() Rule {
	return Rule{
		ID: "index-blocks", Class: MakesWait, Title: "makes, drops or rebuilds an index, or refreshes a view, without CONCURRENTLY",
		Why:    "CREATE INDEX keeps every writer out while it builds; DROP INDEX, REINDEX and REFRESH keep readers out too. CONCURRENTLY takes longer and hinders nobody.",
		Remedy: "say CONCURRENTLY, outside of a transaction",
		Source: "squawk require-concurrent-index-creation, require-concurrent-index-deletion; strong_migrations; atlas PG101, PG102",
		Bad:    "SET lock_timeout = '2s';\nCREATE INDEX orders_note ON orders (note);",
		Good:   "CREATE INDEX CONCURRENTLY orders_note ON orders (note);",
		Examine: func(s *scene) []Finding {
			switch action := s.change.Action.(type) {
			case statement.CreateIndex:
				if !action.Concurrently && !action.Only && !s.fresh(action.Table) {
					return one(s.found("an index of %s is built without CONCURRENTLY", action.Table).
						breaks("every write of both versions to %s waits until it is built", action.Table).safe(s.concurrently("INDEX")))
				}
			case statement.Drop:
				if action.Kind == "index" && !action.Concurrently && len(s.locks()) > 0 {
					return one(s.found("index %s is dropped without CONCURRENTLY", action.Name).
						breaks("it waits for every query on the table, and every later one of both versions waits behind it").safe(s.concurrently("INDEX")))
				}
			case statement.Reindex:
				if !action.Concurrently && action.Kind != "system" && !s.fresh(action.Target) {
					return one(s.found("%s %s is indexed anew without CONCURRENTLY", action.Kind, action.Target).
						breaks("every write of both versions, and every read by the index, waits until it is built").safe(s.concurrently(strings.ToUpper(action.Kind))))
				}
			case statement.RefreshView:
				if !action.Concurrently && !s.freshObject("view", action.Name) {
					return one(s.found("materialized view %s is refreshed without CONCURRENTLY", action.Name).
						breaks("every read of it by both versions waits until it is filled; CONCURRENTLY needs a unique index on it").safe(s.concurrently("VIEW")))
				}
			}
			return nil
		},
	}
}

// concurrently is the statement with the word CONCURRENTLY behind another one.
func (s *scene) concurrently(after string) string {
	for i, token := range s.statement.Tokens {
		if token.Is(strings.ToLower(after)) {
			before := statement.Expression(s.statement.Tokens[:i+1])
			return compact(strings.ToUpper(before.String()) + " CONCURRENTLY " + statement.Expression(s.statement.Tokens[i+1:]).String() + ";")
		}
	}
	return ""
}
