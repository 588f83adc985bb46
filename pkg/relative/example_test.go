package relative_test

import (
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

// Green fails six to eight of 500 requests where blue fails one. The state may be
// kept between any two observations.
func ExampleGate_Observe() {
	gate, state := relative.New("blue", "green"), relative.State{}
	start := time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)
	for n := range 60 {
		from := start.Add(time.Duration(n) * 5 * time.Second)
		var results []relative.Result
		state, results = gate.Observe(state, relative.Observation{
			From: from, To: from.Add(5 * time.Second), Weight: 0.5,
			Old: relative.Sample{Requests: 500, Failed: 1},
			New: relative.Sample{Requests: 500, Failed: float64(6 + n%3)},
		})
		if errors := results[0]; errors.Verdict == relative.Fail {
			fmt.Println(from.Sub(start), errors.Sentence)
			return
		}
	}
	// Output: 1m20s green fails 1.18 points more requests than blue (at least 0.53, 99 % sure at any time), and 0.2 is allowed
}
