package report

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// readJUnit reads a file as a CI server would: by the names of the elements.
func readJUnit(t interface {
	Helper()
	Fatal(...any)
}, text string) junitSuite {
	t.Helper()
	var suites junitSuites
	if err := xml.Unmarshal([]byte(text), &suites); err != nil {
		t.Fatal(err)
	}
	if len(suites.Suites) != 1 || suites.junitCounts != suites.Suites[0].junitCounts {
		t.Fatal("the counts of the suites are not those of the only one")
	}
	return suites.Suites[0]
}

func TestJUnit(t *testing.T) {
	text := written(t, "junit", blocked())
	suite := readJUnit(t, text)
	if (suite.junitCounts != junitCounts{Tests: 6, Failures: 1, Errors: 1, Skipped: 2}) {
		t.Errorf("counted %+v", suite.junitCounts)
	}
	if suite.Timestamp != "2026-11-22T11:00:00" || suite.Name != "kubectl bluegreen check store/shop" {
		t.Errorf("the suite is %s of %s", suite.Name, suite.Timestamp)
	}
	var got []string
	for _, one := range suite.Cases {
		state := "passed"
		for name, message := range map[string]*junitMessage{"failure": one.Failure, "error": one.Error, "skipped": one.Skipped} {
			if message != nil {
				state = name + " (" + message.Message + ")"
			}
		}
		got = append(got, strings.Join([]string{one.Class, one.Name, state}, " | "))
	}
	want := []string{
		"bluegreen.BG-COL-01 | title of BG-COL-01: deployment/shop-blue | passed",
		"bluegreen.BG-COL-12 | title of BG-COL-12: deployment/shop-green | passed",
		"bluegreen.BG-DB-01 | title of BG-DB-01: database main | error (unknown: database main: not allowed to look[2J ::error::]]> <b>@everyone</b> | `x`)",
		"bluegreen.BG-DB-03 | title of BG-DB-03: database main | failure (database main: 120 wanted, 77 allowed)",
		"bluegreen.BG-DB-04 | title of BG-DB-04: database main | skipped (unknown: database main: nobody may look)",
		"bluegreen.BG-MON-01 | title of BG-MON-01: prometheus | skipped (prometheus: not declared: prometheus)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	failure := suite.Cases[3]
	if failure.File != "deploy/blue green.yaml" || failure.Line != 30 {
		t.Errorf("it stands at %s:%d", failure.File, failure.Line)
	}
	if diff := cmp.Diff("limit: 97\nremedy: do something about BG-DB-03\nsee docs/checks/BG-DB-03.md", failure.Failure.Text); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(suite.Cases[1].Output, "warn: deployment/shop-green: container app runs image shop") {
		t.Errorf("a warning is lost: %q", suite.Cases[1].Output)
	}
}

// A server that goes by failures and errors says what the exit code says.
func TestJUnitFailsWhereTheReportBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		report := anyReport().Draw(t, "report")
		suite := readJUnit(t, written(t, "junit", report))
		if failed := suite.Failures+suite.Errors > 0; failed != report.Blocked() {
			t.Fatalf("%d failures and %d errors of a report that is %s", suite.Failures, suite.Errors, report.Verdict)
		}
		if suite.Tests != len(report.Findings) {
			t.Fatalf("%d cases of %d findings", suite.Tests, len(report.Findings))
		}
	})
}

// What is skipped for good reason under require: production still blocks.
func TestJUnitOfASkipThatBlocks(t *testing.T) {
	report := blocked()
	report.Findings = []preflight.Finding{blocking(finding("BG-MON-01", preflight.Skip, "prometheus", "not declared: prometheus"))}
	if suite := readJUnit(t, written(t, "junit", report)); suite.Failures != 1 {
		t.Errorf("counted %+v", suite.junitCounts)
	}
}
