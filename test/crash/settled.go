package crash

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// settled returns an error unless a colour serves alone, the last run has
// ended so, none of its intents is left open, no pod that it made is left, and no
// side is at zero that may never be.
func (s *Suite) settled(ctx context.Context, serves string) error {
	return errors.Join(s.shop.Serves(ctx, serves), s.recorded(ctx, serves), s.swept(ctx), s.kept(ctx))
}

// kept returns an error for a side that was scaled to zero beside a route of
// which its proxy drops everything then (docs/routers.md).
func (s *Suite) kept(ctx context.Context) error {
	if !s.shop.KeepsBothSides() {
		return nil
	}
	for _, color := range []string{shop.Blue, shop.Green} {
		replicas, err := s.shop.Replicas(ctx, color)
		if err != nil {
			return err
		}
		if replicas == 0 {
			return fmt.Errorf("%s is scaled to zero, and its Service stands in the route", color)
		}
	}
	return nil
}

// current is the last run.
func (s *Suite) current(ctx context.Context) (*journal.Run, error) {
	return journal.New(s.client.Kubernetes, s.shop.Namespace, shop.Release, clock.RealClock{}).Current(ctx)
}

// recorded looks at the record of the last run.
func (s *Suite) recorded(ctx context.Context, serves string) error {
	run, err := s.current(ctx)
	if err != nil {
		return err
	}
	if run == nil {
		return errors.New("no run is recorded")
	}
	want := rollout.Done
	if serves == shop.Blue {
		want = rollout.RolledBack
	}
	switch open := journal.Open(run.Entries); {
	case run.Finished.IsZero():
		return fmt.Errorf("run %s is not finished: it is in phase %s", run.ID, run.Phase)
	case run.Outcome != string(want):
		return fmt.Errorf("run %s ended with %s, want %s", run.ID, run.Outcome, want)
	case len(open) > 0:
		return fmt.Errorf("%srun %s ended with %d open intents, the first: %s %s", promise.Broken, run.ID, len(open), open[0].Action, open[0].Object)
	}
	return nil
}

// swept looks for spare pods that nobody needs any more; one that ends is on
// its way.
func (s *Suite) swept(ctx context.Context) error {
	pods, err := s.client.Pods(ctx, s.shop.Namespace, labels.SelectorFromSet(labels.Set{traffic.LabelPurpose: traffic.PurposeTermination}))
	if err != nil {
		return err
	}
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			return fmt.Errorf("pod %s was left behind", pod.Name)
		}
	}
	return nil
}
