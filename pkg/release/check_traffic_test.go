package release

import (
	"testing"
	"time"
)

// total is asked before a switch, so the holds before the last one count, and
// the watch after it does not.
func TestTotalCoversTheHoldsBeforeTheLastSwitch(t *testing.T) {
	minutes := func(count int) Duration { return Duration(time.Duration(count) * time.Minute) }
	for name, test := range map[string]struct {
		traffic Traffic
		want    string
	}{
		"a long watch":        {Traffic{Watch: minutes(60), Deadlines: Deadlines{Total: minutes(15)}}, ""},
		"holds as long as it": {Traffic{Steps: []Step{{Weight: 10, Hold: minutes(5)}, {Weight: 50, Hold: minutes(10)}, {Weight: 100}}, Deadlines: Deadlines{Total: minutes(15)}}, ""},
		"longer holds": {Traffic{Steps: []Step{{Weight: 10, Hold: minutes(6)}, {Weight: 50, Hold: minutes(10)}, {Weight: 100}}, Deadlines: Deadlines{Total: minutes(15)}},
			"15m is shorter than the holds before the last step together, 16m: traffic would never move whole"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &checker{source: parseSource("bluegreen.yaml", []byte("spec: {}")), document: &Release{}}
			c.problems = nil // those of a document that is none
			c.checkTimes(test.traffic)
			got := ""
			if len(c.problems) > 0 {
				got = c.problems[0].Message
			}
			if got != test.want || len(c.problems) > 1 {
				t.Errorf("problems = %v, want %q", c.problems, test.want)
			}
		})
	}
}
