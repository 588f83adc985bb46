package preflight

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// suppressing is a report of some checks on a day, with BG-X-01 suppressed until
// the 22nd of November.
func suppressing(now time.Time, require string, checks ...Check) *Report {
	facts := healthy()
	facts.Time = now
	facts.Release.Spec.Require = require
	facts.Release.Spec.Checks.Suppress = []release.Suppression{{ID: "BG-X-01", Reason: "the auditors agreed", Until: "2026-11-22"}}
	return Evaluate(facts, checks, StageDeploy)
}

func finds(id string, findings ...Finding) Check {
	return Check{ID: id, Critical: true, Stages: []Stage{StageDeploy}, Evaluate: func(*Facts) []Finding { return findings }}
}

func day(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }

func TestASuppressedFindingDoesNotBlockAndIsTold(t *testing.T) {
	for name, found := range map[string]Finding{
		"fail": fail("a", "it is bad"), "unknown": unknown("a", "nobody knows"), "warn": warn("a", "it may be bad"), "undeclared": undeclared("a"),
	} {
		t.Run(name, func(t *testing.T) {
			report := suppressing(day(22, 23), release.RequireProduction, finds("BG-X-01", found, pass("b", "")), finds("BG-X-02", pass("c", "")))
			if report.Blocked() || len(report.Blocking) > 0 {
				t.Errorf("it blocks: %v", report.Blocking)
			}
			first := report.Findings[0]
			if first.Outcome != found.Outcome || !first.Suppressed() || first.Note() != "suppressed until 2026-11-22: the auditors agreed" {
				t.Errorf("it is told as %s, %q", first.Outcome, first.Note())
			}
			if passed := report.Findings[1]; passed.Suppression != nil {
				t.Errorf("what passes is told as suppressed")
			}
			if diff := cmp.Diff(map[Outcome]int{Suppressed: 1, Pass: 1}, report.Counts); diff != "" {
				t.Error(diff)
			}
			if report.Suppressions[0].State != SuppressionInEffect {
				t.Errorf("the entry is %s", report.Suppressions[0].State)
			}
		})
	}
}

// The day itself is the last one, and after it everything is as before, but for
// the note.
func TestASuppressionEnds(t *testing.T) {
	report := suppressing(day(23, 0), release.RequireStarter, finds("BG-X-01", fail("a", "it is bad")))
	if diff := cmp.Diff([]string{"BG-X-01"}, report.Blocking); diff != "" {
		t.Error(diff)
	}
	if first := report.Findings[0]; first.Suppressed() || first.Note() != "was suppressed until 2026-11-22: the auditors agreed" {
		t.Errorf("it is told as %q", first.Note())
	}
	if report.Counts[Fail] != 1 || report.Suppressions[0].State != SuppressionExpired {
		t.Errorf("counted %v, the entry is %s", report.Counts, report.Suppressions[0].State)
	}
	if told := report.Suppressions[0].String(); !strings.Contains(told, "it counts again") {
		t.Error(told)
	}
}

// Only what its own check found is suppressed, and an entry that does nothing is
// told.
func TestASuppressionIsOfOneCheck(t *testing.T) {
	report := suppressing(day(1, 0), release.RequireStarter, finds("BG-X-01", pass("a", "")), finds("BG-X-02", fail("a", "")))
	if diff := cmp.Diff([]string{"BG-X-02"}, report.Blocking); diff != "" {
		t.Error(diff)
	}
	if state := report.Suppressions[0].State; state != SuppressionNotNeeded {
		t.Errorf("the entry is %s", state)
	}
	report = suppressing(day(1, 0), release.RequireStarter, finds("BG-X-01", fail("a", "")), finds("BG-X-02", fail("a", "")))
	if diff := cmp.Diff([]string{"BG-X-02"}, report.Blocking); diff != "" || report.Findings[1].Suppression != nil {
		t.Errorf("a check is suppressed with another: %s", diff)
	}
	other := finds("BG-X-01", fail("a", ""))
	other.Stages = []Stage{StagePR}
	if state := suppressing(day(1, 0), release.RequireStarter, other).Suppressions[0].State; state != SuppressionNotAsked {
		t.Errorf("the entry of a check of another stage is %s", state)
	}
}

// One bad thing that is not suppressed hides behind none that is.
func TestTheWorstOfACheckIsNotASuppressedOne(t *testing.T) {
	report := suppressing(day(1, 0), release.RequireStarter, finds("BG-X-01", fail("a", ""), pass("b", "")))
	if worst := report.Checks()[0][0]; worst.Subject != "a" {
		t.Errorf("the first is %s, which passed", worst.Subject)
	}
	if severity(Finding{Outcome: Fail, Suppression: &Suppression{State: SuppressionInEffect}}) >= severity(Finding{Outcome: Warn}) {
		t.Error("a suppressed finding comes before a warning")
	}
}
