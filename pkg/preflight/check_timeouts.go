package preflight

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func timeoutsSet() Check {
	return Check{
		ID: "BG-DB-09", Title: "the colours' sessions can't wait or hold locks for ever", Area: AreaDatabase,
		Stages: []Stage{StageDeploy},
		Why:    "Both colours share the tables. Without statement_timeout, lock_timeout and idle_in_transaction_session_timeout one forgotten transaction of either holds up the other until somebody ends it by hand. What an application sets in its own sessions can't be seen from outside, and a pooler may drop it: the role or the database is where it holds.",
		Remedy: "ALTER ROLE of the colours SET statement_timeout, lock_timeout and idle_in_transaction_session_timeout",
		Source: "second runbook, Common Pitfalls, DB lock contention (v2 introduced long-lived transaction)",
		Evaluate: func(facts *Facts) []Finding {
			return eachSnapshot(facts, func(subject string, database Database) []Finding {
				if database.Snapshot.Value.Timeouts == nil {
					return []Finding{unknown(subject, "which timeouts its roles have was not looked at")}
				}
				var findings []Finding
				for _, role := range facts.roles(database.Declared.Name) {
					if role != "" {
						findings = append(findings, timeoutsOf(subject, role, database.Snapshot.Value))
					}
				}
				if len(findings) == 0 {
					return []Finding{unknown(subject, "as which role the colours log in is not known: no session of theirs is seen, and no connection string names it")}
				}
				return findings
			})
		},
	}
}

// timeoutsOf judges what the sessions of one role begin with.
func timeoutsOf(subject, role string, snapshot postgres.Snapshot) Finding {
	missing := snapshot.Unbounded(role)
	if len(missing) == 0 {
		return pass(subject, "sessions of role %s begin with every timeout", role)
	}
	var names, statements []string
	for _, timeout := range missing {
		names = append(names, string(timeout))
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s SET %s = '%s'", pgx.Identifier{role}.Sanitize(), timeout, usual(timeout)))
	}
	finding := warn(subject, "neither role %s nor database %s sets %s", role, snapshot.Database, strings.Join(names, ", ")).
		with("role", role).fix("%s; sessions that are open keep what they have", strings.Join(statements, "; "))
	if !snapshot.Configuration {
		finding.Cause += fmt.Sprintf("; what the server's configuration says can't be read by role %s", snapshot.Role)
	}
	return finding
}

// usual is a value to begin with.
func usual(timeout postgres.Timeout) string {
	switch timeout {
	case postgres.LockTimeout:
		return "5s"
	case postgres.IdleInTransactionTimeout:
		return "60s"
	default:
		return "30s"
	}
}
