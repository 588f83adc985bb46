package custom

import (
	"cmp"
	"maps"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

func colorOf(facts *preflight.Facts, color preflight.Color) Color {
	found := Color{
		Name: color.Name, Planned: color.Planned, Workloads: then(color.Workloads, workloadsOf),
		Pods: color.Pods, OwnedPods: color.Owned, Service: color.Service,
		Manifests: notKnown[[]string]("the Release names no manifests for it"),
	}
	if manifests, declared := facts.Manifests[color.Name]; declared {
		found.Manifests = manifests
	}
	if color.Declared.Service == "" {
		found.Service.Known = true // that there is none
	}
	for _, database := range slices.Sorted(maps.Keys(color.Pools)) {
		for _, workload := range slices.Sorted(maps.Keys(color.Pools[database])) {
			found.Pools = append(found.Pools, poolOf(database, workload, color.Pools[database][workload]))
		}
	}
	return found
}

func workloadsOf(workloads []cluster.Workload) []Workload {
	var found []Workload
	for _, workload := range workloads {
		found = append(found, Workload{
			Kind: workload.Ref.Kind, Name: workload.Ref.Name, Replicas: workload.Replicas, ReadyReplicas: workload.ReadyReplicas,
			MaxSurge: workload.MaxSurge, Template: workload.Template,
		})
	}
	return found
}

func poolOf(database, workload string, size postgres.PoolSize) Pool {
	connections := notKnown[int](cmp.Or(size.Provenance, "nothing says how many connections a pod takes"))
	if size.Known {
		connections = known(size.Connections)
	}
	return Pool{Database: database, Workload: workload, Connections: connections, Provenance: size.Provenance, Trust: size.Trust}
}
