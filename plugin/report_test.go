package plugin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// blocked is a report with every outcome in it.
func blocked() *preflight.Report {
	return &preflight.Report{
		TypeMeta:   metav1.TypeMeta{APIVersion: "bluegreen.dev/v1alpha1", Kind: preflight.KindReport},
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "store"},
		Stage:      preflight.StageDeploy, Live: "blue", Target: "green", Require: "starter",
		Verdict: preflight.VerdictBlocked, Blocking: []string{"BG-DB-01", "BG-DB-04"},
		Counts: map[preflight.Outcome]int{preflight.Pass: 1, preflight.Fail: 1, preflight.Unknown: 1, preflight.Warn: 1, preflight.Skip: 1},
		Findings: []preflight.Finding{
			{ID: "BG-COL-01", Title: "every pod is ready", Outcome: preflight.Pass, Subject: "deployment/shop-blue", Cause: "3 of 3 are ready"},
			{ID: "BG-COL-01", Title: "every pod is ready", Outcome: preflight.Warn, Subject: "deployment/shop-green", Cause: "2 of 3 are ready", Remedy: "kubectl get pods"},
			{ID: "BG-DB-01", Title: "both colours fit", Outcome: preflight.Fail, Subject: "database main", Cause: "120 wanted, 77 allowed", Remedy: "DB_POOL_SIZE: 12", Blocks: true, Critical: true, Evidence: map[string]string{"limit": "97"}},
			{ID: "BG-DB-04", Title: "no blocked locks", Outcome: preflight.Unknown, Subject: "database main", Cause: "not allowed to look\x1b[2J", Blocks: true, Critical: true},
			{ID: "BG-MON-01", Title: "series per version", Outcome: preflight.Skip, Subject: "prometheus", Cause: "not declared: prometheus", Undeclared: true},
			{ID: "BG-NET-01", Title: "no affinity", Outcome: preflight.Pass, Subject: "service/shop", Cause: "sessionAffinity is None"},
		},
	}
}

func TestReport(t *testing.T) {
	tests := map[string]struct {
		format string
		locale map[string]string
		want   string
	}{
		"unicode": {"", unicode(), `shop in store: live blue, target green (stage deploy, require starter)

cluster and colours
───────────────────
‼ BG-COL-01 every pod is ready
    deployment/shop-green: 2 of 3 are ready
    → kubectl get pods

database
────────
× BG-DB-01 both colours fit
    database main: 120 wanted, 77 allowed
    → DB_POOL_SIZE: 12
× BG-DB-04 no blocked locks
    unknown: database main: not allowed to look[2J

routing
───────
√ BG-NET-01 no affinity

not declared
────────────
- prometheus: BG-MON-01

× blocked by BG-DB-01, BG-DB-04 (5 checks: 1 passed, 1 failed, 1 unknown, 1 warned, 1 skipped)
`},
		"ascii, wide": {"wide", nil, `shop in store: live blue, target green (stage deploy, require starter)

cluster and colours
-------------------
! BG-COL-01 every pod is ready
    deployment/shop-green: 2 of 3 are ready
    -> kubectl get pods
    deployment/shop-blue: 3 of 3 are ready

database
--------
x BG-DB-01 both colours fit
    database main: 120 wanted, 77 allowed
      limit: 97
    -> DB_POOL_SIZE: 12
x BG-DB-04 no blocked locks
    unknown: database main: not allowed to look[2J

monitoring
----------
- BG-MON-01 series per version: not declared: prometheus

routing
-------
+ BG-NET-01 no affinity
    service/shop: sessionAffinity is None

x blocked by BG-DB-01, BG-DB-04 (5 checks: 1 passed, 1 failed, 1 unknown, 1 warned, 1 skipped)
`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call, out, errOut, _ := bench(t, test.locale)
			assertBlocked(t, call.printReport(&output{format: test.format}, blocked(), &ownChecks{}))
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff("next: kubectl bluegreen explain BG-DB-01\n", errOut.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What the Release does not declare is a line each at the end; what was suppressed,
// and what does not apply, stays in its area.
func TestReportFoldsWhatIsNotDeclared(t *testing.T) {
	undeclared := func(id, what string) preflight.Finding {
		return preflight.Finding{ID: id, Title: "title", Outcome: preflight.Skip, Subject: what, Cause: "not declared: " + what, Undeclared: true}
	}
	report := &preflight.Report{Verdict: preflight.VerdictPassed, Findings: []preflight.Finding{
		undeclared("BG-DB-01", "database"), undeclared("BG-DB-02", "database"),
		undeclared("BG-MON-01", "metrics"), undeclared("BG-MON-02", "prometheus"), undeclared("BG-MON-04", "database"),
		{ID: "BG-NET-01", Title: "title", Outcome: preflight.Skip, Subject: "service/shop", Cause: "no clients are tied"},
	}}
	for format, want := range map[string]string{
		"": `
routing
-------
- BG-NET-01 title: no clients are tied

not declared
------------
- database: BG-DB-01, BG-DB-02, BG-MON-04
- metrics: BG-MON-01
- prometheus: BG-MON-02

+ nothing blocks`,
		"wide": `
database
--------
- BG-DB-01 title: not declared: database
- BG-DB-02 title: not declared: database

monitoring
----------
- BG-MON-01 title: not declared: metrics
- BG-MON-02 title: not declared: prometheus
- BG-MON-04 title: not declared: database

routing
-------
- BG-NET-01 title: no clients are tied

+ nothing blocks`,
	} {
		call, out, _, _ := bench(t, nil)
		if err := call.printReport(&output{format: format}, report, &ownChecks{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("-o %q:\n%s\nwant in it:\n%s", format, out.String(), want)
		}
	}
}

// assertBlocked wants exit 2 and nothing more to say.
func assertBlocked(t *testing.T, err error) {
	t.Helper()
	var status *StatusError
	if !errors.As(err, &status) || status.Status != ExitBlocked || status.Err != nil {
		t.Errorf("a report that blocks returned %v, expected exit %d", err, ExitBlocked)
	}
}

func TestReportBlocksInEveryFormat(t *testing.T) {
	formats := []string{"", "wide", "json", "yaml", "name", "jsonpath={.verdict}", "go-template={{.verdict}}"}
	for _, format := range report.Formats() {
		formats = append(formats, format.Name)
	}
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			call, _, _, _ := bench(t, nil)
			assertBlocked(t, call.printReport(&output{format: format, reports: report.Formats()}, blocked(), &ownChecks{}))
		})
	}
}

func TestReportThatPasses(t *testing.T) {
	call, out, errOut, _ := bench(t, nil)
	report := blocked()
	report.Verdict, report.Blocking = preflight.VerdictPassed, nil
	if err := call.printReport(&output{format: "json"}, report, &ownChecks{}); err != nil {
		t.Fatal(err)
	}
	var read preflight.Report
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report, &read); diff != "" {
		t.Errorf("the report as JSON reads as another one:\n%s", diff)
	}
	if diff := cmp.Diff("next: kubectl bluegreen shift --to green\n", errOut.String()); diff != "" {
		t.Error(diff)
	}
}
