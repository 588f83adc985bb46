package preflight

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// KindReport is the kind of a Report in -o json and -o yaml.
const KindReport = "CheckReport"

// Report is what the checks of a stage found, an output kind.
type Report struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Stage Stage     `json:"stage"`
	Time  time.Time `json:"time"`
	// Target is the colour that is to get the traffic, Live the one that
	// has it, "" when that could not be read.
	Target string `json:"target,omitempty"`
	Live   string `json:"live,omitempty"`
	// Document is the file of the Release, "" where it came from elsewhere.
	Document string `json:"document,omitempty"`
	// Require is starter or production.
	Require string `json:"require"`
	// Verdict is passed or blocked.
	Verdict string `json:"verdict"`
	// Counts are the checks by outcome, each by the worst that it found, and as
	// Suppressed where that is suppressed.
	Counts map[Outcome]int `json:"counts"`
	// Blocking are the ids of the checks that block, sorted.
	Blocking []string  `json:"blocking,omitempty"`
	Findings []Finding `json:"findings"`
	// Irreversible are the changes of the migrations, a sentence each, after which
	// the old version can't take over again and which no file acknowledges: a
	// release that brings one never goes back by itself.
	Irreversible []string `json:"irreversible,omitempty"`
	// Unreachable says that no cluster answers, and which checks know nothing for
	// that reason alone; nil where one does.
	Unreachable *Unreachable `json:"unreachable,omitempty"`
	// Suppressions are the entries of spec.checks.suppress.
	Suppressions []Suppression `json:"suppressions,omitempty"`
}

// The verdicts.
const (
	VerdictPassed  = "passed"
	VerdictBlocked = "blocked"
)

// Blocked reports whether nothing may start.
func (r *Report) Blocked() bool { return r.Verdict == VerdictBlocked }

// DeepCopyObject makes Report a runtime.Object, which printers take.
func (r *Report) DeepCopyObject() runtime.Object {
	if r == nil {
		return nil
	}
	copied := *r
	r.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	copied.Counts = maps.Clone(r.Counts)
	copied.Blocking = slices.Clone(r.Blocking)
	copied.Findings = slices.Clone(r.Findings)
	copied.Irreversible = slices.Clone(r.Irreversible)
	copied.Suppressions = slices.Clone(r.Suppressions)
	if r.Unreachable != nil {
		unreachable := *r.Unreachable
		unreachable.Checks = slices.Clone(unreachable.Checks)
		copied.Unreachable = &unreachable
	}
	for i := range copied.Findings {
		copied.Findings[i].Evidence = maps.Clone(r.Findings[i].Evidence)
	}
	return &copied
}

func newReport(facts *Facts, stage Stage) *Report {
	report := &Report{
		TypeMeta:   metav1.TypeMeta{APIVersion: release.APIVersion, Kind: KindReport},
		ObjectMeta: metav1.ObjectMeta{Name: facts.Release.Metadata.Name, Namespace: facts.Namespace},
		Stage:      stage, Time: facts.Time, Target: facts.Target, Document: facts.Places.Document,
		Require: facts.Release.Spec.Require, Counts: map[Outcome]int{}, Irreversible: irreversible(facts.Migrations),
	}
	if report.Require == "" {
		report.Require = release.RequireStarter
	}
	if facts.Route.Known {
		report.Live = facts.Route.Value.Live
	}
	return report
}

// Checks are the findings, which are sorted by id, check by check: the worst of
// each comes first.
func (r *Report) Checks() [][]Finding {
	var checks [][]Finding
	for _, finding := range r.Findings {
		last := len(checks) - 1
		if last >= 0 && checks[last][0].ID == finding.ID {
			checks[last] = append(checks[last], finding)
			continue
		}
		checks = append(checks, []Finding{finding})
	}
	for _, findings := range checks {
		slices.SortStableFunc(findings, func(a, b Finding) int { return severity(b) - severity(a) })
	}
	return checks
}

// severity orders findings: what blocks, then what is bad, then what is
// suppressed, then what is not judged for a mistake in a manifest, then the rest.
func severity(finding Finding) int {
	rank := map[Outcome]int{Fail: 14, Unknown: 13, Warn: 12, Pass: 1, Skip: 0}[finding.Outcome]
	switch {
	case finding.Outcome == Skip && finding.InManifests: // no pass of the other colour hides it
		rank = 2
	case finding.Blocks:
		rank += 20
	case finding.Suppressed():
		rank = 5
	}
	return rank
}

// counted is as what a check counts whose worst finding this is.
func counted(finding Finding) Outcome {
	if finding.Suppressed() {
		return Suppressed
	}
	return finding.Outcome
}

// count counts the checks and says what blocks.
func (r *Report) count() {
	r.Verdict = VerdictPassed
	for _, findings := range r.Checks() {
		r.Counts[counted(findings[0])]++
	}
	for _, finding := range r.Findings {
		if finding.Blocks {
			r.Verdict = VerdictBlocked
			r.Blocking = append(r.Blocking, finding.ID)
		}
	}
	slices.Sort(r.Blocking)
	r.Blocking = slices.Compact(r.Blocking)
}

// MayPass reports whether all that blocks is not known for reasons that may
// pass: asking again may unblock it.
func (r *Report) MayPass() bool {
	for _, finding := range r.Findings {
		if finding.Blocks && (finding.Outcome != Unknown || !finding.Transient) {
			return false
		}
	}
	return r.Blocked()
}
