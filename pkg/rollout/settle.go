package rollout

import (
	"context"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// actionTrial is the action of trying graceful termination on a spare pod.
const actionTrial = "trial"

// settle looks at what the process before may or may not have done: the objects
// of its intents without a result. What is found is recorded as their result.
// A phase that writes does so only where what it wants does not hold yet, so
// nothing else has to be undone, but for a spare pod that nobody would delete.
func (r *Runner) settle(ctx context.Context, phase Phase) {
	for _, intent := range journal.Open(r.tenure.Run().Entries) {
		found := r.found(ctx, intent)
		r.tell(phase, Info, "%s of %s was cut off; %s", intent.Action, intent.Object, found)
		entry := journal.Entry{Time: r.Clock.Now(), Kind: journal.Result, Action: intent.Action, Object: intent.Object, Message: "cut off; " + found}
		if err := r.tenure.Record(ctx, entry); err != nil {
			// It stays open, for the next one to settle.
			r.tell(phase, Warning, "the journal can't be written: %v", err)
			return
		}
	}
}

// found says what an intent without a result has come to.
func (r *Runner) found(ctx context.Context, intent journal.Entry) string {
	ref, err := release.ParseWorkload(intent.Object)
	if err != nil {
		return r.foundRoute(ctx, intent.Object)
	}
	if intent.Action == actionTrial {
		deleted, err := traffic.DeleteSparePods(ctx, r.Client, r.Release.Metadata.Namespace, ref)
		if err != nil {
			return fmt.Sprintf("its spare pod could not be looked for: %v", cluster.Explain(err))
		}
		return fmt.Sprintf("%d spare pods of it were left, and are deleted", deleted)
	}
	workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, ref)
	if err != nil {
		return fmt.Sprintf("%s can't be read now: %v", intent.Object, cluster.Explain(err))
	}
	stamp, err := cluster.FenceOf(workload.Object)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("it wants %d replicas and has %d ready, at epoch %d of %s", workload.Replicas, workload.ReadyReplicas, stamp.Epoch, stamp.Holder)
}

// foundRoute says how the production route stands, if it is that.
func (r *Runner) foundRoute(ctx context.Context, object string) string {
	route, err := r.Router.Read(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("the route can't be read now: %v", cluster.Explain(err))
	case route.Object != object:
		return "its phase looks again"
	}
	return fmt.Sprintf("it has %s, at epoch %d of %s", route.Split, route.Fence.Epoch, route.Fence.Holder)
}
