package preflight

func pendingRestart() Check {
	return Check{
		ID: "BG-DB-04", Title: "max_connections in effect is the one that is configured", Area: AreaDatabase,
		Stages: []Stage{StageDeploy},
		Why:    "A new max_connections takes effect with a restart only. One that was raised and never restarted is not there when it is needed; one that was lowered comes with the next failover.",
		Remedy: "restart PostgreSQL at a quiet time, before the release",
		Source: "first runbook, Key Takeaways, 2 (infrastructure limits must be validated pre-deployment)",
		Evaluate: func(facts *Facts) []Finding {
			return eachSnapshot(facts, func(subject string, database Database) []Finding {
				limits := database.Snapshot.Value.Limits
				switch {
				case limits.Configured > 0 && limits.Configured != limits.MaxConnections:
					return []Finding{warn(subject, "max_connections is %d, and %d is configured and waits for a restart", limits.MaxConnections, limits.Configured).
						with("live", limits.MaxConnections).with("configured", limits.Configured)}
				case limits.PendingRestart:
					return []Finding{warn(subject, "max_connections is %d, and another value waits for a restart", limits.MaxConnections)}
				default:
					return []Finding{pass(subject, "max_connections is %d and no change waits", limits.MaxConnections)}
				}
			})
		},
	}
}
