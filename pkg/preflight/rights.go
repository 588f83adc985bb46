package preflight

import (
	"fmt"
	"net/http"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Rights are what a release needs of the API server, for a shift to either
// colour. It is the whole list, so that a role can be written from it; to
// judge the room on the nodes a ClusterRole has to let list nodes and pods
// beside it (BG-COL-11). An error means that manifests could not be read.
func Rights(in Inputs) ([]Right, error) {
	all := &rights{namespace: in.namespace()}
	routeRights(all, in.Release)
	podRights(all, in.Release)
	recordRights(all)
	capacityRights(all)
	if err := monitoringRights(all, in.Release); err != nil {
		return nil, err
	}
	for _, database := range in.Release.Spec.Databases {
		if ref := database.Observe.DSN.SecretKeyRef; ref != nil {
			all.need("", "secrets", ref.Name, "get")
		}
	}
	for _, name := range in.Release.Spec.ColorNames() {
		if err := manifestRights(all, in, in.Manifests[name]); err != nil {
			return nil, err
		}
	}
	return all.list, nil
}

// routeRights are those to the Services and to the workloads behind them.
func routeRights(all *rights, rel *release.Release) {
	if service := rel.Spec.Traffic.Service; service != nil {
		all.need("", "services", service.Name, "get", "patch")
	}
	all.need("discovery.k8s.io", "endpointslices", "", "list")
	for _, name := range rel.Spec.ColorNames() {
		color := rel.Spec.Colors[name]
		for _, ref := range color.Workloads {
			all.need("apps", ref.Kind+"s", ref.Name, "get", "patch")
		}
		if color.Service != "" {
			all.need("", "services", color.Service, "get")
		}
	}
}

// podRights are those to look at pods, to talk to them and to end them.
func podRights(all *rights, rel *release.Release) {
	all.need("", "pods", "", "get", "list")
	all.ofPods("", "log", "get")
	all.ofPods("", "proxy", "get")
	forward := "requests that the API server's proxy can't carry do not reach the pods"
	for _, probe := range rel.Spec.Validation.Synthetic {
		if probe.HTTP != nil {
			all.ofPods("", "proxy", proxyVerb(probe.HTTP.Method))
		} else {
			forward = "" // gRPC needs a connection of its own
		}
	}
	all.ofPods(forward, "portforward", "create")
	all.want("a rollback keeps no events of the bad side", "", "events", "", "list")
	drain := rel.Spec.Traffic.Drain
	if drain == release.DrainNone {
		return
	}
	unproven := "graceful termination can't be tried on a spare pod, so open connections are waited for"
	if drain == release.DrainRecycle {
		unproven = ""
	}
	all.want(unproven, "", "pods", "", "create", "delete")
	if drain == release.DrainRecycle || drain == release.DrainAuto {
		all.ofPods("", "eviction", "create")
	}
}

// proxyVerb is the verb that the API server asks for when a request of a
// method goes through a proxy.
func proxyVerb(method string) string {
	switch strings.ToUpper(method) {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	}
	return "get"
}

// recordRights are those to the lease and the journal.
func recordRights(all *rights) {
	all.need("coordination.k8s.io", "leases", "", "get", "create", "update")
	all.need("", "configmaps", "", "get", "list", "create", "update")
	all.want("old runs are kept for ever", "", "configmaps", "", "delete")
}

// capacityRights are those of checks that say for themselves, each with its
// own weight, when they could not look.
func capacityRights(all *rights) {
	all.want("BG-COL-08 and the connection budget can't count what an autoscaler may add", "autoscaling", "horizontalpodautoscalers", "", "list")
	all.want("BG-COL-09 can't tell", "policy", "poddisruptionbudgets", "", "list")
	all.want("BG-COL-10 can't tell", "", "resourcequotas", "", "list")
}

// monitoringRights are those to ask a Prometheus and an Alertmanager that are
// declared as Services, in whatever namespace they are.
func monitoringRights(all *rights, rel *release.Release) error {
	var services []string
	if prometheus := rel.Spec.Metrics.Prometheus; prometheus != nil && prometheus.Service != "" {
		services = append(services, prometheus.Service)
	}
	if found := rel.Spec.Metrics.Alertmanager; found != "" && !strings.Contains(found, "://") {
		services = append(services, found)
	}
	for _, service := range services {
		address, err := release.ParseServiceAddress(service)
		if err != nil {
			return fmt.Errorf("read spec.metrics: %w", err)
		}
		// The API server knows a proxied Service by its name and port.
		all.add("", authorizationv1.ResourceAttributes{Namespace: address.Namespace, Resource: "services", Subresource: "proxy",
			Name: address.Service + ":" + address.Port}, "get")
	}
	return nil
}

// manifestRights are those to apply what manifests declare.
func manifestRights(all *rights, in Inputs, files []string) error {
	if len(files) == 0 {
		return nil
	}
	objects, err := cluster.ReadManifests(files)
	if err != nil {
		return err
	}
	for _, object := range objects {
		resource, namespace := resourceFor(in, object)
		all.add("", authorizationv1.ResourceAttributes{Namespace: namespace, Group: resource.Group, Resource: resource.Resource,
			Name: object.GetName()}, "get", "create", "patch")
	}
	return nil
}

// resourceFor is the resource of an object and the namespace that it goes to,
// "" for the whole cluster. A kind that the server does not know gets the
// plural that it would have: that it can't be applied is told elsewhere.
func resourceFor(in Inputs, object *unstructured.Unstructured) (schema.GroupResource, string) {
	kind := object.GroupVersionKind()
	if in.Client != nil && in.Client.Mapper != nil {
		if mapping, err := in.Client.Mapper.RESTMapping(kind.GroupKind(), kind.Version); err == nil {
			if mapping.Scope.Name() == meta.RESTScopeNameRoot {
				return mapping.Resource.GroupResource(), ""
			}
			return mapping.Resource.GroupResource(), in.namespace()
		}
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	return plural.GroupResource(), in.namespace()
}
