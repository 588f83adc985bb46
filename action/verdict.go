package action

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// The verdicts, as the output says them.
const (
	passed     = "pass"
	blocked    = "blocked"
	rolledBack = "rolled-back"
	held       = "held"
	unproven   = "unproven"
	failed     = "failed"
	// underWay is no verdict yet: a run goes on without this step.
	underWay = ""
)

// verdictOf is how a command came out: where there is a run, as that stands, for a
// shift that was rolled back because a person asked ends with 0 and has not passed.
func verdictOf(code int, seen observed) string {
	if code == plugin.ExitFailed {
		return failed
	}
	if standing := seen.standing; standing != nil && standing.Status.ID != "" {
		switch standing.Status.Phase {
		case rollout.Done, rollout.Decommissioned:
			return passed
		case rollout.RolledBack:
			return rolledBack
		case rollout.Blocked:
			return blocked
		case rollout.Held:
			return held
		case rollout.Unproven:
			return unproven
		}
		if code == plugin.ExitDone && standing.Open && !standing.Status.Silent {
			return underWay
		}
		if standing.Open && standing.Status.Silent {
			return held
		}
	}
	return map[int]string{
		plugin.ExitDone: passed, plugin.ExitBlocked: blocked, plugin.ExitRolledBack: rolledBack,
		plugin.ExitHeld: held, plugin.ExitUnproven: unproven,
	}[code]
}

// exitOf is the exit code of the step, the command's, but for what deploys: where a
// person has sent that back it did what was asked, and jobs that need the step would
// go on as if it had deployed.
func exitOf(code int, seen observed, command command) int {
	verdict := verdictOf(code, seen)
	if command.deploys && code == plugin.ExitDone && verdict != passed && verdict != underWay {
		return plugin.ExitRolledBack
	}
	return code
}

// outputsOf are the outputs of the step, by name.
func outputsOf(code int, seen observed, folder string, took time.Duration, name string) map[string]string {
	outputs := map[string]string{"verdict": verdictOf(code, seen), "report": folder, "run-id": seen.run(), "failed-checks": "", "durations": "{}"}
	if seen.report != nil {
		outputs["failed-checks"] = strings.Join(seen.report.Blocking, ",")
	}
	spent := map[string]float64{}
	if seen.standing != nil {
		for _, stay := range seen.standing.Status.Course() {
			spent[string(stay.Phase)] += stay.Took().Seconds()
		}
	}
	if len(spent) == 0 {
		spent[name] = took.Seconds()
	}
	for phase := range spent {
		spent[phase] = math.Round(spent[phase]*1000) / 1000
	}
	if text, err := json.Marshal(spent); err == nil {
		outputs["durations"] = string(text)
	}
	return outputs
}
