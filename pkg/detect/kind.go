package detect

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// kind is one kind of object that leads requests to Services, or that moves
// what does.
type kind struct {
	// name is the kind for people and for kubectl, in lower case: httproute.
	name string
	// resource is what the API server calls it, and versions where it may be
	// served, GROUP/VERSION, the one that is preferred first.
	resource string
	versions []string
	// read says what an object is about.
	read func(object *unstructured.Unstructured) (reading, error)
	// order is how claims of this kind win over each other.
	order order
}

// kinds are all that are looked at, a line each, in the order in which they are
// told.
func kinds() []kind {
	return []kind{
		httpRoute(),
		grpcRoute(),
		tlsRoute(),
		tcpRoute(),
		virtualService(),
		ingressRoute(),
		ingressRouteTCP(),
		traefikService(),
		routeGroup(),
		ingress(),
		httpProxy(),
		openShiftRoute(),
		trafficSplit(),
		argoRollout(),
		flaggerCanary(),
	}
}

// kindService is the kind of target that ends a way.
const kindService = "service"

// target is an object that requests are led to.
type target struct{ kind, namespace, name string }

// String names a target for people: service/svc-blue.
func (t target) String() string {
	if t == (target{}) {
		return "something else"
	}
	return t.kind + "/" + t.name
}

// serviceIn is a Service as a target.
func serviceIn(namespace, name string) target {
	if name == "" {
		return target{}
	}
	return target{kind: kindService, namespace: namespace, name: name}
}

// lead is one backend of a claim.
type lead struct {
	to target
	// weight is its part of the sum of the claim's; subset is Istio's, "" for
	// none.
	weight int64
	subset string
}

// claim is one part of an object: which requests it takes, and where they go.
type claim struct {
	// place says for people which part: rule 1, route "reviews".
	place string
	// hosts are whose requests it takes; none means every host.
	hosts []host
	match match
	// priority is the number by which kinds with priorities order claims.
	priority int64
	leads    []lead
}

// reading is what one object says.
type reading struct {
	claims []claim
	// inner: its claims take nothing by themselves, only what another object
	// leads to it.
	inner bool
	// instead are the Services whose own requests it takes, inside a mesh.
	instead []target
	// declares is the route as spec.traffic declares it, and lists are the
	// lists of backends in it. A custom route has no weights in it yet.
	declares release.Traffic
	lists    []traffic.List
	// unfit is why no driver has a place for weights there; nil when one has.
	unfit *obstacle
	// controller is what moves traffic through objects of this kind, and moves
	// are the objects that it moves.
	controller string
	moves      []target
	// notes are what else a person should know.
	notes []string
}

// obstacle is why no driver can serve an object, and what to do about it.
type obstacle struct{ why, hint string }

func obstructed(hint, format string, arguments ...any) *obstacle {
	return &obstacle{why: fmt.Sprintf(format, arguments...), hint: hint}
}

// customRoute declares an object of a kind without a driver of its own.
func customRoute(object *unstructured.Unstructured, resource string) release.Traffic {
	return release.Traffic{Custom: &release.CustomRoute{APIVersion: object.GetAPIVersion(), Resource: resource, Name: object.GetName()}}
}

// listsOf reads the lists of an object as the driver of the route that traffic
// declares does.
func listsOf(declared release.Traffic, object *unstructured.Unstructured) ([]traffic.List, error) {
	reader, err := traffic.NewReader(declared)
	if err != nil {
		return nil, err
	}
	return reader.Lists(object)
}

// leadsOf are the backends of a list as leads; otherwise says what a backend is
// that is no Service of the object's namespace.
func leadsOf(list traffic.List, namespace string, otherwise func(at int) target) []lead {
	var leads []lead
	for at, backend := range list.Backends {
		to := serviceIn(namespace, backend.Service)
		if backend.Service == "" && otherwise != nil {
			to = otherwise(at)
		}
		leads = append(leads, lead{to: to, weight: backend.Weight})
	}
	return leads
}
