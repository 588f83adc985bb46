package preflight

// Catalogue is every check, a line each, in the order of their ids. Adding a
// check means adding one file and one line here.
func Catalogue() []Check {
	return []Check{
		workloadsReady(),      // BG-COL-01
		probesDeclared(),      // BG-COL-02
		selectorsApart(),      // BG-COL-03
		colorServices(),       // BG-COL-04
		productionRoute(),     // BG-COL-05
		switchAdmitted(),      // BG-COL-06
		accessGranted(),       // BG-COL-07
		replicasMatch(),       // BG-COL-08
		disruptionBudget(),    // BG-COL-09
		quotaHeadroom(),       // BG-COL-10
		nodeHeadroom(),        // BG-COL-11
		imagesPinned(),        // BG-COL-12
		gracefulTermination(), // BG-COL-13
		configParity(),        // BG-COL-14
		manifestsLeaveRoute(), // BG-COL-15
		runParity(),           // BG-COL-16
		manifestsAdmitted(),   // BG-COL-17
		notRolledBack(),       // BG-COL-18
		manifestsRead(),       // BG-COL-19
		podsUpToDate(),        // BG-COL-20

		databaseReachable(),  // BG-DB-01
		databasePrivileges(), // BG-DB-02
		connectionBudget(),   // BG-DB-03
		pendingRestart(),     // BG-DB-04
		databaseUsage(),      // BG-DB-05
		transactionsShort(),  // BG-DB-06
		locksFree(),          // BG-DB-07
		migrationsSafe(),     // BG-DB-08
		timeoutsSet(),        // BG-DB-09
		poolsFit(),           // BG-DB-10

		logsByVersion(), // BG-LOG-01
		logsFresh(),     // BG-LOG-02

		versionSeries(),   // BG-MON-01
		prometheusFresh(), // BG-MON-02
		bucketsBracket(),  // BG-MON-03
		connectionAlert(), // BG-MON-04
		noCriticalAlert(), // BG-MON-05
		requestRate(),     // BG-MON-06
		dashboardShows(),  // BG-MON-07

		affinityOff(),       // BG-NET-01
		dnsOutOfTheWay(),    // BG-NET-02
		loadBalancerKnown(), // BG-NET-03
		fieldOwners(),       // BG-NET-04
		clientCaching(),     // BG-NET-05
		policiesAlike(),     // BG-NET-06
		noWayPastTheRoute(), // BG-NET-07

		dualLoad(),      // BG-TST-01
		rollbackDrill(), // BG-TST-02
	}
}
