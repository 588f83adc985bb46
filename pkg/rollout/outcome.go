package rollout

import (
	"fmt"
	"strings"
	"time"
)

// outcomeOf says how a run that reached an end ended.
func outcomeOf(state State) Outcome {
	switch {
	case state.Finish != nil && (state.Phase == Decommissioned || state.Phase == Blocked):
		return finishOutcome(state)
	case state.Finish != nil && state.Phase == Held && !state.Resume.Reverse():
		return finishOutcome(state)
	}
	switch state.Phase {
	case Done:
		return doneOutcome(state)
	case RolledBack:
		if state.Requested {
			return Outcome{Code: CodeDone, Message: fmt.Sprintf("rolled back as asked: %s serves production%s%s%s", state.From, sinceAsked(state), kept(state), notBack(state)), Next: "kubectl bluegreen history"}
		}
		return Outcome{Code: CodeRolledBack, Message: fmt.Sprintf("rolled back: %s serves production%s; %s", state.From, notBack(state), state.Reason), Next: "kubectl bluegreen history"}
	case Decommissioned:
		return Outcome{Code: CodeDone, Message: state.Reason}
	case Blocked:
		return Outcome{Code: CodeBlocked, Message: "blocked, nothing was moved: " + state.Reason, Next: "kubectl bluegreen check"}
	case Unproven:
		message := "the rollback could not be proven, page someone: " + state.Reason
		if !state.Reverted.IsZero() {
			message = fmt.Sprintf("%s has the traffic back, but the rollback could not be completed, page someone: %s", state.From, state.Reason)
		}
		return Outcome{Code: CodeUnproven, Message: message, Next: "kubectl bluegreen status"}
	}
	outcome := Outcome{Code: CodeHeld, Message: fmt.Sprintf("held in phase %s: %s", state.Resume, state.Reason), Next: "kubectl bluegreen resume"}
	if strings.HasPrefix(state.Reason, frozen) {
		if len(state.Irreversible) > 0 {
			outcome.Message += "; " + schemaStays(state.Irreversible)
		}
		// What froze it would freeze it again.
		outcome.Message += "; a person decides: back, or, once it is well, on with kubectl bluegreen resume"
		outcome.Next = "kubectl bluegreen rollback"
		if state.NoWayBack != "" {
			outcome.Message += "; back is refused for now: " + state.NoWayBack
			outcome.Next = "kubectl bluegreen status"
		}
	}
	return outcome
}

// doneOutcome is that of a shift whose target serves. Where the old side has no
// pod that is ready, what leads back is a shift, which gives it its pods first.
func doneOutcome(state State) Outcome {
	outcome := Outcome{Code: CodeDone, Message: fmt.Sprintf("%s serves production%s", state.To, drained(state)+leftOpen(state)), Next: "kubectl bluegreen rollback"}
	if state.NoWayBack != "" {
		outcome.Message += "; there is no way back: " + state.NoWayBack
		outcome.Next = "kubectl bluegreen shift --to " + state.From
	}
	return outcome
}

// sinceAsked says how long after the request a rollback was done; nothing
// where it isn't known when that was.
func sinceAsked(state State) string {
	if state.Asked.IsZero() || state.Entered.Before(state.Asked) {
		return ""
	}
	return fmt.Sprintf(", %s after the request", state.Entered.Sub(state.Asked).Round(100*time.Millisecond))
}

// kept says that the side that was left runs on, and why.
func kept(state State) string {
	if state.Kept == "" {
		return ""
	}
	return fmt.Sprintf("; %s is left running: %s", state.To, state.Kept)
}

// notBack says which routes of a set could not be given back, for they do not exist.
func notBack(state State) string {
	if len(state.Gone) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s is gone, and nothing is proven of it", strings.Join(state.Gone, ", "))
}

// leftOpen says what is open on the old side, for which it stays.
func leftOpen(state State) string {
	if state.Open == nil || !hasOpen(*state.Open) {
		return ""
	}
	return fmt.Sprintf("; %s: %s stays, and finish will not end it before", openOn(*state.Open, state.From), state.From)
}

// drained says what became of the old side's residual requests.
func drained(state State) string {
	if state.Residual == nil {
		return ""
	}
	if state.Residual.State == "ok" && state.Residual.Value == 0 {
		return fmt.Sprintf(", %s is drained (0 residual requests/s)", state.From)
	}
	if state.Residual.State == "ok" {
		return fmt.Sprintf(", %.1f requests/s remain on %s", state.Residual.Value, state.From)
	}
	return fmt.Sprintf(", what remains on %s is unknown: %s", state.From, state.Residual.Detail)
}
