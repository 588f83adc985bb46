package preflight

import (
	"cmp"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// poolPosition is where in the manifests the size of a pool stands, or what is around
// it; nil where it stands in none.
func (f *Facts) poolPosition(pool postgres.PoolSize) *release.Position {
	for _, place := range pool.Places {
		if position, written := f.Places.Manifests[place.Object][place.Field]; written {
			return &position
		}
	}
	for _, place := range slices.Backward(pool.Places) {
		if position, found := f.Places.Manifests[place.Object].Nearest(place.Field); found {
			return &position
		}
	}
	return nil
}

// podsPosition is where the manifests say how many pods a workload may have.
func (f *Facts) podsPosition(demand postgres.ColorDemand) *release.Position {
	for _, color := range f.colors() {
		for _, workload := range color.Workloads.Value {
			if workload.Ref.String() != demand.Workload {
				continue
			}
			for _, autoscaler := range f.autoscalers(workload.Ref) {
				position, found := f.Places.Manifests["horizontalpodautoscaler/"+autoscaler.Name].Nearest("spec.maxReplicas")
				if found && demand.Maximum > demand.Replicas {
					return &position
				}
			}
			if position, found := f.Places.Manifests[demand.Workload].Nearest("spec.replicas"); found {
				return &position
			}
		}
	}
	return nil
}

// culprit is what of a demand to look at first: of the pools that are larger than one
// that fits the one by which most connections come, or, where no pool would fit, the
// number of pods.
func (f *Facts) culprit(colors []postgres.ColorDemand, pool int) *release.Position {
	byDemand := slices.SortedFunc(slices.Values(colors), func(a, b postgres.ColorDemand) int { return cmp.Compare(b.Connections, a.Connections) })
	for _, demand := range byDemand {
		var position *release.Position
		switch {
		case pool < 1:
			position = f.podsPosition(demand)
		case demand.Pool.Connections > pool:
			position = f.poolPosition(demand.Pool)
		}
		if position != nil {
			return position
		}
	}
	return nil
}
