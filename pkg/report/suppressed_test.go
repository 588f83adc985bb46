package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// Every format tells what is suppressed, why and until when, and which entry no
// longer counts.
func TestSuppressionsAreTold(t *testing.T) {
	texts := map[string]string{}
	for _, format := range Formats() {
		texts[format.Name] = written(t, format.Name, suppressed())
		for _, want := range []string{"120 wanted, 77 allowed", "suppressed until 2026-12-01: halved", "BG-DB-04 was suppressed until 2026-11-01: it counts again"} {
			if !strings.Contains(texts[format.Name], want) {
				t.Errorf("%s doesn't say %q:\n%s", format.Name, want, texts[format.Name])
			}
		}
	}
	suite := readJUnit(t, texts["junit"])
	if suite.Skipped != 1 || suite.Failures != 0 {
		t.Errorf("JUnit counts %+v", suite.junitCounts)
	}
	result := readSARIF(t, texts["sarif"]).Results[0]
	want := []sarifSuppression{{"external", "accepted", "suppressed until 2026-12-01: halved | tonight"}}
	if diff := cmp.Diff(want, result.Suppressions); diff != "" || result.Level != "warning" {
		t.Errorf("a result of level %s: %s", result.Level, diff)
	}
	if !strings.Contains(texts["markdown"], "| 🔕 | [BG-DB-03]") {
		t.Error(texts["markdown"])
	}
}

// What a file acknowledges is told like what is suppressed, and so is, without being
// a finding of code scanning, how much was looked at.
func TestWhatIsAcknowledgedIsTold(t *testing.T) {
	report := blocked()
	acknowledged := placed(finding("BG-DB-08", preflight.Pass, "migration db/2.sql:3:20", "drop-column (BI): column note is dropped; acknowledged: nobody names it"), "db/2.sql", 3, 20)
	acknowledged.Acknowledged = "nobody names it"
	extent := finding("BG-DB-08", preflight.Pass, "migrations of database main", "1 of 3 files judged")
	extent.Told = true
	report.Findings = []preflight.Finding{acknowledged, extent}
	report.Verdict, report.Blocking, report.Counts = preflight.VerdictPassed, nil, map[preflight.Outcome]int{preflight.Pass: 1}
	text := written(t, "markdown", report)
	if !strings.Contains(text, "| 🔕 | [BG-DB-08]") || !strings.Contains(text, "| ℹ️ | [BG-DB-08]") || strings.Contains(text, "<details>") {
		t.Errorf("Markdown folds it, or doesn't say it:\n%s", text)
	}
	run := readSARIF(t, written(t, "sarif", report))
	want := []sarifSuppression{{"inSource", "accepted", "nobody names it"}}
	if diff := cmp.Diff(want, run.Results[0].Suppressions); diff != "" || len(run.Results) != 1 || run.Results[0].Level != "warning" {
		t.Errorf("SARIF tells %+v: %s", run.Results, diff)
	}
	if len(run.Invocations[0].Notifications) != 1 || run.Invocations[0].Notifications[0].Level != "note" {
		t.Errorf("SARIF notifies of %+v", run.Invocations[0].Notifications)
	}
	if text := written(t, "junit", report); !strings.Contains(text, "acknowledged: nobody names it") || !strings.Contains(text, "1 of 3 files judged") {
		t.Errorf("JUnit doesn't say it:\n%s", text)
	}
}
