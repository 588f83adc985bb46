package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A blocked shift has moved nothing, and says nothing of where the run before it
// came from. But a side that it has applied may be the one that it found bad, and one
// that was rolled back from is: there only who forces goes, or nobody.
func TestRollbackAfterABlockedShift(t *testing.T) {
	blocked := State{Phase: Blocked, From: "green", To: "blue", Started: start, Reason: "prometheus is down"}
	done := State{Phase: Done, From: "blue", To: "green", Started: start, Moved: true}
	const nothing = "nothing to roll back: green serves"
	for name, test := range map[string]struct {
		runs           []State
		applied        bool
		origin         string
		plainly, force string // the side that serves after each
		says           string // what the plain one says
	}{
		"after one that is done":         {runs: []State{done, blocked}, origin: "blue", plainly: "blue", force: "blue"},
		"and was blocked again":          {runs: []State{done, blocked, blocked}, origin: "blue", plainly: "blue", force: "blue"},
		"once it has applied":            {runs: []State{done, blocked}, applied: true, origin: "blue", plainly: "green", force: "blue", says: nothing},
		"with no run before it":          {runs: []State{blocked}, origin: "blue", plainly: "green", force: "blue", says: nothing},
		"after another than the route's": {runs: []State{{Phase: Done, From: "red", To: "green", Started: start}, blocked}, origin: "blue", plainly: "green", force: "blue", says: nothing},
		"after a rollback":               {runs: []State{{Phase: RolledBack, From: "green", To: "blue", Started: start, Moved: true}, blocked}, origin: "blue", plainly: "green", force: "green", says: "already: green serves"},
		"the first one":                  {runs: []State{blocked}, plainly: "green", force: "green", says: nothing},
		"and back where it came from":    {runs: []State{done, blocked}, origin: "green", plainly: "green", force: "green", says: nothing},
	} {
		for force, want := range map[bool]string{false: test.plainly, true: test.force} {
			t.Run(fmt.Sprintf("%s, force %v", name, force), func(t *testing.T) {
				runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
				production.Origin, production.Previous = test.origin, nil
				for number, state := range test.runs {
					var entries []journal.Entry
					if test.applied && state.Phase == Blocked {
						entries = append(entries, journal.Entry{Kind: journal.Transition, Action: passage(Preflight, Apply)})
					}
					ranAs(t, runner, fmt.Sprintf("20261122-153012-k7f3%d", number), state, entries...)
				}
				outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: force})
				if err != nil || outcome.Code != CodeDone || !production.Split.Equal(traffic.Whole(want)) {
					t.Errorf("outcome = %+v, %v with route %s, want %s", outcome, err, production.Split, want)
				}
				if stays := want == "green"; stays && (replicas(t, runner, "green") != 2 || !strings.Contains(outcome.Message, test.says)) {
					t.Errorf("green wants %d, outcome = %+v", replicas(t, runner, "green"), outcome)
				}
				if goes := test.force == "blue" && want == "green"; goes != (outcome.Next == "kubectl bluegreen rollback --force") {
					t.Errorf("next is %q", outcome.Next)
				}
			})
		}
	}
}
