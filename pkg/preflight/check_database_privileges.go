package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"

func databasePrivileges() Check {
	return Check{
		ID: "BG-DB-02", Title: "the observer may see others' sessions", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "PostgreSQL hides what other roles' sessions do from a role without pg_read_all_stats, and every count comes out too low.",
		Remedy: "GRANT pg_monitor TO the observer's role",
		Source: "first runbook, Pre-Deployment Checklist, Monitoring & Alerts (track pg_stat_database.numbackends)",
		Evaluate: func(facts *Facts) []Finding {
			return eachDatabase(facts, func(subject string, database Database) []Finding {
				if database.sessionless() {
					return []Finding{noPrivilegeNeeded(subject, database)}
				}
				return onSnapshot(subject, database, seesSessions)
			})
		},
	}
}

// seesSessions judges the privileges of the role of a session.
func seesSessions(subject string, database Database) []Finding {
	snapshot := database.Snapshot.Value
	if !snapshot.SeesSessions {
		return []Finding{fail(subject, "role %s can't see others' sessions, so every count would be too low", snapshot.Role).
			fix(`GRANT pg_monitor TO "%s"`, snapshot.Role)}
	}
	return []Finding{pass(subject, "role %s sees every session", snapshot.Role)}
}

// noPrivilegeNeeded is about a database without a session: nobody logs in. It
// is told when a connection string was declared and came to nothing.
func noPrivilegeNeeded(subject string, database Database) Finding {
	observe := database.Declared.Observe
	if !observe.DSN.IsZero() && observe.Via != release.ViaExporter && observe.Via != release.ViaPrometheus {
		return warn(subject, "no session looks into it though observe.dsn is declared: %s", database.Why).
			fix("let observe.dsn and observe.pod of %s lead to the database; without a session its locks, its transactions and whose connections are whose are not seen", subject)
	}
	return skip(subject, "no role logs in: "+database.Target+" is observed without a session")
}
