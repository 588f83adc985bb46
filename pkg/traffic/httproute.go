package traffic

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/sticky"
)

// The routes of the Gateway API (https://gateway-api.sigs.k8s.io). They differ
// in what they match, and not in how they share it.

func httpRouteDriver() driver {
	kind := gatewayKind("HTTPRoute", "httproutes", "v1")
	kind.split, kind.preview, kind.unproven = gatewaySplit, gatewayPreview(), false
	return weightedDriver("httpRoute", always(kind))
}

func grpcRouteDriver() driver {
	kind := gatewayKind("GRPCRoute", "grpcroutes", "v1")
	kind.split, kind.preview, kind.unproven = gatewaySplit, gatewayPreview(), false
	return weightedDriver("grpcRoute", always(kind))
}

func tcpRouteDriver() driver {
	return weightedDriver("tcpRoute", func(traffic release.Traffic) (weightedKind, error) {
		return gatewayKind("TCPRoute", "tcproutes", traffic.TCPRoute.Version), nil
	})
}

func tlsRouteDriver() driver {
	return weightedDriver("tlsRoute", func(traffic release.Traffic) (weightedKind, error) {
		return gatewayKind("TLSRoute", "tlsroutes", traffic.TLSRoute.Version), nil
	})
}

// experimentalVersion is the one in which every experimental channel of the
// Gateway API has served TCPRoute and TLSRoute.
const experimentalVersion = "v1alpha2"

func gatewayKind(kind, resource, version string) weightedKind {
	return weightedKind{
		kind: strings.ToLower(kind), proper: kind,
		resource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: cmp.Or(version, experimentalVersion), Resource: resource},
		pools:    gatewayPools,
		fields:   [][]string{{"spec", "rules"}},
		refused:  gatewayRefused,
		affinity: gatewayAffinity,
		split:    gatewayConnectionSplit,
		unproven: true,
	}
}

// gatewayPools are the backendRefs of each rule. A backendRef without a weight
// has the weight 1, says the API.
func gatewayPools(object map[string]any) ([]pool, error) {
	rules, err := listAt(object, "spec", "rules")
	if err != nil {
		return nil, err
	}
	var pools []pool
	for i, rule := range rules {
		one := pool{name: gatewayRuleName(rule, i), chosen: gatewayChosen(rule)}
		references, err := listAt(rule, "backendRefs")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		for at, reference := range references {
			place := fmt.Sprintf("/spec/rules/%d/backendRefs/%d/", i, at)
			entry := backend{service: gatewayService(reference, object), pointer: place + "weight",
				identity: cluster.Operation{Op: "test", Path: place + "name", Value: reference["name"]}}
			if entry.weight, entry.stands, err = numberAt(reference, "weight", 1); err != nil {
				return nil, fmt.Errorf("%s, backendRefs[%d]: %w", one.name, at, err)
			}
			one.backends = append(one.backends, entry)
		}
		pools = append(pools, one)
	}
	return pools, nil
}

// gatewayRuleName is a rule for people, by its name where it has one.
func gatewayRuleName(rule map[string]any, index int) string {
	if name, _, _ := unstructured.NestedString(rule, "name"); name != "" {
		return "rule " + strconv.Quote(name)
	}
	return fmt.Sprintf("spec.rules[%d]", index)
}

// gatewayService is the Service of the route's own namespace that a reference
// means.
func gatewayService(reference, object map[string]any) string {
	text := func(field string) string { value, _, _ := unstructured.NestedString(reference, field); return value }
	own, _, _ := unstructured.NestedString(object, "metadata", "namespace")
	if kind := text("kind"); text("group") != "" || kind != "" && kind != "Service" {
		return ""
	}
	if namespace := text("namespace"); namespace != "" && namespace != own {
		return ""
	}
	return text("name")
}

// gatewayChosen reports whether every match of a rule wants a header or a
// parameter that a client sets to get here.
func gatewayChosen(rule map[string]any) bool {
	matches, err := listAt(rule, "matches")
	if err != nil || len(matches) == 0 {
		return false
	}
	for _, match := range matches {
		headers, _, _ := unstructured.NestedSlice(match, "headers")
		parameters, _, _ := unstructured.NestedSlice(match, "queryParams")
		if len(headers)+len(parameters) == 0 {
			return false
		}
	}
	return true
}

// gatewayAffinity is the session persistence of a rule.
func gatewayAffinity(object map[string]any) string {
	rules, _ := listAt(object, "spec", "rules")
	for i, rule := range rules {
		if kind := sticky.GatewayRule(rule); kind != "" {
			return fmt.Sprintf("%s (sessionPersistence of %s)", kind, gatewayRuleName(rule, i))
		}
	}
	return ""
}
