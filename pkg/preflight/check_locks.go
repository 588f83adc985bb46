package preflight

import (
	"fmt"
	"strings"
)

func locksFree() Check {
	return Check{
		ID: "BG-DB-07", Title: "no session waits for a lock", Area: AreaDatabase,
		Stages: []Stage{StageDeploy},
		Why:    "A lock queue before the release turns into exhausted pools during it: every waiter holds a connection.",
		Remedy: "end the session that holds the lock: SELECT pg_terminate_backend(pid), once its owner agrees",
		Source: "second runbook, Common Pitfalls, DB lock contention (increased latency and connection pool exhaustion)",
		Evaluate: func(facts *Facts) []Finding {
			return eachSnapshot(facts, func(subject string, database Database) []Finding {
				snapshot := database.Snapshot.Value
				if !snapshot.SeesSessions {
					return []Finding{unknown(subject, "role %s can't see who waits", snapshot.Role)}
				}
				blocked := snapshot.Blocked()
				if len(blocked) == 0 {
					return []Finding{pass(subject, "no session waits for a lock")}
				}
				var queue []string
				for _, session := range blocked {
					queue = append(queue, fmt.Sprintf("%d (%s) behind %s", session.PID, name(session.Application), strings.Trim(fmt.Sprint(session.BlockedBy), "[]")))
				}
				return []Finding{warn(subject, "%d sessions wait for locks: %s", len(blocked), strings.Join(queue, ", "))}
			})
		},
	}
}
