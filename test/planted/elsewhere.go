package planted

// Proof is a test outside of this table that plants a check's fault where that
// can be, and sees it caught.
type Proof struct {
	// ID is the check's.
	ID string
	// Folder of the test's package, from the top of the source.
	Folder string
	Test   string
}

// Elsewhere are the checks whose fault no lab can have, or that have a test of
// their own for it.
func Elsewhere() []Proof {
	return []Proof{
		{"BG-COL-06", "test/e2e", "TestSwitchSetMovesTogetherOrNotAtAll"},
		{"BG-COL-07", "test/e2e", "TestEachVerbOfTheGeneratedRoleIsNeeded"},
		{"BG-DB-03", "test/e2e", "TestIncidentIsBlockedByTheConnectionBudget"},
		{"BG-DB-08", "pkg/preflight", "TestMigrationsAreJudgedAsDeclared"},
		{"BG-LOG-01", "test/loki", "TestLogsOfBothColours"},
		{"BG-LOG-02", "test/loki", "TestLogsOfBothColours"},
		{"BG-MON-07", "pkg/preflight", "TestTheDashboardOfAGrafana"},
		{"BG-NET-05", "test/e2e", "TestSignOffs"},
		{"BG-TST-01", "test/e2e", "TestSignOffs"},
		{"BG-TST-02", "test/e2e", "TestSignOffs"},
	}
}
