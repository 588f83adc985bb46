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
		{layerHTTPRoutes, "gateway.networking.k8s.io", []string{"v1", "v1beta1"}},
		{layerGRPCRoutes, "gateway.networking.k8s.io", []string{"v1"}},
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
		if layer, is := dynamicLayer(served[resource], func(kind schema.GroupVersionResource) ([]Tie, error) { return listedTies(ctx, in, kind, ties) }); is {
			found[resource] = layer
		}
	}
	for resource, ties := range map[string]func(*unstructured.Unstructured, destinations) []Tie{
		layerHTTPRoutes: gatewayRouteTies, layerGRPCRoutes: gatewayRouteTies, layerHTTPProxies: httpProxyTies,
	} {
		own := ownRoutes(in.Release, resource) // says for itself what it ties
		look(resource, func(object *unstructured.Unstructured) []Tie {
			if slices.Contains(own, object.GetName()) {
				return nil
			}
			return ties(object, services)
		})
	}
	hosts := hostsOf(facts, services)
	look(layerDestinationRules, func(object *unstructured.Unstructured) []Tie { return destinationRuleTies(object, hosts) })
	if named := namedBackendConfigs(facts); len(named.all()) > 0 {
		if layer, is := dynamicLayer(served[layerBackendConfigs], func(kind schema.GroupVersionResource) ([]Tie, error) { return namedTies(ctx, in, kind, named) }); is {
			found[layerBackendConfigs] = layer
		}
	}
	return found
}

// ingressLayer looks at the Ingresses but for the route itself, which says for
// itself what it ties.
func ingressLayer(ctx context.Context, in Inputs, services destinations) Layer {
	all, err := everyPage(func(options metav1.ListOptions) ([]networkingv1.Ingress, string, error) {
		page, err := in.Client.Kubernetes.NetworkingV1().Ingresses(in.namespace()).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Continue, nil
	})
	if err != nil {
		return unreadLayer(fmt.Errorf("list ingresses in %s: %w", in.namespace(), err))
	}
	own := ownRoutes(in.Release, layerIngresses)
	ties := []Tie{}
	for _, ingress := range slices.DeleteFunc(all, func(one networkingv1.Ingress) bool { return slices.Contains(own, one.Name) }) {
		ties = append(ties, ingressTies(&ingress, services)...)
	}
	return Layer{Ties: known(ties)}
}

// dynamicLayer looks at the objects of a kind; is is false where there are none.
func dynamicLayer(served servedLayer, look func(schema.GroupVersionResource) ([]Tie, error)) (layer Layer, is bool) {
	if served.err != nil {
		return unreadLayer(served.err), true
	}
	if served.resource.Empty() {
		return Layer{}, false
	}
	found, err := look(served.resource)
	if err != nil {
		return unreadLayer(err), true
	}
	return Layer{Ties: known(found)}, true
}

// listedTies are those of all objects of a kind.
func listedTies(ctx context.Context, in Inputs, kind schema.GroupVersionResource, ties func(*unstructured.Unstructured) []Tie) ([]Tie, error) {
	all, err := everyPage(func(options metav1.ListOptions) ([]unstructured.Unstructured, string, error) {
		page, err := in.Client.Dynamic.Resource(kind).Namespace(in.namespace()).List(ctx, options)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.GetContinue(), nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", kind.Resource, in.namespace(), err)
	}
	found := []Tie{}
	for i := range all {
		found = append(found, ties(&all[i])...)
	}
	return found, nil
}

// namedTies are those of the BackendConfigs that Services name. One that is not
// there ties nobody.
func namedTies(ctx context.Context, in Inputs, kind schema.GroupVersionResource, named destinations) ([]Tie, error) {
	found := []Tie{}
	names := named.all()
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		config, err := in.Client.Dynamic.Resource(kind).Namespace(in.namespace()).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, fmt.Errorf("read backendconfig %s in %s: %w", name, in.namespace(), err)
		default:
			found = append(found, backendConfigTies(config, !slices.Contains(named.production, name))...)
		}
	}
	return found, nil
}

func unreadLayer(err error) Layer {
	return Layer{Ties: notKnown[[]Tie](err), Forbidden: apierrors.IsForbidden(err)}
}

// servicesOf are the production Services and those of the colours.
func servicesOf(rel *release.Release) destinations {
	services := destinations{production: rel.Spec.Traffic.Services()}
	for _, name := range rel.Spec.ColorNames() {
		if service := rel.Spec.Colors[name].Service; service != "" && !slices.Contains(services.all(), service) {
			services.colors = append(services.colors, service)
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
// its Services, and where its VirtualServices lead.
func hostsOf(facts *Facts, services destinations) destinations {
	var hosts destinations
	for _, service := range services.production {
		hosts.production = append(hosts.production, service+"."+facts.Namespace)
	}
	for _, service := range services.colors {
		hosts.colors = append(hosts.colors, service+"."+facts.Namespace)
	}
	for _, route := range facts.Route.Value.State.Each() {
		for _, host := range hostsOfRoute(route, facts.Namespace) {
			if !slices.Contains(hosts.colors, host) {
				hosts.production = append(hosts.production, host)
			}
		}
	}
	return hosts
}

// namedBackendConfigs are those that a Service of the release names. One that both
// colours name ties within each all the same.
func namedBackendConfigs(facts *Facts) destinations {
	var named destinations
	for _, service := range facts.Route.Value.services() {
		named.production = append(named.production, backendConfigsOf(service)...)
	}
	for _, color := range facts.colors() {
		if color.Service.Value != nil {
			named.colors = append(named.colors, backendConfigsOf(color.Service.Value)...)
		}
	}
	return named
}
