package crash

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// settled returns an error unless a colour serves alone, the last run has
// ended so, none of its intents is left open, and no pod that it made is left.
func (s *Suite) settled(ctx context.Context, serves string) error {
	return errors.Join(s.driver.Serves(ctx, s.shop, serves), s.recorded(ctx, serves), s.swept(ctx))
}

// current is the last run.
func (s *Suite) current(ctx context.Context) (*journal.Run, error) {
	return journal.New(s.client.Kubernetes, s.shop.Namespace, releaseName, clock.RealClock{}).Current(ctx)
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
		return fmt.Errorf("run %s ended with %d open intents, the first: %s %s", run.ID, len(open), open[0].Action, open[0].Object)
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

// Lost returns an error for every request that a killed process could have
// cost: one that was answered badly, one on a kept connection, or a route that
// selected nothing, which refuses every new connection while it does. A single
// refused one is not of that kind: no process of ours stands between a client
// and a pod, and it was seen once in some 200 switches.
func Lost(counts clients.Counts) error {
	if counts.Failed == 0 || OneRefused(counts) {
		return nil
	}
	return fmt.Errorf("%d of %d requests were lost, of which the first are: %+v", counts.Failed, counts.Requests, counts.Failures[:min(3, len(counts.Failures))])
}

// OneRefused reports whether all that failed is one new connection that was
// refused.
func OneRefused(counts clients.Counts) bool {
	return counts.Failed == 1 && counts.Fresh.Failed == 1 && len(counts.Failures) == 1 && counts.Failures[0].Kind == clients.Transport &&
		strings.Contains(counts.Failures[0].Detail, "connection refused")
}
