package rollout

import (
	"context"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// servedElsewhere names a production route of a shift, other than those of this
// release, that leads to a side which is about to be ended: of two documents about the
// same pods one names the wrong Service, and whoever comes in by the other would meet
// nobody. It is "" where there is none, nothing is left to end, or nobody may look.
func (r *Runner) servedElsewhere(ctx context.Context, workloads []*cluster.Workload) string {
	wanted := int32(0)
	for _, workload := range workloads {
		wanted += workload.Replicas
	}
	if r.scales() || wanted == 0 {
		return ""
	}
	services, err := traffic.Entrances(ctx, r.Client, r.Release.Metadata.Namespace)
	if err != nil {
		return ""
	}
	for _, workload := range workloads {
		for _, service := range services {
			if service.Moved && service.PassesBy(r.Release, workload.Template.Labels) {
				return fmt.Sprintf("service/%s leads to %s, a shift has moved it before, and this Release does not name it", service.Name, workload.Ref)
			}
		}
	}
	return ""
}

// keptByAnother refuses to decommission a side that another route leads to.
func (r *Runner) keptByAnother(ctx context.Context, finish Finish) (*Outcome, error) {
	workloads, _, err := r.present(ctx, finish.Idle)
	if err != nil {
		return nil, err
	}
	if elsewhere := r.servedElsewhere(ctx, workloads); elsewhere != "" {
		return &Outcome{Code: CodeBlocked, Message: fmt.Sprintf("%s is not idle: %s", finish.Idle, elsewhere), Next: "kubectl bluegreen check"}, nil
	}
	return nil, nil
}
