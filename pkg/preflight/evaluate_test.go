package preflight

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestEvaluateIsSortedAndRepeatable(t *testing.T) {
	checks := Catalogue()
	first := Evaluate(healthy(), checks, StageDeploy)
	slices.Reverse(checks)
	if diff := cmp.Diff(first, Evaluate(healthy(), checks, StageDeploy)); diff != "" {
		t.Errorf("the order of the checks shows:\n%s", diff)
	}
	if !slices.IsSortedFunc(first.Findings, func(a, b Finding) int {
		if a.ID < b.ID {
			return -1
		}
		if a.ID > b.ID {
			return 1
		}
		return 0
	}) {
		t.Error("findings are not sorted by id")
	}
}

// What is said of a check's weight is what it does.
func TestWeightIsWhatBlocks(t *testing.T) {
	for _, critical := range []bool{true, false} {
		weight := Check{Critical: critical}.Weight()
		for outcome, word := range map[Outcome]string{Fail: "a failure blocks", Unknown: "not knowing"} {
			if !strings.Contains(weight, word) {
				t.Errorf("critical %t: %q says nothing of %s", critical, weight, outcome)
			}
			if !blocks(Finding{Outcome: outcome, Critical: critical}, release.RequireProduction) {
				t.Errorf("critical %t: %s does not block under production", critical, outcome)
			}
		}
		if !blocks(Finding{Outcome: Fail, Critical: critical}, release.RequireStarter) {
			t.Errorf("critical %t: a fail does not block, though %q", critical, weight)
		}
		says := strings.Contains(weight, "so does not knowing")
		if does := blocks(Finding{Outcome: Unknown, Critical: critical}, release.RequireStarter); does != says {
			t.Errorf("critical %t: unknown blocks: %t, though %q", critical, does, weight)
		}
	}
}

func TestACheckThatSaysNothingOrStumblesIsUnknown(t *testing.T) {
	for name, evaluate := range map[string]func(*Facts) []Finding{
		"nothing":  func(*Facts) []Finding { return nil },
		"stumbles": func(f *Facts) []Finding { return []Finding{pass(f.Colors["none"].Service.Value.Name, "")} },
	} {
		report := Evaluate(healthy(), []Check{{ID: "BG-X-01", Critical: true, Stages: Stages(), Evaluate: evaluate}}, StageDeploy)
		if len(report.Findings) != 1 || report.Findings[0].Outcome != Unknown || !report.Blocked() {
			t.Errorf("%s: %+v, want one unknown that blocks", name, report.Findings)
		}
	}
}

// A check that looks at several subjects is one check, as good as its worst.
func TestChecksAreCountedNotFindings(t *testing.T) {
	check := func(id string, findings ...Finding) Check {
		return Check{ID: id, Stages: Stages(), Evaluate: func(*Facts) []Finding { return findings }}
	}
	report := Evaluate(healthy(), []Check{
		check("BG-X-01", pass("blue", ""), warn("green", ""), pass("red", "")),
		check("BG-X-02", pass("blue", ""), skip("green", "")),
		check("BG-X-03", unknown("blue", ""), fail("green", ""), warn("red", "")),
		check("BG-X-04", skip("blue", ""), skip("green", "")),
	}, StageDeploy)
	want := map[Outcome]int{Warn: 1, Pass: 1, Fail: 1, Skip: 1}
	if diff := cmp.Diff(want, report.Counts); diff != "" || len(report.Findings) != 10 {
		t.Errorf("%d findings of 4 checks are counted as:\n%s", len(report.Findings), diff)
	}
	if subject := report.Checks()[2][0].Subject; subject != "green" {
		t.Errorf("the worst of BG-X-03 is that of %s, want green", subject)
	}
}

func TestEmptyFactsPassNothingCritical(t *testing.T) {
	facts := &Facts{Release: healthy().Release, Colors: map[string]Color{}, Stage: StageDeploy, Target: "green"}
	report := Evaluate(facts, Catalogue(), StageDeploy)
	for _, finding := range report.Findings {
		if finding.Outcome == Pass {
			t.Errorf("%s passes without facts: %s", finding.ID, finding.Cause)
		}
	}
	if !report.Blocked() {
		t.Error("nothing blocks without facts")
	}
}

func TestReportIsAnObject(t *testing.T) {
	report := Evaluate(healthy(), Catalogue(), StageDeploy)
	copied := report.DeepCopyObject().(*Report)
	if diff := cmp.Diff(report, copied); diff != "" {
		t.Errorf("the copy differs:\n%s", diff)
	}
	copied.Findings[0].Cause, copied.Counts[Pass] = "changed", 0
	if report.Findings[0].Cause == "changed" || report.Counts[Pass] == 0 {
		t.Error("the copy shares memory")
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var head struct{ APIVersion, Kind, Verdict string }
	if err := json.Unmarshal(text, &head); err != nil || head.APIVersion != "bluegreen.dev/v1alpha1" || head.Kind != "CheckReport" || head.Verdict != "passed" {
		t.Errorf("head = %+v, %v", head, err)
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[string]bool{}
	shape := regexp.MustCompile(`^BG-(COL|NET|DB|MON|LOG|TST)-\d\d$`)
	for _, check := range Catalogue() {
		if seen[check.ID] || !shape.MatchString(check.ID) {
			t.Errorf("id %s is not unique or not of the shape", check.ID)
		}
		seen[check.ID] = true
		for field, text := range map[string]string{"title": check.Title, "why": check.Why, "remedy": check.Remedy, "source": check.Source, "area": areaTitle(check.Area)} {
			if text == "" {
				t.Errorf("%s has no %s", check.ID, field)
			}
		}
		if len(check.Stages) == 0 {
			t.Errorf("%s never runs", check.ID)
		}
	}
}

// A reader of the pages knows the runbooks by docs/runbooks.md, and by no other
// name.
func TestPagesCiteTheRunbooks(t *testing.T) {
	if _, err := os.Stat(filepath.Join("..", "..", "docs", "runbooks.md")); err != nil {
		t.Fatal(err)
	}
	for name, text := range Pages(Catalogue()) {
		if regexp.MustCompile(`(?i)\bseeds?\b`).MatchString(text) || name != "README.md" && !strings.Contains(text, "unbook") {
			t.Errorf("%s cites something that nobody knows, or nothing", name)
		}
	}
}

var update = flag.Bool("update", false, "rewrite docs/checks")

func TestDocumentationIsCurrent(t *testing.T) {
	directory := filepath.Join("..", "..", "docs", "checks")
	pages := Pages(Catalogue())
	if *update {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("docs/checks/%s is not current; run go test ./pkg/preflight -update (-want +got):\n%s", name, diff)
		}
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if _, generated := pages[entry.Name()]; !generated {
			t.Errorf("docs/checks/%s belongs to no check", entry.Name())
		}
	}
}

func selectorOfLabels(text string) labels.Selector {
	selector, err := labels.Parse(text)
	if err != nil {
		panic(err)
	}
	return selector
}
