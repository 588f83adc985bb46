package admission

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// guarded are the kinds of routes with weights that a policy can guard.
func guarded() []string {
	return []string{
		"httpRoute", "grpcRoute", "virtualService by hosts", "virtualService by subsets", "traefikService", "ingressRoute",
		"routeGroup", "skipperIngress", "custom in numbers", "custom in texts",
		"tcpRoute", "tlsRoute", "tlsRoute in v1alpha3", "httpProxy", "nginxIngress",
	}
}

// TestGuardsOfWeights: of every kind of route, what its driver writes passes the
// policy, for each weight and for another run; what a hand or a run of before
// does to its weights does not, but for who breaks the glass.
func TestGuardsOfWeights(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		rel := routertest.Release(kind.Declare)
		if _, err := Guards(rel, []string{BreakGlassGroup}); (err == nil) != slices.Contains(guarded(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Contains(guarded(), name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			route := openRoute(t, kind, rel)
			ana, bob := cluster.Fence{Epoch: 1, Holder: "ana"}, cluster.Fence{Epoch: 2, Holder: "bob"}
			route.refuses("weights that no run has moved", route.weighing(3, 7), splitRule)
			route.moves("the first stamp", traffic.Whole("blue"), ana)
			route.refuses("an edit before any switch", route.weighing(3, 7), splitRule)
			route.moves("a step", traffic.Between("green", "blue", 50), ana)
			route.moves("the next step", traffic.Between("green", "blue", 90), ana)
			route.guardsNow()
			route.moves("everything", traffic.Whole("green"), ana)
			route.guardsNow()
			route.passes("a stop", func() {
				if err := route.router.Stop(t.Context(), "why"); err != nil {
					t.Fatal(err)
				}
			})
			route.moves("the way back", traffic.Whole("blue"), ana)
			route.moves("the takeover", traffic.Whole("blue"), bob)
			route.moves("a step of another run", traffic.Between("green", "blue", 1), bob)
			route.guardsNow()
		})
	}
}

// route is one that its driver moves under a policy.
type route struct {
	t         *testing.T
	kind      routertest.Kind
	client    *cluster.Client
	router    traffic.Router
	evaluator evaluator
}

func openRoute(t *testing.T, kind routertest.Kind, rel *release.Release) *route {
	t.Helper()
	client, _ := clustertest.New()
	objects := []*unstructured.Unstructured{routertest.Object(t, kind.Fresh)}
	for _, beside := range kind.Beside {
		objects = append(objects, routertest.Object(t, beside))
	}
	clustertest.Dynamic(client, objects...)
	router, err := traffic.NewRouter(client, rel, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return &route{t: t, kind: kind, client: client, router: router, evaluator: evaluatorOf(t, rel)}
}

// read is the route as it stands.
func (r *route) read() *unstructured.Unstructured {
	r.t.Helper()
	object, err := r.client.Dynamic.Resource(r.kind.Resource).Namespace("shop").Get(r.t.Context(), routertest.Name, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return object
}

// passes fails the test unless a write passes.
func (r *route) passes(what string, write func()) {
	r.t.Helper()
	before := r.read()
	write()
	if got := r.evaluator.judge(update{before: before, after: r.read(), user: "ana"}); got.refused != nil {
		r.t.Errorf("%s is refused: %q", what, got.messages)
	}
}

// moves moves it to a split as a run does.
func (r *route) moves(what string, to traffic.Split, fence cluster.Fence) {
	r.t.Helper()
	r.passes(what, func() {
		found, err := r.router.Read(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		patch, err := r.router.Plan(found, to, fence)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.router.Write(r.t.Context(), patch, false); err != nil {
			r.t.Fatal(err)
		}
	})
}

// change is what a hand does to a route.
type change func(*unstructured.Unstructured)

// weighing gives the colours other weights, and annotating an annotation.
func (r *route) weighing(blue, green int64) change {
	return func(object *unstructured.Unstructured) {
		r.kind.Set(object.Object, "svc-blue", blue)
		r.kind.Set(object.Object, "svc-green", green)
	}
}

func annotating(key, value string) change {
	return func(object *unstructured.Unstructured) {
		annotations := object.GetAnnotations()
		annotations[key] = value
		object.SetAnnotations(annotations)
	}
}

// edited is what the policy says of a change.
func (r *route) edited(change change, groups ...string) verdict {
	r.t.Helper()
	before := r.read()
	after := before.DeepCopy()
	change(after)
	return r.evaluator.judge(update{before: before, after: after, user: "ana", groups: groups})
}

// refuses fails the test unless rules refuse a change, to everybody but who
// breaks the glass, of which a line is kept.
func (r *route) refuses(what string, change change, rules ...int) {
	r.t.Helper()
	if diff := cmp.Diff(rules, r.edited(change).refused); diff != "" {
		r.t.Errorf("%s: %s", what, diff)
	}
	if got := r.edited(change, BreakGlassGroup); got.refused != nil || got.noted == "" {
		r.t.Errorf("%s in an emergency: %q, noted %q", what, got.messages, got.noted)
	}
}

// guardsNow fails the test unless hands and runs of before are refused, and
// whatever is nobody's business is not.
func (r *route) guardsNow() {
	r.t.Helper()
	r.refuses("an edit of the weights", r.weighing(3, 7), splitRule)
	r.refuses("everything to nobody", r.weighing(0, 0), splitRule)
	r.refuses("an epoch of before", annotating(cluster.AnnotationEpoch, "0"), stampRule)
	r.refuses("a write of a run of before", func(object *unstructured.Unstructured) {
		r.weighing(3, 7)(object)
		annotating(cluster.AnnotationEpoch, "0")(object)
		annotating(cluster.AnnotationPrevious, "blue=100")(object)
	}, stampRule, splitRule)
	if got := r.edited(annotating("team", "a")); got.refused != nil {
		r.t.Errorf("another annotation is refused: %q", got.messages)
	}
	if got := r.edited(func(object *unstructured.Unstructured) { object.SetLabels(map[string]string{"team": "a"}) }); got.refused != nil {
		r.t.Errorf("a label is refused: %q", got.messages)
	}
}
