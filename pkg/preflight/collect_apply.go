package preflight

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// dryApply sends the target's manifests as a shift will, with dryRun=All, and
// counts the objects. refused tells a no from an answer that did not come. Where the
// target gets no manifests, or has the traffic already, nothing is sent.
func dryApply(ctx context.Context, in Inputs, facts *Facts) (objects Fact[int], refused bool) {
	files := in.Manifests[facts.Target]
	if len(files) == 0 || workers(facts) || !facts.Route.Known || facts.Route.Value.Live == facts.Target {
		return Fact[int]{}, false
	}
	read, err := cluster.ReadManifests(files)
	if err != nil {
		return notKnown[int](err), false
	}
	fence := cluster.Fence{Epoch: facts.Route.Value.State.Newest().Epoch + 1, Holder: "preflight"}
	applied, err := in.Client.Apply(ctx, in.namespace(), read, cluster.ApplyOptions{Fence: fence, DryRun: true})
	if err != nil {
		var conflict *cluster.FieldConflictError
		return notKnown[int](err), isRefusal(err) || errors.As(err, &conflict) || meta.IsNoMatchError(err)
	}
	return known(len(applied)), false
}
