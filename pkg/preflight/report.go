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
	// Require is starter or production.
	Require string `json:"require"`
	// Verdict is passed or blocked.
	Verdict string `json:"verdict"`
	// Counts are the findings by outcome.
	Counts map[Outcome]int `json:"counts"`
	// Blocking are the ids of the checks that block, sorted.
	Blocking []string  `json:"blocking,omitempty"`
	Findings []Finding `json:"findings"`
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
	for i := range copied.Findings {
		copied.Findings[i].Evidence = maps.Clone(r.Findings[i].Evidence)
	}
	return &copied
}

func newReport(facts *Facts, stage Stage) *Report {
	report := &Report{
		TypeMeta:   metav1.TypeMeta{APIVersion: release.APIVersion, Kind: KindReport},
		ObjectMeta: metav1.ObjectMeta{Name: facts.Release.Metadata.Name, Namespace: facts.Namespace},
		Stage:      stage, Time: facts.Time, Target: facts.Target,
		Require: facts.Release.Spec.Require, Counts: map[Outcome]int{},
	}
	if report.Require == "" {
		report.Require = release.RequireStarter
	}
	if facts.Route.Known {
		report.Live = facts.Route.Value.Live
	}
	return report
}

func (r *Report) count() {
	r.Verdict = VerdictPassed
	for _, finding := range r.Findings {
		r.Counts[finding.Outcome]++
		if finding.Blocks {
			r.Verdict = VerdictBlocked
			r.Blocking = append(r.Blocking, finding.ID)
		}
	}
	slices.Sort(r.Blocking)
	r.Blocking = slices.Compact(r.Blocking)
}
