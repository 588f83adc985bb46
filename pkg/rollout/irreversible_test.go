package rollout

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const letsNullIn = "db/42.sql:3: drop-not-null: column note of orders may be null from now on"

// TestAGateThatFailsFreezesWhereTheSchemaStays drives whole shifts whose new side
// fails. What was judged when the run began decides, not what is judged later.
func TestAGateThatFailsFreezesWhereTheSchemaStays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		irreversible []string
		code         int
		phase        Phase
		live         string
	}{
		"an old version that can't take over": {[]string{letsNullIn}, CodeHeld, Held, "green"},
		"acknowledged, or no such change":     {nil, CodeRolledBack, RolledBack, "blue"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWorkshop(t, release.NewFirst, 2, 0)
			s.fails("green", 0.5)
			var told []string
			s.Progress = func(event Event) { told = append(told, event.Message) }
			s.Runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
				return &preflight.Report{Irreversible: test.irreversible}, nil
			}
			outcome, err := s.Shift(t.Context(), ShiftRequest{})
			if err != nil || outcome.Code != test.code || outcome.Status.Phase != test.phase {
				t.Fatalf("outcome = %+v, %v, want code %d in %s", outcome, err, test.code, test.phase)
			}
			route, err := s.Router.Read(t.Context())
			if err != nil || route.Split.Sole() != test.live {
				t.Errorf("the route is %s, %v, want %s", route.Split, err, test.live)
			}
			warned := slices.ContainsFunc(told, func(line string) bool {
				return strings.Contains(line, "never goes back by itself") && strings.Contains(line, letsNullIn)
			})
			if frozen := test.irreversible != nil; warned != frozen || strings.Contains(outcome.Message, letsNullIn) != frozen || len(outcome.Status.Irreversible) != len(test.irreversible) {
				t.Errorf("warned: %t, message %q, status %q", warned, outcome.Message, outcome.Status.Irreversible)
			}
			if test.irreversible == nil {
				return
			}
			// Another process, whose own files say nothing, keeps to the record.
			next := s.again()
			next.Preflight = func(context.Context, string) (*preflight.Report, error) { return &preflight.Report{}, nil }
			if outcome, err := next.Resume(t.Context()); err != nil || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, "frozen: ") {
				t.Errorf("resumed: %+v, %v, want it frozen again", outcome, err)
			}
			if outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeDone {
				t.Errorf("a person went back: %+v, %v", outcome, err)
			}
		})
	}
}

// A policy that is not of the release holds for every phase of a run's machine.
func TestStepFreezesByTheRecord(t *testing.T) {
	policy := testPolicy()
	state := at(Watch, moved, second, cutover)
	if got := Step(policy, state, ticked(0, broken)); got.Phase != Revert {
		t.Fatalf("without such a change: %s, want revert", got.Phase)
	}
	state.Irreversible = []string{letsNullIn}
	got := Step(policy, state, ticked(0, broken))
	if got.Phase != Held || !strings.HasPrefix(got.Reason, "frozen: ") {
		t.Errorf("with one: %s (%s), want held and frozen", got.Phase, got.Reason)
	}
	if got := Step(policy, state, after(0, Stopped)); got.Phase != Revert {
		t.Errorf("a person's stop leads to %s, want revert", got.Phase)
	}
}

func TestAPlanTellsThatARunWouldFreeze(t *testing.T) {
	s := newWorkshop(t, release.NewFirst, 2, 0)
	for _, irreversible := range [][]string{nil, {letsNullIn}} {
		s.Migrations = func() []string { return irreversible }
		plan, err := s.DryRun(t.Context(), ShiftRequest{}, false)
		want := release.PolicyRollback
		if irreversible != nil {
			want = release.PolicyFreeze
		}
		if err != nil || plan.OnFailure != want || !slices.Equal(plan.Irreversible, irreversible) {
			t.Errorf("plan: on failure %s because of %q, %v, want %s", plan.OnFailure, plan.Irreversible, err, want)
		}
	}
}
