package shop

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// RouteGroup is a kind of Skipper's own, in a lab with the addon skipper.
const RouteGroup Route = "routegroup"

// routeGroupManifest is one that gives everything to blue.
const routeGroupManifest = `# The production route: the weights are the switch.
apiVersion: zalando.org/v1
kind: RouteGroup
metadata:
  name: %s
  namespace: %s
  labels:
    app: recommendation
spec:
  hosts: [%s]
  backends:
  - {name: blue, type: service, serviceName: svc-blue, servicePort: 80}
  - {name: green, type: service, serviceName: svc-green, servicePort: 80}
  defaultBackends:
  - {backendName: blue, weight: 100}
  - {backendName: green, weight: 0}
  routes:
  - {pathSubtree: /}
`

// routeGroupKind is what it is made of.
func routeGroupKind() kind {
	return weightedKind(kind{
		route:    RouteGroup,
		resource: schema.GroupVersionResource{Group: "zalando.org", Version: "v1", Resource: "routegroups"},
		manifest: atHost(routeGroupManifest),
		weights:  routeGroupWeights,
		entry:    skipper,
		host:     host,
	}, func(traffic *release.Traffic) { traffic.RouteGroup = namedRoute() })
}

// routeGroupWeights reads the default backends, which are called as the
// colours are.
func routeGroupWeights(object *unstructured.Unstructured) (map[string]int64, error) {
	var group struct {
		Spec struct {
			DefaultBackends []struct {
				BackendName string
				Weight      *int64
			}
		}
	}
	if err := decode(object, &group); err != nil {
		return nil, err
	}
	weights := map[string]int64{}
	for _, one := range group.Spec.DefaultBackends {
		weights[one.BackendName] += ptr.Deref(one.Weight, 0)
	}
	return weights, nil
}
