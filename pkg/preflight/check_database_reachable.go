package preflight

func databaseReachable() Check {
	return Check{
		ID: "BG-DB-01", Title: "the database can be looked into", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "Nothing can be said about connections, locks or limits of a database that does not let us look; and one that refuses us for want of connections is the incident itself.",
		Remedy: "check observe.dsn, observe.via and observe.pod of spec.database, and the network between here and the database",
		Source: "first seed, Pre-Deployment Checklist, Monitoring & Alerts (enable monitoring of active database connections)",
		Evaluate: func(facts *Facts) []Finding {
			return eachDatabase(facts, func(subject string, database Database) []Finding {
				switch {
				case database.Exhausted:
					return []Finding{fail(subject, "%s", database.Snapshot.Problem).with("sqlstate", "53300").
						fix("end sessions that are not needed, or raise max_connections; nothing can be shifted while the database is full")}
				case !database.Session && database.Usage.State == "ok":
					return []Finding{pass(subject, "it is read through %s", database.Usage.Source)}
				case !database.Snapshot.Known:
					return database.Snapshot.unknown(subject)
				default:
					return []Finding{pass(subject, "PostgreSQL %s answers", database.Snapshot.Value.VersionText).with("target", database.Target)}
				}
			})
		},
	}
}
