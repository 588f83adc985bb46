package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"

func databaseReachable() Check {
	return Check{
		ID: "BG-DB-01", Title: "the database can be looked into", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "Nothing can be said about connections, locks or limits of a database that does not let us look; and one that refuses us for want of connections is the incident itself. A CONNECTION LIMIT of the observer's own role is no such incident, but must leave it two sessions: one that watches the whole shift, and one for these checks. Another process that takes over, with resume or rollback, while the first still runs needs two more.",
		Remedy: "check observe.dsn, observe.via and observe.pod of spec.database, and the network between here and the database",
		Source: "first runbook, Pre-Deployment Checklist, Monitoring & Alerts (enable monitoring of active database connections)",
		Evaluate: func(facts *Facts) []Finding {
			return eachDatabase(facts, func(subject string, database Database) []Finding {
				snapshot := database.Snapshot.Value
				switch {
				case database.Exhausted:
					return []Finding{exhausted(subject, database.Snapshot.Problem)}
				case database.RoleFull:
					return []Finding{unknown(subject, "%s", database.Snapshot.Problem).fix(roleFullRemedy)}
				case !database.Snapshot.Known:
					return database.Snapshot.unknown(subject)
				case database.sessionless():
					return []Finding{pass(subject, "%s answers: %s", database.Target, snapshot.Fullest(nil))}
				case snapshot.Standby:
					return []Finding{warn(subject, "it is a standby: its connections and locks are not those of the primary").with("target", database.Target).
						fix("let observe.dsn lead to the server that the colours write to")}
				default:
					return []Finding{pass(subject, "PostgreSQL %s answers", snapshot.VersionText).with("target", database.Target)}
				}
			})
		},
	}
}

// exhaustedRemedy is what is left to do: a server that lets nobody in shows
// nobody who is in.
const exhaustedRemedy = "free connections (end idle sessions, scale other clients down, set smaller pools) or raise the limit that refuses; who holds them can't be seen while no connection is left"

// roleFullRemedy is for a role that kept itself out.
const roleFullRemedy = "let the observer's role have more sessions (ALTER ROLE name CONNECTION LIMIT 4), or end those that something else holds under it; a role of its own is best"

// exhausted is the finding about a database that refuses connections now:
// nothing can be shifted onto it.
func exhausted(subject, cause string) Finding {
	return fail(subject, "%s", cause).with("sqlstate", postgres.SQLStateTooManyConnections).fix(exhaustedRemedy)
}
