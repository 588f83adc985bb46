package preflight

func databasePrivileges() Check {
	return Check{
		ID: "BG-DB-02", Title: "the observer may see others' sessions", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "PostgreSQL hides what other roles' sessions do from a role without pg_read_all_stats, and every count comes out too low.",
		Remedy: "GRANT pg_monitor TO the observer's role",
		Source: "first seed, Pre-Deployment Checklist, Monitoring & Alerts (track pg_stat_database.numbackends)",
		Evaluate: func(facts *Facts) []Finding {
			return eachSnapshot(facts, func(subject string, database Database) []Finding {
				snapshot := database.Snapshot.Value
				if !snapshot.SeesSessions {
					return []Finding{fail(subject, "role %s can't see others' sessions, so every count would be too low", snapshot.Role).
						fix(`GRANT pg_monitor TO "%s"`, snapshot.Role)}
				}
				return []Finding{pass(subject, "role %s sees every session", snapshot.Role)}
			})
		},
	}
}
