package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// start is an arbitrary instant; the machine reads no clock.
var start = time.Date(2026, 11, 22, 15, 30, 12, 0, time.UTC)

func minutes(n int) release.Duration { return release.Duration(time.Duration(n) * time.Minute) }

func testPolicy() Policy {
	return Policy{
		Steps: []release.Step{{Weight: 50, Hold: minutes(3)}, {Weight: 100, Hold: minutes(5)}},
		Watch: 10 * time.Minute,
		Deadlines: release.Deadlines{Rollout: minutes(3), Validation: minutes(2), Total: minutes(15),
			Reroute: minutes(1), Recover: minutes(2), Rollback: minutes(2), Drain: minutes(2)},
		SourceDown: release.SourceDown{Deadline: minutes(2), Policy: "hold"},
	}
}

// at is a state in a phase, entered at start.
func at(phase Phase, changes ...func(*State)) State {
	state := State{Phase: phase, From: "blue", To: "green", Started: start, Entered: start}
	for _, change := range changes {
		change(&state)
	}
	return state
}

func moved(s *State)   { s.Moved = true }
func second(s *State)  { s.Step = 1 }
func cutover(s *State) { s.Cutover = start }

// after is an observation so long after start.
func after(elapsed time.Duration, kind Kind) Observation {
	return Observation{Kind: kind, At: start.Add(elapsed), Message: "seen"}
}

func ticked(elapsed time.Duration, decision gate.Decision) Observation {
	return Observation{Kind: Ticked, At: start.Add(elapsed), Decision: decision}
}

func result(purpose gate.Purpose, verdict gate.Verdict) gate.Result {
	return gate.Result{Rule: gate.Rule{ID: "rule", Purpose: purpose}, Verdict: verdict, Message: "because"}
}

var (
	open       = gate.Decision{Advance: true}
	broken     = gate.Decision{Rollback: true, Because: []gate.Result{result(gate.Rollback, gate.Fail)}}
	silent     = gate.Decision{SourceDown: true, Waiting: "down", Because: []gate.Result{result(gate.Advance, gate.SourceDown)}}
	noTraffic  = gate.Decision{Waiting: "no data", Because: []gate.Result{result(gate.Advance, gate.NoData)}}
	notReached = gate.Decision{Waiting: "too slow", Because: []gate.Result{result(gate.Advance, gate.Fail)}}
)

func TestStep(t *testing.T) {
	for name, test := range map[string]struct {
		state State
		seen  Observation
		want  Phase
	}{
		"checks pass":                            {at(Preflight), after(0, Succeeded), Apply},
		"checks fail":                            {at(Preflight), after(0, Failed), Blocked},
		"pods not ready yet":                     {at(WaitReady), after(time.Minute, Waiting), WaitReady},
		"pods never ready":                       {at(WaitReady), after(3*time.Minute, Waiting), Blocked},
		"baseline read":                          {at(Baseline), after(0, Succeeded), HoldFloor},
		"floor held":                             {at(HoldFloor, moved), after(0, Succeeded), Switch},
		"baseline after the total deadline":      {at(Baseline), after(16*time.Minute, Succeeded), Blocked},
		"stop before traffic moved":              {at(Health), after(0, Stopped), Blocked},
		"interrupted before traffic moved":       {at(Health), after(0, Interrupted), Held},
		"switch written":                         {at(Switch, moved), after(0, Succeeded), Prove},
		"switch refused for good":                {at(Switch, moved), after(0, Failed), Revert},
		"first step proven":                      {at(Prove, moved), after(0, Succeeded), Hold},
		"last step proven":                       {at(Prove, moved, second), after(0, Succeeded), Watch},
		"switch never reaches the slices":        {at(Prove, moved), after(time.Minute, Waiting), Revert},
		"hold goes on":                           {at(Hold, moved), ticked(time.Minute, open), Hold},
		"hold ends under an open gate":           {at(Hold, moved), ticked(3*time.Minute, open), Switch},
		"hold does not end without data":         {at(Hold, moved), ticked(4*time.Minute, noTraffic), Hold},
		"rollback rule fires in a hold":          {at(Hold, moved), ticked(time.Second, broken), Revert},
		"rollback rule fires in the watch":       {at(Watch, moved, second, cutover), ticked(time.Second, broken), Revert},
		"stop in the watch":                      {at(Watch, moved, second, cutover), after(0, Stopped), Revert},
		"interrupted in the watch":               {at(Watch, moved, second, cutover), after(0, Interrupted), Held},
		"rival in the watch":                     {at(Watch, moved, second, cutover), after(0, Rival), Held},
		"watch goes on past the hold at 100":     {at(Watch, moved, second, cutover), ticked(9*time.Minute, open), Watch},
		"watch ends":                             {at(Watch, moved, second, cutover), ticked(10*time.Minute, open), Confirm},
		"watch that outlasts total still ends":   {at(Watch, moved, second, cutover), ticked(16*time.Minute, open), Confirm},
		"confirmed":                              {at(Confirm, moved), after(0, Succeeded), Drain},
		"business logic fails after the watch":   {at(Confirm, moved), after(2*time.Minute, Waiting), Revert},
		"drained":                                {at(Drain, moved), after(0, Succeeded), GiveBack},
		"floors given back":                      {at(GiveBack, moved), after(0, Succeeded), Done},
		"floors not given back":                  {at(GiveBack, moved), after(2*time.Minute, Waiting), Held},
		"stop while floors are given back":       {at(GiveBack, moved), after(0, Stopped), Revert},
		"never drained":                          {at(Drain, moved), after(2*time.Minute, Waiting), Held},
		"stop while draining goes back":          {at(Drain, moved), after(0, Stopped), Revert},
		"reverted":                               {at(Revert, moved), after(0, Succeeded), ProveRevert},
		"revert never written":                   {at(Revert, moved), after(2*time.Minute, Waiting), Unproven},
		"revert not proven":                      {at(ProveRevert, moved), after(time.Minute, Waiting), Unproven},
		"stop on the way back changes nothing":   {at(Revert, moved), after(0, Stopped), Revert},
		"logs can't be kept":                     {at(Preserve, moved), after(0, Failed), DrainReverse},
		"bad side ended":                         {at(End, moved), after(0, Succeeded), Recover},
		"old side healthy":                       {at(Recover, moved), after(0, Succeeded), Restore},
		"floors not given back on the way back":  {at(Restore, moved), after(2*time.Minute, Waiting), RolledBack},
		"old side not healthy":                   {at(Recover, moved), after(2*time.Minute, Waiting), Unproven},
		"a finished run stays finished":          {at(Done), after(0, Failed), Done},
		"an unknown observation holds":           {at(Watch, moved, second, cutover), after(0, "surprise"), Held},
		"a hold ends by the gate alone":          {at(Hold, moved), after(3*time.Minute, Succeeded), Held},
		"a watch ends by the gate alone":         {at(Watch, moved, second, cutover), after(10*time.Minute, Succeeded), Held},
		"the gate proves no switch":              {at(Prove, moved), ticked(0, open), Held},
		"the gate ends no way back":              {at(Revert, moved), ticked(0, broken), Held},
		"a bad gate reading never helps a hold":  {at(Hold, moved), ticked(time.Hour, gate.Decision{}), Hold},
		"the route can't be read for a while":    {at(Watch, moved, second, cutover), after(time.Minute, Waiting), Watch},
		"a step that the release doesn't have":   {at(Watch, moved, cutover, func(s *State) { s.Step = 2 }), ticked(0, open), Held},
		"a stop needs no step to go back":        {at(Watch, moved, cutover, func(s *State) { s.Step = 2 }), after(0, Stopped), Revert},
		"baseline never read":                    {at(Baseline), after(2*time.Minute, Waiting), Blocked},
		"interrupted on the way back can resume": {at(ProveRevert, moved), after(0, Interrupted), Held},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Step(testPolicy(), test.state, test.seen).Phase; got != test.want {
				t.Errorf("Step = %s, want %s", got, test.want)
			}
		})
	}
}

// TestSilence tells what becomes of a watch whose sources stop answering.
func TestSilence(t *testing.T) {
	rollback := testPolicy()
	rollback.SourceDown.Policy = "rollback"
	for name, test := range map[string]struct {
		policy   Policy
		decision gate.Decision
		first    time.Duration
		then     time.Duration
		want     Phase
	}{
		"source down, within the deadline":         {testPolicy(), silent, time.Minute, 2 * time.Minute, Watch},
		"source down, past it: hold":               {testPolicy(), silent, time.Minute, 3 * time.Minute, Held},
		"source down, past it: rollback":           {rollback, silent, time.Minute, 3 * time.Minute, Revert},
		"no traffic early is no reason":            {testPolicy(), noTraffic, time.Minute, 9 * time.Minute, Watch},
		"no traffic past the end: hold":            {testPolicy(), noTraffic, time.Minute, 12 * time.Minute, Held},
		"an advance rule fails past the end: back": {testPolicy(), notReached, time.Minute, 12 * time.Minute, Revert},
	} {
		t.Run(name, func(t *testing.T) {
			state := Step(test.policy, at(Watch, moved, second, cutover), ticked(test.first, test.decision))
			state = Step(test.policy, state, ticked(test.then, test.decision))
			if state.Phase != test.want {
				t.Errorf("phase = %s, want %s (%s)", state.Phase, test.want, state.Reason)
			}
		})
	}
}

// A gate that answers is not silent, whatever it has been waiting for: the
// deadline of a silence counts from its own beginning.
func TestSilenceBeginsWithTheFirstAnswerThatIsMissing(t *testing.T) {
	rollback := testPolicy()
	rollback.SourceDown.Policy = "rollback"
	for name, test := range map[string]struct {
		policy Policy
		seen   []Observation
		want   Phase
	}{
		"no traffic, then a source is down":        {rollback, []Observation{ticked(time.Minute, noTraffic), ticked(5*time.Minute, silent)}, Watch},
		"no traffic, then the route can't be read": {rollback, []Observation{ticked(time.Minute, noTraffic), after(5*time.Minute, Waiting)}, Watch},
		"too slow, then a source is down":          {rollback, []Observation{ticked(time.Minute, notReached), ticked(5*time.Minute, silent)}, Watch},
		"a source is down, then nothing can be":    {rollback, []Observation{ticked(time.Minute, silent), after(3*time.Minute, Waiting)}, Held},
		"nothing can be read, then a source is":    {rollback, []Observation{after(time.Minute, Waiting), ticked(3*time.Minute, silent)}, Revert},
	} {
		t.Run(name, func(t *testing.T) {
			state := at(Watch, moved, second, cutover)
			for _, seen := range test.seen {
				state = Step(test.policy, state, seen)
			}
			if state.Phase != test.want {
				t.Errorf("phase = %s, want %s (%s)", state.Phase, test.want, state.Reason)
			}
		})
	}
}

// A run that is resumed long after its watch should have ended is given the
// time that a gate may stay closed once more.
func TestAResumedWatchIsGivenTimeToAnswer(t *testing.T) {
	state := Step(testPolicy(), at(Watch, moved, second, cutover), ticked(time.Minute, notReached))
	state = Step(testPolicy(), state, after(2*time.Minute, Interrupted))
	state = resume(state, start.Add(time.Hour))
	for _, test := range []struct {
		elapsed time.Duration
		want    Phase
	}{{time.Second, Watch}, {2 * time.Minute, Watch}, {2*time.Minute + time.Second, Revert}} {
		if state = Step(testPolicy(), state, ticked(time.Hour+test.elapsed, notReached)); state.Phase != test.want {
			t.Errorf("%s after it was resumed: phase = %s, want %s", test.elapsed, state.Phase, test.want)
		}
	}
}

func TestRouteThatCantBeReadIsNotWaitedForForEver(t *testing.T) {
	rollback := testPolicy()
	rollback.SourceDown.Policy = "rollback"
	for _, policy := range []Policy{testPolicy(), rollback} {
		state := Step(policy, at(Hold, moved), after(time.Minute, Waiting))
		state = Step(policy, state, after(4*time.Minute, Waiting))
		if state.Phase != Held || state.Resume != Hold {
			t.Errorf("policy %s: phase = %s to resume %s, want held in hold", policy.SourceDown.Policy, state.Phase, state.Resume)
		}
	}
}

func TestUnprovenKeepsWhyItWentBack(t *testing.T) {
	state := Step(testPolicy(), at(Watch, moved, second, cutover), ticked(time.Second, broken))
	state = Step(testPolicy(), state, after(3*time.Minute, Waiting))
	if state.Phase != Unproven || !strings.Contains(state.Reason, "rule: because; then: revert took longer") || len(state.Because) == 0 {
		t.Errorf("phase %s, reason %q, because %v", state.Phase, state.Reason, state.Because)
	}
}

func TestAnInterruptedWayBackKeepsWhyItWentBack(t *testing.T) {
	state := Step(testPolicy(), at(Watch, moved, second, cutover), ticked(time.Second, broken))
	state = Step(testPolicy(), state, after(2*time.Second, Interrupted))
	if state.Phase != Held || state.Reason != "rule: because; then: seen" {
		t.Errorf("phase %s, reason %q", state.Phase, state.Reason)
	}
	state = resume(state, start.Add(time.Minute))
	if state.Phase != Revert || state.Reason != "rule: because; then: seen" || len(state.Because) == 0 || state.Resume != "" {
		t.Errorf("resumed in phase %s with reason %q because of %v", state.Phase, state.Reason, state.Because)
	}
}

func TestWhatHeldARunIsOverOnceItGoesOn(t *testing.T) {
	state := Step(testPolicy(), at(Watch, moved, second, cutover), after(time.Second, Interrupted))
	state = resume(state, start.Add(time.Minute))
	if state.Phase != Watch || state.Reason != "" || state.Entered != start.Add(time.Minute) {
		t.Errorf("resumed in phase %s, entered %s, with reason %q", state.Phase, state.Entered, state.Reason)
	}
}

func TestSilenceThatEndsIsForgotten(t *testing.T) {
	state := at(Watch, moved, second, cutover)
	for _, seen := range []Observation{ticked(time.Minute, silent), ticked(2*time.Minute, open), ticked(4*time.Minute, silent)} {
		state = Step(testPolicy(), state, seen)
	}
	if state.Phase != Watch {
		t.Errorf("phase = %s, want watch: the silence was interrupted by an answer", state.Phase)
	}
}

func TestHealthyRun(t *testing.T) {
	var phases []Phase
	state := at(Preflight)
	for now := time.Duration(0); !state.Phase.Terminal(); now += 30 * time.Second {
		if now > time.Hour {
			t.Fatalf("no end after %s, in phase %s", now, state.Phase)
		}
		seen := after(now, Succeeded)
		if state.Phase == Hold || state.Phase == Watch {
			seen = ticked(now, open)
		}
		if len(phases) == 0 || phases[len(phases)-1] != state.Phase {
			phases = append(phases, state.Phase)
		}
		state = Step(Policy{Steps: testPolicy().Steps, Watch: 10 * time.Minute, Deadlines: release.Deadlines{Total: minutes(60)}}, state, seen)
	}
	want := []Phase{Preflight, Apply, WaitReady, CleanLogs, Health, Synthetic, Baseline, HoldFloor, Switch, Prove, Hold, Switch, Prove, Watch, Confirm, Drain, GiveBack}
	if diff := cmp.Diff(want, phases); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	if state.Phase != Done {
		t.Errorf("end = %s, want done", state.Phase)
	}
}
