package preflight

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Suppressed stands in Report.Counts for the checks of which the worst finding
// is suppressed. It is no outcome of a finding, which keeps its own.
const Suppressed Outcome = "suppressed"

// SuppressionState says what becomes of an entry of spec.checks.suppress.
type SuppressionState string

// The states of an entry.
const (
	// SuppressionInEffect: what its check found does not block.
	SuppressionInEffect SuppressionState = "in effect"
	// SuppressionExpired: its day has passed, so what its check finds counts.
	SuppressionExpired SuppressionState = "expired"
	// SuppressionNotNeeded: its check ran and found nothing to suppress.
	SuppressionNotNeeded SuppressionState = "not needed"
	// SuppressionNotAsked: its check doesn't run at this stage.
	SuppressionNotAsked SuppressionState = "not asked"
)

// Suppression is an entry of spec.checks.suppress and what becomes of it.
type Suppression struct {
	release.Suppression
	State SuppressionState `json:"state"`
}

// String says it in one line.
func (s Suppression) String() string {
	switch s.State {
	case SuppressionExpired:
		return fmt.Sprintf("%s was suppressed until %s: it counts again (%s)", s.ID, s.Until, s.Reason)
	case SuppressionNotNeeded:
		return fmt.Sprintf("%s is suppressed until %s and found nothing: the entry may go (%s)", s.ID, s.Until, s.Reason)
	case SuppressionNotAsked:
		return fmt.Sprintf("%s is suppressed until %s and doesn't run at this stage (%s)", s.ID, s.Until, s.Reason)
	default:
		return fmt.Sprintf("%s is suppressed until %s (%s)", s.ID, s.Until, s.Reason)
	}
}

// Note says of a finding that it is suppressed, or no longer; "" when it never
// was.
func (f Finding) Note() string {
	switch {
	case f.Suppression == nil:
		return ""
	case f.Suppressed():
		return fmt.Sprintf("suppressed until %s: %s", f.Suppression.Until, f.Suppression.Reason)
	default:
		return fmt.Sprintf("was suppressed until %s: %s", f.Suppression.Until, f.Suppression.Reason)
	}
}

// Suppressed reports whether the finding is suppressed now.
func (f Finding) Suppressed() bool {
	return f.Suppression != nil && f.Suppression.State == SuppressionInEffect
}

// suppress takes the weight off the findings that the Release suppresses, on the
// day on which the facts were collected, and says of each entry what became of
// it. What passes, or doesn't apply, needs no suppression.
func (r *Report) suppress(facts *Facts, checks []Check) {
	for _, entry := range facts.Release.Spec.Checks.Suppress {
		one := Suppression{Suppression: entry, State: r.state(facts, entry, checks)}
		r.Suppressions = append(r.Suppressions, one)
		for index := range r.Findings {
			if finding := &r.Findings[index]; finding.ID == entry.ID && suppressible(*finding) {
				finding.Suppression = &one
				finding.Blocks = finding.Blocks && one.State != SuppressionInEffect
			}
		}
	}
}

func (r *Report) state(facts *Facts, entry release.Suppression, checks []Check) SuppressionState {
	ends, dated := entry.Until.Ends()
	asked := slices.ContainsFunc(checks, func(check Check) bool {
		return check.ID == entry.ID && slices.Contains(check.Stages, r.Stage)
	})
	found := slices.ContainsFunc(r.Findings, func(finding Finding) bool { return finding.ID == entry.ID && suppressible(finding) })
	switch {
	case !dated || !facts.Time.Before(ends):
		return SuppressionExpired
	case !asked:
		return SuppressionNotAsked
	case !found:
		return SuppressionNotNeeded
	}
	return SuppressionInEffect
}

func suppressible(finding Finding) bool {
	return finding.Blocks || finding.Outcome == Fail || finding.Outcome == Unknown || finding.Outcome == Warn
}
