package shop

import (
	"fmt"
	"net"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// VirtualService shares the calls of a mesh's clients between the colours'
// Services, in a lab with the addon mesh.
const VirtualService Route = "virtualservice"

// virtualServiceManifest is one that gives everything to the first destination.
// Whoever wants to see one side sends a header. These rules are why no call is
// lost when a side is given something again: a client without a proxy knows the
// sides that a rule leads to (docs/routers.md).
const virtualServiceManifest = `# The production route: the weights of the last rule are the switch.
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: %[1]s
  namespace: %[2]s
  labels:
    app: recommendation
spec:
  hosts: [%[3]s]
  http:
  - match: [{headers: {x-side: {exact: blue}}}]
    route: [{destination: %[4]s}]
  - match: [{headers: {x-side: {exact: green}}}]
    route: [{destination: %[5]s}]
  - route:
    - {destination: %[4]s, weight: 100}
    - {destination: %[5]s, weight: 0}
`

// meshServiceManifest is the name that clients of a mesh call. Where to is up to
// the VirtualService, so that it selects both colours.
const meshServiceManifest = `# What the clients of the mesh call.
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec:
  selector: {app: recommendation}
  ports:
  - {name: grpc, port: 9090, targetPort: grpc}
`

// virtualServiceKind is what it is made of.
func virtualServiceKind() kind {
	return weightedKind(kind{
		route:    VirtualService,
		resource: schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: "virtualservices"},
		manifest: func(s *Shop) ([]byte, error) {
			return fmt.Appendf(nil, virtualServiceManifest, weightedName, s.Namespace, Service, "{host: svc-blue}", "{host: svc-green}"), nil
		},
		entrance: func(s *Shop) []byte { return fmt.Appendf(nil, meshServiceManifest, Service, s.Namespace) },
		weights: func(object *unstructured.Unstructured) (map[string]int64, error) {
			return destinationWeights(object, func(to destination) string { return strings.TrimPrefix(to.Host, behindColor("")) })
		},
		entry: func(*Shop) (namespace, name string) { return "mesh", "istiod" },
		host:  func(*Shop) string { return "" },
		url: func(s *Shop, address, path string) string {
			return fmt.Sprintf("xds://%s/%s.%s.svc.cluster.local:9090%s", net.JoinHostPort(address, "15010"), Service, s.Namespace, called(path))
		},
	}, func(traffic *release.Traffic) {
		traffic.VirtualService = &release.VirtualServiceRoute{Name: weightedName}
	})
}

// destination is where a route of a VirtualService leads.
type destination struct{ Host, Subset string }

// destinationWeights reads the one route of the manifest that takes calls without
// a header. A destination without a weight gets nothing beside others, as Istio
// says.
func destinationWeights(object *unstructured.Unstructured, color func(destination) string) (map[string]int64, error) {
	var service struct {
		Spec struct {
			HTTP []struct {
				Match []any
				Route []struct {
					Destination destination
					Weight      int64
				}
			}
		}
	}
	if err := decode(object, &service); err != nil {
		return nil, err
	}
	weights, found := map[string]int64{}, 0
	for _, route := range service.Spec.HTTP {
		if len(route.Match) > 0 {
			continue
		}
		found++
		for _, to := range route.Route {
			weights[color(to.Destination)] += to.Weight
		}
	}
	if found != 1 {
		return nil, fmt.Errorf("it has %d routes for everybody, want one", found)
	}
	return weights, nil
}
