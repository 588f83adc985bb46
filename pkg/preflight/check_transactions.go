package preflight

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// longTransaction is the age at which a gate rolls a release back for a
// transaction of its own; one that is there before the release would be taken
// for it.
const longTransaction = time.Minute

func transactionsShort() Check {
	return Check{
		ID: "BG-DB-06", Title: "no transaction is left open", Area: AreaDatabase,
		Stages: []Stage{StageDeploy},
		Why:    "A session that is idle in a transaction keeps its connection, its locks and every dead row since it began; a migration queues behind it and everything else behind the migration.",
		Remedy: "SELECT pg_terminate_backend(pid), once its owner agrees; set idle_in_transaction_session_timeout",
		Source: "second runbook, Common Pitfalls, DB lock contention (v2 introduced long-lived transaction)",
		Evaluate: func(facts *Facts) []Finding {
			return eachSnapshot(facts, func(subject string, database Database) []Finding {
				snapshot := database.Snapshot.Value
				if !snapshot.SeesSessions {
					return []Finding{unknown(subject, "role %s can't see others' transactions", snapshot.Role)}
				}
				var findings []Finding
				for _, session := range snapshot.OldestTransactions() {
					if session.TransactionAge >= longTransaction {
						findings = append(findings, transaction(subject, session))
					}
				}
				if len(findings) == 0 {
					return []Finding{pass(subject, "no transaction is older than %s", longTransaction)}
				}
				return findings
			})
		},
	}
}

func transaction(subject string, session postgres.Session) Finding {
	doing := "has been in a transaction"
	if session.IdleInTransaction() {
		doing = "has been idle in a transaction"
	}
	return warn(subject, "session %d (%s as %s) %s for %s", session.PID, name(session.Application), session.Role, doing, session.TransactionAge.Round(time.Second)).
		with("pid", session.PID).with("application", session.Application).with("state", session.State).
		fix("SELECT pg_terminate_backend(%d), once its owner agrees", session.PID)
}

func name(application string) string {
	if application == "" {
		return "unnamed"
	}
	return application
}
