package detect

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A TrafficSplit of the Service Mesh Interface, which Linkerd still serves with
// an extension, takes the requests of a Service inside the mesh.

func trafficSplit() kind {
	return kind{
		name: "trafficsplit", resource: "trafficsplits", read: readTrafficSplit,
		versions: []string{"split.smi-spec.io/v1alpha4", "split.smi-spec.io/v1alpha2", "split.smi-spec.io/v1alpha1"},
		order:    order{promised: "one TrafficSplit owns a Service", compare: moreExact},
	}
}

func readTrafficSplit(object *unstructured.Unstructured) (reading, error) {
	list := traffic.List{Name: "spec.backends"}
	for i, entry := range objectsAt(object.Object, "spec", "backends") {
		list.Backends = append(list.Backends, weighed(entry, textAt(entry, "service"), fmt.Sprintf("/spec/backends/%d", i), 0))
	}
	name, _, _ := strings.Cut(textAt(object.Object, "spec", "service"), ".")
	service := serviceIn(object.GetNamespace(), name)
	return reading{
		declares: customRoute(object, "trafficsplits"), lists: []traffic.List{list}, instead: []target{service},
		claims: []claim{{place: list.Name, hosts: hostsOfService(service), leads: leadsOf(list, object.GetNamespace(), nil)}},
	}, nil
}
