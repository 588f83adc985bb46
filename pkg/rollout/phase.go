package rollout

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Phase is where a run stands.
type Phase string

// The phases in the order of a healthy run, then those of the way back, then
// those by which the idle side is decommissioned, then the ends.
const (
	Preflight Phase = "preflight"
	Apply     Phase = "apply"
	WaitReady Phase = "wait-ready"
	CleanLogs Phase = "clean-logs"
	Health    Phase = "health"
	Synthetic Phase = "synthetic"
	Baseline  Phase = "baseline"
	HoldFloor Phase = "hold-floor"
	Switch    Phase = "switch"
	Prove     Phase = "prove"
	Hold      Phase = "hold"
	Watch     Phase = "watch"
	Confirm   Phase = "confirm"
	Drain     Phase = "drain"
	GiveBack  Phase = "give-back"

	Revert       Phase = "revert"
	ProveRevert  Phase = "prove-revert"
	Preserve     Phase = "preserve"
	DrainReverse Phase = "drain-reverse"
	End          Phase = "end"
	Recover      Phase = "recover"
	Restore      Phase = "restore"

	Quiet        Phase = "quiet"
	Decommission Phase = "decommission"

	Done           Phase = "done"
	RolledBack     Phase = "rolled-back"
	Decommissioned Phase = "decommissioned"
	Blocked        Phase = "blocked"
	Held           Phase = "held"
	Unproven       Phase = "unproven"
)

// PhaseRule is one row of the machine's table.
type PhaseRule struct {
	Phase Phase
	// Does is what the runner performs, one sentence.
	Does string
	// Deadline of the phase, by the release's policy; nil for an end.
	Deadline func(Policy) time.Duration
	// DeadlineField is the field of the Release that sets it.
	DeadlineField string
	// OnSuccess is the next phase. Switch, prove, hold and watch go on by
	// the steps of the release, see Step.
	OnSuccess Phase
	// OnFailure is where a failure, or the deadline, leads before any
	// traffic was moved; once traffic was moved a forward phase leads to
	// revert instead, unless it is held.
	OnFailure Phase
	// Source is the line of a runbook that the phase carries out.
	Source string
}

// deadline picks one field of the policy's deadlines.
func deadline(pick func(release.Deadlines) release.Duration) func(Policy) time.Duration {
	return func(policy Policy) time.Duration { return pick(policy.Deadlines).Std() }
}

// Phases is the machine's table, in order.
func Phases() []PhaseRule {
	rollout := deadline(func(d release.Deadlines) release.Duration { return d.Rollout })
	validation := deadline(func(d release.Deadlines) release.Duration { return d.Validation })
	reroute := deadline(func(d release.Deadlines) release.Duration { return d.Reroute })
	rollback := deadline(func(d release.Deadlines) release.Duration { return d.Rollback })
	healthy := deadline(func(d release.Deadlines) release.Duration { return d.Recover })
	drain := deadline(func(d release.Deadlines) release.Duration { return d.Drain })
	return []PhaseRule{
		{Preflight, "runs the checks of stage deploy; a critical failure blocks", validation, "deadlines.validation", Apply, Blocked, "both runbooks, Pre-Deployment Checklist"},
		{Apply, "applies the target's manifests server-side, or restores its replicas", rollout, "deadlines.rollout", WaitReady, Blocked, "first runbook, Deploy Green Environment"},
		{WaitReady, "waits until every pod of the target is ready", rollout, "deadlines.rollout", CleanLogs, Blocked, "both runbooks, wait for all pods to pass readiness"},
		{CleanLogs, "reads the target's start-up logs for what validation.logs forbids", validation, "deadlines.validation", Health, Blocked, "first runbook, confirm logs show clean startup"},
		{Health, "asks every pod of the target for its health, past the router", validation, "deadlines.validation", Synthetic, Blocked, "first runbook, Verify Green Service Health"},
		{Synthetic, "runs the synthetic transactions, proves graceful termination", validation, "deadlines.validation", Baseline, Blocked, "second runbook, Validate v2 Internally"},
		{Baseline, "reads every signal once; what it finds is what the release is compared with", validation, "deadlines.validation", HoldFloor, Blocked, "first runbook, baseline connection count established"},
		{HoldFloor, "keeps the old side's autoscalers from taking it below what it runs with", reroute, "deadlines.reroute", Switch, Revert, "second runbook, never scale down blue until green is proven stable"},
		{Switch, "writes the split of the next step, or its preview, fenced", reroute, "deadlines.reroute", Prove, Revert, "both runbooks, Switch Traffic"},
		{Prove, "proves by EndpointSlices that the route holds the target's ready pods and nothing else", reroute, "deadlines.reroute", Hold, Revert, "second runbook, switches all traffic atomically"},
		{Hold, "holds the step's weight, or its preview, under the gate", nil, "steps[].hold", Switch, Revert, "first runbook, Monitor During 50% Shift"},
		{Watch, "watches at full weight under the gate until the watch ends", nil, "traffic.watch", Confirm, Revert, "second runbook, Monitor Transition"},
		{Confirm, "runs the synthetic transactions again", validation, "deadlines.validation", Drain, Revert, "second runbook, Verify business logic via synthetic transaction"},
		{Drain, "waits for, or sheds, the requests that stay on the old side, and waits for what it has open", drain, "deadlines.drain", GiveBack, Held, "design: switching is not moving"},
		{GiveBack, "gives the old side's autoscalers their floors back", drain, "deadlines.drain", Done, Held, "second runbook, never scale down blue until green is proven stable"},

		{Revert, "gives everything back to the old side, fenced", rollback, "deadlines.rollback", ProveRevert, Unproven, "both runbooks, Rollback Procedure"},
		{ProveRevert, "proves by EndpointSlices that the old side serves", reroute, "deadlines.reroute", Preserve, Unproven, "first runbook, Confirm traffic rerouted within 60 seconds"},
		{Preserve, "keeps logs, events and specs of the bad side, 20 s at most", rollback, "deadlines.rollback", DrainReverse, DrainReverse, "second runbook, Preserve v2 logs for root cause analysis"},
		{DrainReverse, "waits for the bad side's requests where ending it would lose them", drain, "deadlines.drain", End, Held, "design: switching is not moving"},
		{End, "scales the bad side to zero and records its replicas; a side that a person left is kept where that could lose requests unseen", rollback, "deadlines.rollback", Recover, Unproven, "first runbook, Terminate green pods"},
		{Recover, "asks every pod of the old side for its health", healthy, "deadlines.recover", Restore, Unproven, "first runbook, Validate blue service stability"},
		{Restore, "gives the autoscalers their floors back", rollback, "deadlines.rollback", RolledBack, RolledBack, "second runbook, Always preserve pre-cutover state"},

		{Quiet, "reads whether requests, sessions or connections remain on the idle side", drain, "deadlines.drain", Decommission, Blocked, "design: the old colour stays until decommission"},
		{Decommission, "scales the idle side to zero and records its replicas; deletes its objects where that was asked for", rollback, "deadlines.rollback", Decommissioned, Held, "design: the old colour stays until decommission"},

		{Done, "the target serves; the old side is drained, or what remains there is said to be unknown", nil, "", "", "", ""},
		{RolledBack, "the old side serves again, proven", nil, "", "", "", ""},
		{Decommissioned, "the idle side has no pod left, as was asked for", nil, "", "", "", ""},
		{Blocked, "nothing was moved", nil, "", "", "", ""},
		{Held, "stopped where it was, state kept for resume or rollback", nil, "", "", "", ""},
		{Unproven, "a rollback that could not be proven: page someone", nil, "", "", "", ""},
	}
}

// table is Phases, made once: the machine looks a row up at every step.
var table = Phases()

// ruleOf returns the row of a phase; a phase that is not of the table has an
// empty one.
func ruleOf(phase Phase) PhaseRule {
	for _, rule := range table {
		if rule.Phase == phase {
			return rule
		}
	}
	return PhaseRule{}
}

// Terminal reports whether a run ends in the phase.
func (p Phase) Terminal() bool {
	switch p {
	case Done, RolledBack, Decommissioned, Blocked, Held, Unproven:
		return true
	}
	return false
}

// Reverse reports whether the phase belongs to the way back.
func (p Phase) Reverse() bool {
	switch p {
	case Revert, ProveRevert, Preserve, DrainReverse, End, Recover, Restore:
		return true
	}
	return false
}
