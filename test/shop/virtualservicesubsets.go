package shop

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// VirtualServiceSubsets is a VirtualService whose destinations are subsets of one
// Service, which a DestinationRule tells apart by the pods' labels.
const VirtualServiceSubsets Route = "virtualservicesubsets"

// subsetsManifest is the Service that clients call, and its subsets.
const subsetsManifest = `# What the clients of the mesh call, and what of it each colour is.
apiVersion: v1
kind: List
metadata: {}
items:
- apiVersion: v1
  kind: Service
  metadata: {name: %[1]s, namespace: %[2]s}
  spec:
    selector: {app: recommendation}
    ports:
    - {name: grpc, port: 9090, targetPort: grpc}
- apiVersion: networking.istio.io/v1beta1
  kind: DestinationRule
  metadata: {name: %[1]s, namespace: %[2]s}
  spec:
    host: %[1]s
    subsets:
    - {name: first, labels: {version: blue}}
    - {name: second, labels: {version: green}}
`

// virtualServiceSubsetsKind is what it is made of.
func virtualServiceSubsetsKind() kind {
	subsets := map[string]string{Blue: "first", Green: "second"}
	colors := map[string]string{"first": Blue, "second": Green}
	made := weightedKind(virtualServiceKind(), func(traffic *release.Traffic) {
		traffic.VirtualService = &release.VirtualServiceRoute{Name: weightedName, Host: Service, Subsets: subsets}
	})
	made.route = VirtualServiceSubsets
	made.manifest = func(s *Shop) ([]byte, error) {
		to := func(color string) string { return fmt.Sprintf("{host: %s, subset: %s}", Service, subsets[color]) }
		return fmt.Appendf(nil, virtualServiceManifest, weightedName, s.Namespace, Service, to(Blue), to(Green)), nil
	}
	made.entrance = func(s *Shop) []byte { return fmt.Appendf(nil, subsetsManifest, Service, s.Namespace) }
	made.weights = func(object *unstructured.Unstructured) (map[string]int64, error) {
		return destinationWeights(object, func(to destination) string { return colors[to.Subset] })
	}
	return made
}
