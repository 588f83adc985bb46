package preflight

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Unreachable says that no cluster answers.
type Unreachable struct {
	// Cause is one sentence, Remedy what to do about it.
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
	// Address is the API server's host and port.
	Address string `json:"address"`
	// Checks are the ids of those that know nothing for that reason alone, sorted.
	// Evaluate fills them in.
	Checks []string `json:"checks,omitempty"`
}

// unreachable is nil of an error that is another one.
func unreachable(err error) *Unreachable {
	address, is := cluster.Unreachable(err)
	if !is {
		return nil
	}
	explained := cluster.Explain(err)
	return &Unreachable{Cause: explained.Error(), Remedy: release.HintOf(explained), Address: address}
}

const (
	// notLookedAt is why a fact is not known that nobody tried to find out, and
	// liveUnread why one is not that goes by which colour is live.
	notLookedAt = "it was not looked at"
	liveUnread  = "which colour is live could not be read"
)

// explains reports whether a finding is unknown because no cluster answers.
func (u *Unreachable) explains(finding Finding) bool {
	if finding.Outcome != Unknown || finding.Suppressed() {
		return false
	}
	return strings.Contains(finding.Cause, u.Cause) || strings.Contains(finding.Cause, u.Address) ||
		finding.Cause == notLookedAt || finding.Cause == liveUnread
}

// blame notes which checks know nothing because no cluster answers: one cause
// that is told once.
func (r *Report) blame(found *Unreachable) {
	if found == nil {
		return
	}
	told := *found
	told.Checks = nil
	for _, findings := range r.Checks() {
		open := slices.DeleteFunc(slices.Clone(findings), func(finding Finding) bool { return finding.Outcome == Pass || finding.Outcome == Skip })
		others := slices.ContainsFunc(open, func(finding Finding) bool { return !told.explains(finding) })
		if len(open) > 0 && !others {
			told.Checks = append(told.Checks, findings[0].ID)
		}
	}
	if len(told.Checks) > 0 {
		r.Unreachable = &told
	}
}

// ForWantOfCluster reports whether a check knows nothing because no cluster
// answers.
func (r *Report) ForWantOfCluster(id string) bool {
	return r.Unreachable != nil && slices.Contains(r.Unreachable.Checks, id)
}
