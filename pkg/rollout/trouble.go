package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// A run waits for a bad release for as long as a good one may take. Whoever looks on
// hears at once what is not well with it, and need not wait for the verdict: why its
// pods do not become ready, and which rule is on its way to send it back. That is
// told and kept with the run when it begins and when it is over, and decides nothing.

// mindTrouble adds to what was seen that the trouble of a run is another one, and
// tells it.
func (r *Runner) mindTrouble(state State, seen Observation, trouble string) Observation {
	if trouble == state.Trouble {
		return seen
	}
	if trouble == "" {
		r.tell(state.Phase, Info, "over: %s", state.Trouble)
	} else {
		r.tell(state.Phase, Warning, "%s", trouble)
	}
	return seen.learning(func(s *State) { s.Trouble = trouble })
}

// learning is an observation of which something more is learned.
func (o Observation) learning(more func(*State)) Observation {
	learned := o.Learned
	o.Learned = func(s *State) {
		if learned != nil {
			learned(s)
		}
		more(s)
	}
	return o
}

// noteTrouble is the record of trouble that has begun, or is over.
func noteTrouble(before, after State, at time.Time) journal.Entry {
	message := after.Trouble
	if message == "" {
		message = "over: " + before.Trouble
	}
	return journal.Entry{Time: at, Kind: journal.Note, Action: "trouble", Message: message}
}

// stuck says why pods of a workload do not get going, "" where they do or nobody
// can tell.
func (r *Runner) stuck(ctx context.Context, workload *cluster.Workload) string {
	if workload.Readiness.Obstacle != "" {
		return fmt.Sprintf("%s: %s", workload.Ref, workload.Readiness.Obstacle)
	}
	pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
	if err != nil {
		return ""
	}
	var obstacles []string
	for index := range pods {
		if obstacle := cluster.Stuck(&pods[index]); obstacle != "" && pods[index].DeletionTimestamp == nil && !slices.Contains(obstacles, obstacle) {
			obstacles = append(obstacles, obstacle)
		}
	}
	if len(obstacles) == 0 {
		return ""
	}
	slices.Sort(obstacles)
	return fmt.Sprintf("pods of %s do not get going: %s", workload.Ref, strings.Join(obstacles, "; "))
}

// brewing names the rules that would count against the release, had they held for
// long enough. It says nothing that changes from reading to reading, and with the
// verdict it is not over.
func brewing(state State, results []gate.Result) string {
	var rules []string
	for _, result := range results {
		switch {
		case result.Purpose != gate.Rollback:
		case result.Verdict == gate.Fail:
			return state.Trouble
		case !result.Since.IsZero():
			rules = append(rules, fmt.Sprintf("%s: %s %s counts against the release; begun %s",
				result.ID, result.About(state.To, state.From), result.Condition(), result.Since.UTC().Format("15:04:05 MST")))
		}
	}
	return strings.Join(rules, "; ")
}
