package planted

import (
	"context"
	"fmt"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// rolledBack leaves the record of a run that was rolled back from green as it is.
func rolledBack(ctx context.Context, site *Site) (Undo, error) {
	undo := func(ctx context.Context) error {
		return site.Kubectl(ctx, "delete", "configmaps,leases", "-l", cluster.LabelRelease+"="+shop.Release)
	}
	client := site.Client()
	state := rollout.State{Phase: rollout.RolledBack, From: shop.Blue, To: shop.Green, Reason: "it was planted", Templates: map[string]string{}}
	for _, color := range []string{shop.Blue, shop.Green} {
		ref := release.Workload{Kind: "deployment", Name: shop.Deployment(color)}
		workload, err := client.Workload(ctx, site.Namespace, ref)
		if err != nil {
			return undo, err
		}
		state.Templates[ref.String()] = workload.TemplateHash()
	}
	tenure, err := journal.New(client.Kubernetes, site.Namespace, shop.Release, clock.RealClock{}).
		Acquire(ctx, journal.AcquireOptions{Holder: "planted"}, journal.Run{ID: "20261122-140000-k7f3q", From: state.From, To: state.To})
	if err != nil {
		return undo, fmt.Errorf("plant a record: %w", err)
	}
	if err := tenure.Save(ctx, state, string(state.Phase)); err != nil {
		return undo, fmt.Errorf("plant a record: %w", err)
	}
	return undo, tenure.Finish(ctx, string(state.Phase))
}
