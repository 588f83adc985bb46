package report

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// blocked is a report with every outcome in it, some of them hostile.
func blocked() *preflight.Report {
	return &preflight.Report{
		TypeMeta:   metav1.TypeMeta{APIVersion: "bluegreen.dev/v1alpha1", Kind: preflight.KindReport},
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "store"},
		Stage:      preflight.StageDeploy, Live: "blue", Target: "green", Require: "starter", Document: "deploy/blue green.yaml",
		Time:    time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 3600)),
		Verdict: preflight.VerdictBlocked, Blocking: []string{"BG-DB-01", "BG-DB-03"},
		Counts: map[preflight.Outcome]int{preflight.Pass: 1, preflight.Fail: 1, preflight.Unknown: 2, preflight.Warn: 1, preflight.Skip: 1},
		Findings: []preflight.Finding{
			finding("BG-COL-01", preflight.Pass, "deployment/shop-blue", "3 of 3 are ready"),
			placed(finding("BG-COL-12", preflight.Warn, "deployment/shop-green", "container app runs image shop, which can change under it"), "green/green.yaml", 14, 16),
			blocking(finding("BG-DB-01", preflight.Unknown, "database main", "not allowed to look\x1b[2J\n::error::]]> <b>@everyone</b> | `x`")),
			blocking(placed(finding("BG-DB-03", preflight.Fail, "database main", "120 wanted, 77 allowed"), "deploy/blue green.yaml", 30, 5)),
			finding("BG-DB-04", preflight.Unknown, "database main", "nobody may look"),
			finding("BG-MON-01", preflight.Skip, "prometheus", "not declared: prometheus"),
		},
	}
}

// suppressed is a report whose only failure is suppressed, with an entry beside
// it that has expired.
func suppressed() *preflight.Report {
	report := blocked()
	entry := preflight.Suppression{Suppression: release.Suppression{ID: "BG-DB-03", Reason: "halved | tonight", Until: "2026-12-01"}, State: preflight.SuppressionInEffect}
	expired := preflight.Suppression{Suppression: release.Suppression{ID: "BG-DB-04", Reason: "once", Until: "2026-11-01"}, State: preflight.SuppressionExpired}
	found := finding("BG-DB-03", preflight.Fail, "database main", "120 wanted, 77 allowed")
	found.Suppression = &entry
	report.Findings, report.Suppressions = []preflight.Finding{found}, []preflight.Suppression{entry, expired}
	report.Verdict, report.Blocking, report.Counts = preflight.VerdictPassed, nil, map[preflight.Outcome]int{preflight.Suppressed: 1}
	return report
}

func finding(id string, outcome preflight.Outcome, subject, cause string) preflight.Finding {
	found := preflight.Finding{ID: id, Title: "title of " + id, Outcome: outcome, Subject: subject, Cause: cause, Docs: "docs/checks/" + id + ".md"}
	if outcome != preflight.Pass {
		found.Remedy, found.Evidence = "do something about "+id, map[string]string{"limit": "97"}
	}
	return found
}

func placed(found preflight.Finding, file string, line, column int) preflight.Finding {
	found.Position = &release.Position{File: file, Line: line, Column: column}
	return found
}

func blocking(found preflight.Finding) preflight.Finding {
	found.Blocks = true
	return found
}

func tool() Tool { return Tool{Version: "v1.2.3", Checks: preflight.Catalogue()} }

func written(t interface {
	Helper()
	Fatal(...any)
}, name string, report *preflight.Report) string {
	t.Helper()
	for _, format := range Formats() {
		if format.Name == name {
			var out strings.Builder
			if err := format.Write(&out, report, tool()); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
	}
	t.Fatal("no format " + name)
	return ""
}

// anyReport draws reports whose verdict follows from their findings.
func anyReport() *rapid.Generator[*preflight.Report] {
	return rapid.Custom(func(t *rapid.T) *preflight.Report {
		report := blocked()
		report.Findings, report.Blocking, report.Verdict = nil, nil, preflight.VerdictPassed
		report.Counts = map[preflight.Outcome]int{}
		for number := range rapid.IntRange(0, 12).Draw(t, "findings") {
			outcome := rapid.SampledFrom([]preflight.Outcome{preflight.Pass, preflight.Warn, preflight.Fail, preflight.Skip, preflight.Unknown}).Draw(t, "outcome")
			found := finding(fmt.Sprintf("BG-X-%02d", number), outcome, rapid.String().Draw(t, "subject"), rapid.String().Draw(t, "cause"))
			found.Blocks = outcome == preflight.Fail || (outcome == preflight.Unknown || outcome == preflight.Skip) && rapid.Bool().Draw(t, "blocks")
			if found.Outcome != preflight.Pass && rapid.Bool().Draw(t, "suppressed") {
				found.Blocks = false
				found.Suppression = &preflight.Suppression{Suppression: release.Suppression{ID: found.ID, Reason: rapid.String().Draw(t, "reason"), Until: "2026-12-01"}, State: preflight.SuppressionInEffect}
			}
			if rapid.Bool().Draw(t, "placed") {
				found = placed(found, rapid.StringN(1, 20, -1).Draw(t, "file"), rapid.IntRange(1, 999).Draw(t, "line"), 1)
			}
			report.Counts[outcome]++
			report.Findings = append(report.Findings, found)
			if found.Blocks {
				report.Verdict, report.Blocking = preflight.VerdictBlocked, append(report.Blocking, found.ID)
			}
		}
		return report
	})
}
