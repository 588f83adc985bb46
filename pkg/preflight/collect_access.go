package preflight

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// access asks for every right that a shift, its rollback and its record need.
func access(ctx context.Context, in Inputs) Fact[[]cluster.Access] {
	return factOf(in.Client.Allowed(ctx, Rights(in)))
}

// Rights are what a release needs of the API server. It is the whole list, so
// that a role can be written from it.
func Rights(in Inputs) []authorizationv1.ResourceAttributes {
	namespace := in.namespace()
	var rights []authorizationv1.ResourceAttributes
	add := func(group, resource, name string, verbs ...string) {
		for _, verb := range verbs {
			rights = append(rights, authorizationv1.ResourceAttributes{Namespace: namespace, Group: group, Resource: resource, Name: name, Verb: verb})
		}
	}
	if service := in.Release.Spec.Traffic.Service; service != nil {
		add("", "services", service.Name, "get", "patch")
	}
	add("", "pods", "", "get", "list")
	if drain := in.Release.Spec.Traffic.Drain; drain == release.DrainRecycle || drain == release.DrainAuto {
		rights = append(rights, authorizationv1.ResourceAttributes{Namespace: namespace, Resource: "pods", Subresource: "eviction", Verb: "create"})
	}
	add("discovery.k8s.io", "endpointslices", "", "list")
	for _, name := range in.Release.Spec.ColorNames() {
		for _, ref := range in.Release.Spec.Colors[name].Workloads {
			add("apps", ref.Kind+"s", ref.Name, "get", "patch")
		}
	}
	add("coordination.k8s.io", "leases", "", "get", "create", "update")
	add("", "configmaps", "", "get", "list", "create", "update")
	for _, database := range in.Release.Spec.Databases {
		if ref := database.Observe.DSN.SecretKeyRef; ref != nil {
			add("", "secrets", ref.Name, "get")
		}
	}
	return rights
}
