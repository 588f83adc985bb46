package preflight

import (
	"context"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// layerKind is a kind of layer that not every cluster serves.
type layerKind struct {
	resource, group string
	// versions are those that are known, the first that is served is asked.
	versions []string
}

func layerKinds() []layerKind {
	return []layerKind{
		{layerHTTPProxies, "projectcontour.io", []string{"v1"}},
		{layerDestinationRules, "networking.istio.io", []string{"v1beta1", "v1"}},
		{layerBackendConfigs, "cloud.google.com", []string{"v1", "v1beta1"}},
	}
}

// servedLayer is in what version a kind is served, the zero one for none, and why
// that is not known.
type servedLayer struct {
	resource schema.GroupVersionResource
	err      error
}

// discoverLayers asks which kinds of layers the cluster serves, by resource.
func discoverLayers(ctx context.Context, in Inputs) map[string]servedLayer {
	found := map[string]servedLayer{}
	for _, kind := range layerKinds() {
		found[kind.resource] = discoverLayer(ctx, in, kind)
	}
	return found
}

func discoverLayer(ctx context.Context, in Inputs, kind layerKind) servedLayer {
	for _, version := range kind.versions {
		asked := schema.GroupVersion{Group: kind.group, Version: version}
		list, err := discoveryOf(in).ServerResourcesForGroupVersionWithContext(ctx, asked.String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return servedLayer{err: fmt.Errorf("see whether the cluster serves %s: %w", kind.resource, err)}
		}
		if slices.ContainsFunc(list.APIResources, func(one metav1.APIResource) bool { return one.Name == kind.resource }) {
			return servedLayer{resource: asked.WithResource(kind.resource)}
		}
	}
	return servedLayer{}
}

// layers looks at everything before and behind the route that may tie clients,
// where the cluster serves it. It comes after the colours, whose Services say
// what to look at.
func layers(ctx context.Context, in Inputs, facts *Facts) map[string]Layer {
	if workers(facts) || !facts.Route.Known {
		return nil
	}
	services := servicesOf(in.Release)
	found := map[string]Layer{layerIngresses: ingressLayer(ctx, in, services)}
	served := in.servedLayers(ctx)
	look := func(resource string, ties func(*unstructured.Unstructured) []Tie) {
		if layer, is := dynamicLayer(ctx, in, served[resource], ties); is {
			found[resource] = layer
		}
	}
	own := ownRoutes(in.Release, layerHTTPProxies)
	look(layerHTTPProxies, func(object *unstructured.Unstructured) []Tie {
		if slices.Contains(own, object.GetName()) {
			return nil
		}
		return httpProxyTies(object, services)
	})
	hosts := hostsOf(facts, services)
	look(layerDestinationRules, func(object *unstructured.Unstructured) []Tie { return destinationRuleTies(object, hosts) })
	if named := namedBackendConfigs(facts); len(named) > 0 {
		look(layerBackendConfigs, func(object *unstructured.Unstructured) []Tie { return backendConfigTies(object, named) })
	}
	return found
}

// ingressLayer looks at the Ingresses but for the route itself, which says for
// itself what it ties.
func ingressLayer(ctx context.Context, in Inputs, services []string) Layer {
	list, err := in.Client.Kubernetes.NetworkingV1().Ingresses(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return unreadLayer(fmt.Errorf("list ingresses in %s: %w", in.namespace(), err))
	}
	own := ownRoutes(in.Release, layerIngresses)
	ties := []Tie{}
	for _, ingress := range slices.DeleteFunc(list.Items, func(one networkingv1.Ingress) bool { return slices.Contains(own, one.Name) }) {
		ties = append(ties, ingressTies(&ingress, services)...)
	}
	return Layer{Ties: known(ties)}
}

// dynamicLayer looks at the objects of a kind; is is false where there are none.
func dynamicLayer(ctx context.Context, in Inputs, served servedLayer, ties func(*unstructured.Unstructured) []Tie) (layer Layer, is bool) {
	if served.err != nil {
		return unreadLayer(served.err), true
	}
	if served.resource.Empty() {
		return Layer{}, false
	}
	list, err := in.Client.Dynamic.Resource(served.resource).Namespace(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return unreadLayer(fmt.Errorf("list %s in %s: %w", served.resource.Resource, in.namespace(), err)), true
	}
	found := []Tie{}
	for i := range list.Items {
		found = append(found, ties(&list.Items[i])...)
	}
	return Layer{Ties: known(found)}, true
}

func unreadLayer(err error) Layer {
	return Layer{Ties: notKnown[[]Tie](err), Forbidden: apierrors.IsForbidden(err)}
}

// servicesOf are the production Services and those of the colours.
func servicesOf(rel *release.Release) []string {
	services := rel.Spec.Traffic.Services()
	for _, name := range rel.Spec.ColorNames() {
		if service := rel.Spec.Colors[name].Service; service != "" {
			services = append(services, service)
		}
	}
	return services
}

// ownRoutes are the objects of a resource that the release's route is.
func ownRoutes(rel *release.Release, resource string) []string {
	var names []string
	routes, _ := traffic.Describe(rel) // a release without a route has none
	for _, route := range routes {
		if route.Resource.Resource == resource {
			names = append(names, route.Name, route.Beside)
		}
	}
	return names
}

// hostsOf are the hosts at which a mesh knows the release, as service.namespace:
// its Services, and where its VirtualService leads.
func hostsOf(facts *Facts, services []string) []string {
	var hosts []string
	for _, service := range services {
		hosts = append(hosts, service+"."+facts.Namespace)
	}
	if object, read := facts.Route.Value.State.Live.(*unstructured.Unstructured); read {
		for _, protocol := range []string{"http", "tls", "tcp"} {
			for _, route := range entriesAt(object.Object, "spec", protocol) {
				for _, weighted := range entriesAt(route, "route") {
					host, _, _ := unstructured.NestedString(weighted, "destination", "host")
					hosts = append(hosts, fullHost(host, facts.Namespace))
				}
			}
		}
	}
	return hosts
}

// namedBackendConfigs are those that a Service of the release names.
func namedBackendConfigs(facts *Facts) []string {
	var named []string
	for _, service := range facts.Route.Value.services() {
		named = append(named, backendConfigsOf(service)...)
	}
	for _, color := range facts.colors() {
		if color.Service.Value != nil {
			named = append(named, backendConfigsOf(color.Service.Value)...)
		}
	}
	return named
}
