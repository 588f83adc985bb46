package relative

import (
	"math"
	"time"
)

// Observation is what both colours were asked between two readings of their
// counters.
type Observation struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Weight is the share of the requests that the new colour should get.
	Weight float64 `json:"weight"`
	Old    Sample  `json:"old"`
	New    Sample  `json:"new"`
	// Before says that Old is of the window before the switch: as long, and
	// as far from its beginning as From is from the switch.
	Before bool `json:"before,omitempty"`
	// Unshared says that more is counted than what is shared by weight, such
	// as probes. Then the share is not asked about.
	Unshared bool `json:"unshared,omitempty"`
}

// Sample is what a colour's counters grew by. They need not be whole numbers:
// Prometheus extrapolates.
type Sample struct {
	Requests float64   `json:"requests"`
	Failed   float64   `json:"failed"`
	Latency  Histogram `json:"latency,omitzero"`
}

// valid reports whether an observation can be reckoned with.
func (o Observation) valid() bool {
	return o.To.After(o.From) && o.Weight >= 0 && o.Weight <= 1 && o.Old.valid() && o.New.valid()
}

// valid reports whether the numbers are counts of one thing.
func (s Sample) valid() bool {
	return count(s.Requests) && count(s.Failed) && s.Failed <= s.Requests && s.Latency.valid()
}

// count reports whether a number can be one of requests.
func count(number float64) bool { return number >= 0 && !math.IsInf(number, 0) }
