package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

const ruleLockTimeout = "lock-timeout"

func lockTimeout() Rule {
	return Rule{
		ID: ruleLockTimeout, Class: MakesWait, Title: "waits for a lock without an end, or for more than a minute",
		Why: "A lock that waits for one long query keeps every later query waiting behind it, of both versions, however short the change itself is. " +
			"With a lock_timeout the migration gives up instead, and can be tried again.",
		Remedy: "set lock_timeout to a few seconds at the beginning of the file; where a role or the tool sets it, say so with --level lock-timeout=off, or levels: [lock-timeout=off] among the migrations of the Release",
		Source: "squawk require-timeout-settings (1 s); strong_migrations, Lock timeouts (10 s, and a lock_timeout_limit); the first runbook, rollback triggers (lock contention)",
		Bad:    "ALTER TABLE orders ADD COLUMN remark text;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;",
		Examine: func(s *scene) []Finding {
			waits := s.session.waits()
			if waits > 0 && waits <= longestWait || nowait(s.change.Action) {
				return nil
			}
			howLong := "without an end: neither lock_timeout nor statement_timeout is set"
			if waits > 0 {
				howLong = fmt.Sprintf("for up to %s, where a minute is too long", waits)
			}
			for _, taken := range s.locks() {
				if taken.hinders() {
					return one(s.found("%s of %s is waited for %s", taken.mode, spoken(taken.table), howLong).
						breaks("behind one long query, every later query of both versions on %s waits", spoken(taken.table)).
						safe("SET lock_timeout = '2s';", s.text()))
				}
			}
			return nil
		},
	}
}

// nowait reports whether a change gives up at once.
func nowait(action statement.Action) bool {
	lock, is := action.(statement.Lock)
	return is && lock.NoWait
}
