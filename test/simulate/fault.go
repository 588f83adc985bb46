package simulate

import "time"

// Fault is what is wrong with the new colour, or nothing.
type Fault struct {
	Name string
	// Errors is the share of its requests that fails on top, 0 to 1.
	Errors float64
	// Slower is the factor on its latency, and so on its p95; 0 is 1.
	Slower float64
	// NoTraffic: no request reaches it. The old colour gets them all, or,
	// where the old one has no weight any more, nobody does.
	NoTraffic bool
	// After is when the fault begins, from the switch on.
	After time.Duration
}

// Healthy is a new colour with nothing wrong.
func Healthy() Fault { return Fault{Name: "healthy"} }

// Faults are all that may be wrong.
func Faults() []Fault {
	return []Fault{
		{Name: "errors + 0.5 points", Errors: 0.005},
		{Name: "errors + 1 point", Errors: 0.01},
		{Name: "errors + 5 points", Errors: 0.05},
		{Name: "errors + 5 points after 4m", Errors: 0.05, After: 4 * time.Minute},
		{Name: "p95 × 1.5", Slower: 1.5},
		{Name: "p95 × 2", Slower: 2},
		{Name: "no traffic", NoTraffic: true},
	}
}
