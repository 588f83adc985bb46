package gate

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// Unasked are the results of a time in which the target gets requests from those
// alone who ask for it, and nobody has to: that there are none, or few, says
// nothing of a release. A rule to advance by what requests of the target came to
// is not required then where it has no data. What there is counts as ever.
func Unasked(results []Result) []Result {
	requests := []measure.Signal{measure.RequestRate, measure.ErrorRatio, measure.LatencyP95}
	eased := slices.Clone(results)
	for i, result := range eased {
		if result.Purpose == Advance && result.Subject == Target && result.Verdict == NoData && result.Required && slices.Contains(requests, result.Signal) {
			eased[i].Required = false
			eased[i].Message += "; nobody has to ask for it yet"
		}
	}
	return eased
}
