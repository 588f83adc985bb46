package detect

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The routes of the Gateway API (https://gateway-api.sigs.k8s.io). They differ
// in what they match; all of them share by the weights of backendRefs.

const gatewayGroup = "gateway.networking.k8s.io/"

// gatewayOrder is the precedence that the Gateway API promises.
func gatewayOrder() order {
	return order{
		promised: "the more exact host wins, then the more exact path, then more conditions, then the older object",
		compare:  moreExact, oldest: true,
	}
}

func httpRoute() kind {
	return kind{
		name: "httproute", resource: "httproutes", versions: []string{gatewayGroup + "v1", gatewayGroup + "v1beta1"}, order: gatewayOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			return readGateway(object, release.Traffic{HTTPRoute: &release.NamedRoute{Name: object.GetName()}}, httpMatch)
		},
	}
}

func grpcRoute() kind {
	return kind{
		name: "grpcroute", resource: "grpcroutes", versions: []string{gatewayGroup + "v1", gatewayGroup + "v1alpha2"}, order: gatewayOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			return readGateway(object, release.Traffic{GRPCRoute: &release.NamedRoute{Name: object.GetName()}}, grpcMatch)
		},
	}
}

func tlsRoute() kind {
	return kind{
		name: "tlsroute", resource: "tlsroutes", versions: []string{gatewayGroup + "v1", gatewayGroup + "v1alpha3", gatewayGroup + "v1alpha2"}, order: gatewayOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			return readGateway(object, release.Traffic{TLSRoute: versionedRoute(object)}, noMatch)
		},
	}
}

// A TCPRoute takes connections by the port of its Gateway; no host says whose.
func tcpRoute() kind {
	return kind{
		name: "tcproute", resource: "tcproutes", versions: []string{gatewayGroup + "v1", gatewayGroup + "v1alpha2"}, order: gatewayOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			found, err := readGateway(object, release.Traffic{TCPRoute: versionedRoute(object)}, noMatch)
			found.inner = true
			found.notes = append(found.notes, "it takes connections by the port of its Gateway, whatever host they are for")
			return found, err
		},
	}
}

// versionedRoute names a route, and the version that the cluster serves it in
// where a driver would not take that by itself.
func versionedRoute(object *unstructured.Unstructured) *release.VersionedRoute {
	one := &release.VersionedRoute{Name: object.GetName()}
	if version := object.GroupVersionKind().Version; version != "v1alpha2" {
		one.Version = version
	}
	return one
}

// readGateway reads any of them; matches says what an entry of a rule's matches
// means.
func readGateway(object *unstructured.Unstructured, declares release.Traffic, matches func(map[string]any) match) (reading, error) {
	lists, err := listsOf(declares, object)
	if err != nil {
		return reading{}, err
	}
	found := reading{declares: declares, lists: lists}
	hosts := gatewayHosts(object, &found)
	for i, rule := range objectsAt(object.Object, "spec", "rules") {
		references := objectsAt(rule, "backendRefs")
		leads := leadsOf(lists[i], object.GetNamespace(), func(at int) target { return gatewayTarget(references[at], object.GetNamespace()) })
		entries := objectsAt(rule, "matches")
		if len(entries) == 0 {
			entries = []map[string]any{nil}
		}
		for _, entry := range entries {
			found.claims = append(found.claims, claim{place: lists[i].Name, hosts: hosts, match: matches(entry), leads: leads})
		}
	}
	return found, nil
}

// gatewayHosts are the hosts of a route: its own, or, where its parents are
// Services of a mesh, theirs.
func gatewayHosts(object *unstructured.Unstructured, found *reading) []host {
	hosts := allNamed(textsAt(object.Object, "spec", "hostnames"))
	parents := objectsAt(object.Object, "spec", "parentRefs")
	for _, parent := range parents {
		if textAt(parent, "kind") == "Service" {
			found.instead = append(found.instead, gatewayTarget(parent, object.GetNamespace()))
		}
	}
	if len(hosts) > 0 {
		return hosts
	}
	if len(found.instead) == 0 || len(found.instead) < len(parents) {
		found.notes = append(found.notes, "it names no host, so it takes every one that the listeners of its Gateways do")
		return nil
	}
	for _, service := range found.instead {
		hosts = append(hosts, hostsOfService(service)...)
	}
	return hosts
}

// gatewayTarget is what a reference means: a Service unless it says otherwise.
func gatewayTarget(reference map[string]any, own string) target {
	to := target{kind: strings.ToLower(textAt(reference, "kind")), namespace: textAt(reference, "namespace"), name: textAt(reference, "name")}
	if to.kind == "" {
		to.kind = kindService
	}
	if to.namespace == "" {
		to.namespace = own
	}
	return to
}

func noMatch(map[string]any) match { return match{} }

// httpMatch is an entry of matches of an HTTPRoute.
func httpMatch(entry map[string]any) match {
	one := match{}
	switch path := textAt(entry, "path", "value"); textAt(entry, "path", "type") {
	case "Exact":
		one = match{kind: exactPath, path: path}
	case "RegularExpression":
		one = match{kind: expressionPath, path: path}
	default:
		one = under(path)
	}
	if method := textAt(entry, "method"); method != "" {
		one = one.with(condition{on: "method", is: method, exact: true})
	}
	return one.with(slices.Concat(gatewayConditions("header", objectsAt(entry, "headers")), gatewayConditions("parameter", objectsAt(entry, "queryParams")))...)
}

// grpcMatch is an entry of matches of a GRPCRoute: a method is a path.
func grpcMatch(entry map[string]any) match {
	one := match{}
	service, method := textAt(entry, "method", "service"), textAt(entry, "method", "method")
	switch {
	case textAt(entry, "method", "type") == "RegularExpression":
		one = match{kind: expressionPath, path: "/" + service + "/" + method}
	case service != "" && method != "":
		one = match{kind: exactPath, path: "/" + service + "/" + method}
	case service != "":
		one = under("/" + service)
	case method != "":
		one = match{kind: expressionPath, path: "/[^/]+/" + method}
	}
	return one.with(gatewayConditions("header", objectsAt(entry, "headers"))...)
}

func gatewayConditions(what string, entries []map[string]any) []condition {
	var conditions []condition
	for _, entry := range entries {
		one := condition{on: what + " " + strings.ToLower(textAt(entry, "name")), is: textAt(entry, "value"), exact: textAt(entry, "type") != "RegularExpression"}
		if !one.exact {
			one.is = "like " + one.is
		}
		conditions = append(conditions, one)
	}
	return conditions
}
