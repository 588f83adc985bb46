package traffic

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Prove implements Router: every side that is given jobs has the pods ready that
// it wants, and no pod of one that is given none takes another job. Those that
// are ending are told, for they may have a job still.
func (r *workersRouter) Prove(ctx context.Context, split Split) (Proof, error) {
	seen, err := r.look(ctx)
	if err != nil {
		return Proof{}, err
	}
	route, err := r.route(seen)
	if err != nil {
		return Proof{}, err
	}
	if !route.Split.Equal(split) || len(split) == 0 {
		return Proof{Time: r.clock.Now(), Message: fmt.Sprintf("%s has %s, not %s", r.object(), route.Shares(), cmp.Or(split.String(), "a split"))}, nil
	}
	proof := Proof{Proven: true, Time: r.clock.Now()}
	for _, one := range seen {
		if !one.deployed() {
			continue
		}
		behind, err := r.proveCrew(ctx, one)
		if err != nil {
			return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), err)
		}
		proof = proof.and(behind)
	}
	return proof, nil
}

// proveCrew holds the pods of one side against its replicas.
func (r *workersRouter) proveCrew(ctx context.Context, one crew) (Proof, error) {
	pods, err := r.client.Pods(ctx, r.namespace, one.workload.Selector)
	if err != nil {
		return Proof{}, err
	}
	pods = slices.DeleteFunc(pods, ended)
	var proof Proof
	ending := 0
	ready := map[string]bool{}
	for _, pod := range readyPods(pods) {
		ready[pod.Name] = true
		proof.Ready = append(proof.Ready, pod.Name)
	}
	for _, pod := range pods {
		switch {
		case pod.DeletionTimestamp != nil:
			ending++
		case !ready[pod.Name]:
			proof.Missing = append(proof.Missing, pod.Name)
		}
	}
	slices.Sort(proof.Missing)
	wanted := int(one.replicas())
	if wanted == 0 {
		proof.Extra = slices.Sorted(slices.Values(append(proof.Ready, proof.Missing...)))
		proof.Ready, proof.Missing, proof.Proven = nil, nil, len(proof.Extra) == 0
		proof.Message = fmt.Sprintf("no pod of %s is left to take a job", one.color)
		if !proof.Proven {
			proof.Message = fmt.Sprintf("pods of %s still take jobs: %s", one.color, strings.Join(proof.Extra, ", "))
		}
	} else {
		_, why := one.ready()
		proof.Proven = len(proof.Ready) >= wanted && why == ""
		proof.Message = fmt.Sprintf("%d/%d pods of %s are ready", len(proof.Ready), wanted, one.color)
		if why != "" {
			proof.Message += "; " + why
		}
	}
	if ending > 0 {
		proof.Message += fmt.Sprintf(", %d still end", ending)
	}
	return proof, nil
}
