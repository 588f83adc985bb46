package rollout

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// fault is a machine that does one thing wrong.
type fault struct {
	name string
	// breaks is the invariant that must fall.
	breaks  string
	machine Machine
}

// on is the machine, but for what it makes of one kind of observation in one
// phase.
func on(phase Phase, kind Kind, wrong func(State, Observation) State) Machine {
	return func(policy Policy, state State, seen Observation) State {
		if state.Phase == phase && seen.Kind == kind {
			return wrong(state, seen)
		}
		return Step(policy, state, seen)
	}
}

// into is the machine, but for what it enters a phase with.
func into(phase Phase, wrong func(*State)) Machine {
	return func(policy Policy, state State, seen Observation) State {
		after := Step(policy, state, seen)
		if after.Phase == phase && state.Phase != phase {
			wrong(&after)
		}
		return after
	}
}

// leads goes to a phase.
func leads(phase Phase) func(State, Observation) State {
	return func(state State, seen Observation) State {
		state.Reason = "wrong"
		return enter(state, phase, seen.At)
	}
}

// stays does nothing.
func stays(state State, _ Observation) State { return state }

func faults() []fault {
	return []fault{
		{"a stop is not heard while the target is confirmed", "rollback reachable from everywhere", on(Confirm, Stopped, stays)},
		{"a stop before the switch goes on", "rollback reachable from everywhere", on(Health, Stopped, stays)},
		{"a stop on the way back begins it again", "rollback reachable from everywhere", on(End, Stopped, leads(Revert))},
		{"the way back does not end", "rollback reachable from everywhere", on(End, Succeeded, leads(Revert))},
		{"every reading opens the gate", "no advance without pass", func(policy Policy, state State, seen Observation) State {
			seen.Decision = gate.Decision{Advance: true}
			return Step(policy, state, seen)
		}},
		{"a hold is not held", "no advance without pass", func(policy Policy, state State, seen Observation) State {
			if state.Phase == Hold && state.Step < len(policy.Steps) && seen.Decision.Advance {
				return switchTo(policy, state, state.Step+1, seen.At)
			}
			return Step(policy, state, seen)
		}},
		{"a switch that nobody follows", "no advance without pass", func(policy Policy, state State, seen Observation) State {
			seen.DataPlane = DataPlane{}
			return Step(policy, state, seen)
		}},
		{"a watch just succeeds", "no advance without pass", on(Watch, Succeeded, leads(Confirm))},
		{"a step is left out", "no advance without pass", into(Switch, func(s *State) { s.Step += 2 })},
		{"health is not asked", "no phase is skipped", on(CleanLogs, Succeeded, leads(Synthetic))},
		{"the drain is left out", "no phase is skipped", on(Confirm, Succeeded, leads(Done))},
		{"a failed validation goes on", "no phase is skipped", on(Synthetic, Failed, leads(Baseline))},
		{"an old side that has not recovered will do", "no phase is skipped", on(Recover, Waiting, leads(Restore))},
		{"a switch is not on record", "no write without intent", into(Switch, func(s *State) { s.Moved = false })},
		{"a way back is not on record", "no write without intent", into(Revert, func(s *State) { s.Moved = false })},
		{"a step is taken for written", "no write without intent", into(Hold, func(s *State) { s.Step++ })},
		{"a check blocks and does not say why", "no terminal state without a record", into(Blocked, func(s *State) { s.Reason = "" })},
		{"a hold does not say why", "no terminal state without a record", into(Held, func(s *State) { s.Reason = "" })},
		{"done is left", "no terminal state without a record", on(Done, Failed, leads(Revert))},
		{"a wait learns what is not journalled", "no terminal state without a record", on(Drain, Waiting, func(s State, seen Observation) State {
			s.Unshed = seen.Message
			return s
		})},
		{"what can't be seen goes back", "what can't be seen is no verdict", func(policy Policy, state State, seen Observation) State {
			seen.Unseen = false
			return Step(policy, state, seen)
		}},
		{"the failure policy is not asked", "freeze never rolls back by itself", func(policy Policy, state State, seen Observation) State {
			policy.OnFailure = release.PolicyRollback
			return Step(policy, state, seen)
		}},
		{"a silent source is not frozen", "freeze never rolls back by itself", func(policy Policy, state State, seen Observation) State {
			if seen.Decision.SourceDown {
				policy.OnFailure = release.PolicyRollback
			}
			return Step(policy, state, seen)
		}},
		{"a check sends back what was never moved", "nothing moved, nothing to give back", on(Health, Failed, leads(Revert))},
		{"a check pages somebody", "nothing moved, nothing to give back", on(Health, Failed, leads(Unproven))},
		{"a refused switch blocks", "what was moved is never blocked", on(Switch, Failed, leads(Blocked))},
		{"what was moved is forgotten", "what was moved is never blocked", into(Confirm, func(s *State) { s.Moved = false })},
		{"who has recovered goes forward", "the way back never leads forward", on(Recover, Succeeded, leads(Watch))},
		{"an interrupted way back is resumed as a switch", "the way back never leads forward", on(Revert, Interrupted, func(s State, seen Observation) State {
			s = hold(s, seen.At, seen.Message)
			s.Resume = Switch
			return s
		})},
		{"a hold forgets where it stood", "what stands can go on", into(Held, func(s *State) { s.Resume = "" })},
		{"a hold is resumed elsewhere", "what stands can go on", into(Held, func(s *State) { s.Resume = Revert })},
		{"a switch that is not proven is waited for", "every phase has an end", on(Prove, Waiting, stays)},
		{"a source is waited for", "every phase has an end", on(Watch, Waiting, stays)},
		{"a gate that never opens is waited for", "every phase has an end", func(policy Policy, state State, seen Observation) State {
			if seen.Kind == Ticked && !seen.Decision.Advance && !seen.Decision.Rollback {
				return state
			}
			return Step(policy, state, seen)
		}},
	}
}

// TestEveryInvariantFalls explores machines that each do one thing wrong: the
// invariant that says so falls, and there is no invariant that can't.
func TestEveryInvariantFalls(t *testing.T) {
	t.Parallel()
	freezes, holds := policies()["2 steps, on failure freeze, source down rollback"], policies()["2 steps, on failure rollback, source down hold"]
	fallen := map[string]bool{}
	for _, fault := range faults() {
		fallen[fault.breaks] = true
		t.Run(fault.name, func(t *testing.T) {
			fell := func(broken map[string]string) bool { return broken[fault.breaks] != "" }
			explored := explore(fault.machine, freezes, fell)
			if !fell(explored.broken) {
				explored = explore(fault.machine, holds, fell)
			}
			if !fell(explored.broken) {
				t.Errorf("%q stands after %d states; broken: %v", fault.breaks, len(explored.from), explored.broken)
			}
			t.Log(explored.broken[fault.breaks])
		})
	}
	for _, invariant := range Invariants() {
		if !fallen[invariant.Name] {
			t.Errorf("no fault breaks %q", invariant.Name)
		}
	}
}

// onward is the observation by which a run goes on as it should.
func onward(state State) Observation {
	if gated(state.Phase) {
		return ticked(0, open)
	}
	return after(0, Succeeded)
}

// TestInvariants drives the machine with arbitrary observations at arbitrary
// times, with a person who goes on or back where it stopped.
func TestInvariants(t *testing.T) {
	policies, all := policies(), observations()
	var names []string
	for name := range policies {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		policy, state, now := policies[rapid.SampledFrom(names).Draw(t, "policy")], at(Preflight), start
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
			if state.Phase.Terminal() {
				state = rapid.SampledFrom([]func(State) State{
					func(s State) State { return resume(s, now) },
					func(s State) State { return back(s, "asked", now) },
				}).Draw(t, "person")(state)
			}
			seen := rapid.SampledFrom(all).Draw(t, "seen")
			if rapid.IntRange(0, 3).Draw(t, "luck") > 0 {
				seen = onward(state)
			}
			seen.At = now
			before := state
			state = Step(policy, before, seen)
			for _, invariant := range Invariants() {
				if err := invariant.Holds(Transition{Machine: Step, Policy: policy, Before: before, Seen: seen, After: state}); err != nil {
					t.Fatalf("%s: %v", invariant.Name, err)
				}
			}
		}
	})
}

// recorded is a route that is told by the journal what it is to be written for.
type recorded struct {
	*route
	t       *testing.T
	journal *journal.Journal
	writes  int
}

func (r *recorded) Write(ctx context.Context, patch traffic.Patch, dryRun bool) (traffic.Route, error) {
	r.writes++
	run, err := r.journal.Current(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil || !state.Moved {
		r.t.Errorf("written while the record says %s, %v", run.State, err)
	}
	entries := len(run.Entries)
	if entries == 0 || run.Entries[entries-1].Kind != journal.Intent || run.Entries[entries-1].Object != patch.Object {
		r.t.Errorf("written with no intent on record, which ends %+v", run.Entries)
	}
	return r.route.Write(ctx, patch, dryRun)
}

// TestRouteIsWrittenInSwitchAndRevertAlone performs every phase once: what the
// machine takes for a write is one, with its intent, and nothing else is.
func TestRouteIsWrittenInSwitchAndRevertAlone(t *testing.T) {
	for _, rule := range Phases() {
		if rule.Phase.Terminal() {
			continue
		}
		t.Run(string(rule.Phase), func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green"))
			runner.Preflight = func(context.Context, string) (*preflight.Report, error) { return &preflight.Report{}, nil }
			if rule.Phase == Switch {
				production.Split = traffic.Whole("blue")
			}
			router := &recorded{route: production, t: t, journal: runner.Journal}
			runner.Router = router
			driving(t, runner, release.DrainNone)
			if err := runner.prepare(); err != nil {
				t.Fatal(err)
			}
			state := at(rule.Phase, moved, cutover)
			if rule.Phase == Quiet || rule.Phase == Decommission {
				state.Finish = &Finish{Idle: "blue", Live: "green"}
			}
			if err := runner.tenure.Save(t.Context(), state, string(rule.Phase)); err != nil {
				t.Fatal(err)
			}
			seen := runner.perform(t.Context(), state, production.Route)
			if wrote := router.writes > 0; wrote != writes(rule.Phase) {
				t.Errorf("wrote the route: %v, want %v (%s: %s)", wrote, writes(rule.Phase), seen.Kind, seen.Message)
			}
		})
	}
}
