package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"

func databaseUsage() Check {
	return Check{
		ID: "BG-DB-05", Title: "the database uses at most 80 % of its connections now", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "A release that starts on a database which is nearly full is rolled back for something that it did not do.",
		Remedy: "find who holds the connections: kubectl bluegreen db budget",
		Source: "first runbook, Deployment Procedure, step 4 (active database connections must not exceed 80 % of max)",
		Evaluate: func(facts *Facts) []Finding {
			return eachDatabase(facts, func(subject string, database Database) []Finding {
				share := database.Declared.Budget
				if share <= 0 {
					share = postgres.DefaultShare
				}
				switch {
				case database.Exhausted:
					return []Finding{exhausted(subject, "every connection is in use: PostgreSQL refuses more (SQLSTATE 53300)")}
				case !database.Snapshot.Known:
					return database.Snapshot.unknown(subject)
				}
				snapshot := database.Snapshot.Value
				if !snapshot.SeesSessions && !snapshot.Counted {
					return []Finding{unknown(subject, "role %s can't see others' sessions", snapshot.Role)}
				}
				fullest := snapshot.Fullest(facts.roles(database.Declared.Name))
				return []Finding{usage(subject, fullest.Share(), share).
					with("sessions", fullest.Used).with("limit", fullest.Limit).with("of", fullest.Name)}
			})
		},
	}
}

func usage(subject string, used, share float64) Finding {
	if used > share {
		return fail(subject, "%.0f %% of its connections are in use, more than %.0f %%", used*100, share*100)
	}
	return pass(subject, "%.0f %% of its connections are in use", used*100)
}
