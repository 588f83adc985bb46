package rollout

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Who names a run goes back from that one, and touches none that was begun since,
// whether it has ended, was left or is driven.
func TestRollbackOfOneRunAlone(t *testing.T) {
	const first, second = "20261122-153012-k7f3q", "20261122-160000-z9x8w"
	for _, test := range []struct {
		name string
		// last is the run on record, held by somebody or left.
		last string
		held bool
		want string
	}{
		{name: "it is the last", last: first},
		{name: "another was begun since", last: second, want: "nothing was done, for run " + second + " is the last one"},
		{name: "another is driven", last: second, held: true, want: "nothing was done, for run " + second + " is the last one"},
		{name: "there is none", want: "has no run"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
				if test.last != "" {
					bob, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: test.last})
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = bob.Release(context.WithoutCancel(t.Context())) }()
					if err := bob.Save(t.Context(), State{Phase: Watch, From: "blue", To: "green", Moved: true}, string(Watch)); err != nil {
						t.Fatal(err)
					}
					if !test.held {
						if err := bob.Release(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
				}
				outcome, err := runner.Rollback(t.Context(), RollbackRequest{Run: first, Reason: "asked"})
				if test.want == "" {
					if err != nil || outcome.Code != CodeDone || !production.Split.Equal(traffic.Whole("blue")) {
						t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), test.want) || release.HintOf(err) == "" {
					t.Errorf("outcome = %+v, err = %v, want %q", outcome, err, test.want)
				}
				if production.Split.Sole() != "green" {
					t.Errorf("the route is at %s", production.Split)
				}
			})
		})
	}
}
