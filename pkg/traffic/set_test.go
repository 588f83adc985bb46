package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// services are a set of production Services on blue, and the ways in which a
// write of one can go wrong.
type services struct {
	names     []string
	router    traffic.Router
	clientset *fake.Clientset
	clock     *clocktesting.FakeClock
	// answers is asked about every write that is no dry run, by the Service's
	// name: an error is the answer, and after says that the write is made first.
	answers func(name string) (err error, after bool)
	// wrote are the Services that were written, in order.
	wrote []string
}

func openServices(t *testing.T, names ...string) *services {
	t.Helper()
	s := &services{names: names, clock: clocktesting.NewFakeClock(time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC))}
	rel := shopRelease(map[string]string{"version": "blue"}, map[string]string{"version": "green"})
	var objects []runtime.Object
	for i, name := range names {
		service := production(map[string]string{"app": "shop", "version": "blue"})
		service.Name = name
		objects = append(objects, service)
		if i > 0 {
			rel.Spec.Traffic.Also = append(rel.Spec.Traffic.Also, release.AlsoRoute{Service: &release.ServiceRoute{Name: name}})
		}
	}
	rel.Spec.Traffic.Service.Name = names[0]
	var client *cluster.Client
	client, s.clientset = clustertest.New(objects...)
	router, err := traffic.NewRouter(client, rel, s.clock)
	if err != nil {
		t.Fatal(err)
	}
	s.router = router
	write := s.clientset.ReactionChain[0]
	for _, reactor := range s.clientset.ReactionChain {
		if reactor.Handles(clienttesting.NewPatchAction(corev1.SchemeGroupVersion.WithResource("services"), "shop", names[0], "", nil)) {
			write = reactor
			break
		}
	}
	s.clientset.PrependReactor("patch", "services", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patch, ok := action.(clienttesting.PatchActionImpl)
		if !ok || len(patch.PatchOptions.DryRun) > 0 {
			return false, nil, nil
		}
		s.wrote = append(s.wrote, patch.Name)
		s.clock.Step(41 * time.Millisecond)
		if s.answers == nil {
			return false, nil, nil
		}
		err, after := s.answers(patch.Name)
		if err != nil && after {
			if _, _, failure := write.React(action); failure != nil {
				return true, nil, failure
			}
		}
		return err != nil, nil, err
	})
	return s
}

// colors are the splits of the Services, in the order of the set.
func (s *services) colors(t testing.TB) []string {
	t.Helper()
	var found []string
	for _, name := range s.names {
		service, err := s.clientset.CoreV1().Services("shop").Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, service.Spec.Selector["version"])
	}
	return found
}

// change edits one of the Services as another person would.
func (s *services) change(t testing.TB, name string, change func(*corev1.Service)) {
	t.Helper()
	services := s.clientset.CoreV1().Services("shop")
	service, err := services.Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	change(service)
	if _, err := services.Update(context.Background(), service, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

// remove deletes one of the Services.
func (s *services) remove(t testing.TB, name string) {
	t.Helper()
	if err := s.clientset.CoreV1().Services("shop").Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// refuses answers the writes of a Service with an error: the first of them, or
// all.
func refuses(name string, err error, once bool) func(string) (error, bool) {
	return func(written string) (error, bool) {
		if written != name || err == nil {
			return nil, false
		}
		answer := err
		if once {
			err = nil
		}
		return answer, false
	}
}

func forbidden(name string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, name, errors.New("no"))
}

var stamp = cluster.Fence{Epoch: 4, Holder: "ann@laptop/12"}

// move plans and writes a split onto the set as it is.
func move(t testing.TB, router traffic.Router, to traffic.Split, back bool) (traffic.Route, error) {
	t.Helper()
	route, err := router.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if back {
		route = route.Back()
	}
	patch, err := router.Plan(route, to, stamp)
	if err != nil {
		t.Fatal(err)
	}
	return router.Write(context.Background(), patch, false)
}

// TestSetConformance: a set is a route like any other, whichever of its members
// is disturbed.
func TestSetConformance(t *testing.T) {
	for _, disturbed := range []string{"svc-production", "svc-internal"} {
		t.Run(disturbed, func(t *testing.T) {
			routertest.Run(t, func(t *testing.T) routertest.Fixture {
				return servicesFixture(openServices(t, "svc-production", "svc-internal"), disturbed)
			})
		})
	}
	for i, disturbed := range []string{"httproute", "virtualservice"} {
		t.Run(disturbed, func(t *testing.T) {
			routertest.Run(t, func(t *testing.T) routertest.Fixture { return openRoutes(t, i).fixture() })
		})
	}
}

func servicesFixture(s *services, disturbed string) routertest.Fixture {
	return routertest.Fixture{
		Router: s.router, Live: "blue", Idle: "green",
		Edit: func(t *testing.T) {
			s.change(t, disturbed, func(service *corev1.Service) { service.Spec.Selector["tier"] = "web" })
		},
		CheckEdit: func(t *testing.T) {
			s.change(t, disturbed, func(service *corev1.Service) {
				if service.Spec.Selector["tier"] != "web" || service.Spec.Selector["app"] != "shop" {
					t.Errorf("selector %v", service.Spec.Selector)
				}
			})
		},
		Stamp: func(t *testing.T, fence cluster.Fence) {
			patch, err := s.router.Plan(mustRead(t, s.router), traffic.Whole("blue"), fence)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.router.Write(context.Background(), patch, false); err != nil {
				t.Fatal(err)
			}
		},
		Break: func(t *testing.T) {
			s.change(t, disturbed, func(service *corev1.Service) { delete(service.Spec.Selector, "version") })
		},
		Delete: func(t *testing.T) { s.remove(t, disturbed) },
		Forbid: func(*testing.T) { s.answers = refuses(disturbed, forbidden(disturbed), false) },
	}
}

// openRoutes is a set of an HTTPRoute and a VirtualService, of which one is
// disturbed.
func openRoutes(t *testing.T, disturbed int) *weightedShop {
	t.Helper()
	kinds := []routertest.Kind{routertest.HTTPRoute(), routertest.VirtualService(false)}
	var objects []*unstructured.Unstructured
	for _, kind := range kinds {
		objects = append(objects, routertest.Object(t, kind.Fresh))
	}
	client, _ := clustertest.New(colorService("blue"), colorService("green"), colorPod("blue"), colorPod("green"), colorSlice("blue"), colorSlice("green"))
	dynamic := clustertest.Dynamic(client, objects...)
	rel := routertest.Release(kinds[0].Declare)
	rel.Spec.Traffic.Also = []release.AlsoRoute{{VirtualService: &release.VirtualServiceRoute{Name: "shop"}}}
	router, err := traffic.NewRouter(client, rel, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return &weightedShop{Kind: kinds[disturbed], client: client, objects: &dynamic.Fake, router: router}
}

// TestSetMoves: in the order of the release, back in the reverse, and it says for
// how long the routes differed.
func TestSetMoves(t *testing.T) {
	s := openServices(t, "one", "two", "three")
	route, err := move(t, s.router, traffic.Whole("green"), false)
	if err != nil || !route.Split.Equal(traffic.Whole("green")) || route.Fence != stamp || route.Origin != "blue" {
		t.Fatalf("%+v, %v", route, err)
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, s.wrote); diff != "" {
		t.Error(diff)
	}
	if route.Differed != 123*time.Millisecond {
		t.Errorf("differed for %s, want three writes of 41ms", route.Differed)
	}
	s.wrote = nil
	back, err := move(t, s.router, traffic.Whole("blue"), true)
	if err != nil || !back.Split.Equal(traffic.Whole("blue")) || back.Differed != 123*time.Millisecond {
		t.Fatalf("%+v, %v", back, err)
	}
	if diff := cmp.Diff([]string{"three", "two", "one"}, s.wrote); diff != "" {
		t.Error(diff)
	}
	s.wrote = nil
	if again, err := move(t, s.router, traffic.Whole("blue"), false); err != nil || len(s.wrote) > 0 || again.Differed != 0 {
		t.Errorf("what is there already was written: %v, %v", s.wrote, err)
	}
}

// TestSetIsTriedFirst: what a dry run is refused moves no route.
func TestSetIsTriedFirst(t *testing.T) {
	s := openServices(t, "one", "two")
	s.clientset.PrependReactor("patch", "services", func(action clienttesting.Action) (bool, runtime.Object, error) {
		name := action.(clienttesting.PatchActionImpl).Name
		return name == "two", nil, forbidden(name)
	})
	_, err := move(t, s.router, traffic.Whole("green"), false)
	if !apierrors.IsForbidden(err) || errors.As(err, new(*traffic.PartialError)) || len(s.wrote) > 0 {
		t.Errorf("err = %v, written %v", err, s.wrote)
	}
}

// TestSetWithASecondWriteThatFails: both are where they were, and the error says
// for how long they differed.
func TestSetWithASecondWriteThatFails(t *testing.T) {
	services := schema.GroupResource{Resource: "services"}
	for name, refusal := range map[string]error{
		"forbidden": forbidden("two"),
		"conflict":  apierrors.NewConflict(services, "two", errors.New("no")),
		"broken":    apierrors.NewInternalError(errors.New("no")),
		"away":      apierrors.NewServiceUnavailable("no"),
		"cancelled": context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			s := openServices(t, "one", "two", "three")
			s.answers = refuses("two", refusal, false)
			_, err := move(t, s.router, traffic.Whole("green"), false)
			var partial *traffic.PartialError
			if !errors.As(err, &partial) || !errors.Is(err, refusal) {
				t.Fatalf("err = %v", err)
			}
			if diff := cmp.Diff([]string{"blue", "blue", "blue"}, s.colors(t)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"one", "two", "one"}, s.wrote); diff != "" {
				t.Error(diff)
			}
			if want := "service/one given back: the routes differed for 123ms and are where they were"; !strings.HasSuffix(err.Error(), want) {
				t.Errorf("err = %v, want %q at its end", err, want)
			}
			route := mustRead(t, s.router)
			if route.Mixed() || route.Members[0].Fence != stamp || route.Members[0].Origin == "" {
				t.Errorf("%+v", route)
			}
		})
	}
}

// TestSetWhoseAnswerIsLost: a write that was made has not failed.
func TestSetWhoseAnswerIsLost(t *testing.T) {
	for _, lost := range []string{"one", "two"} {
		s := openServices(t, "one", "two")
		s.answers = func(name string) (error, bool) {
			if name == lost {
				return apierrors.NewTimeoutError("lost", 1), true
			}
			return nil, false
		}
		route, err := move(t, s.router, traffic.Whole("green"), false)
		if err != nil || !route.Split.Equal(traffic.Whole("green")) {
			t.Errorf("the answer to %s is lost: %s, %v", lost, route.Shares(), err)
		}
	}
}

// TestSetWhoseLastWriteIsNotKnown: where neither the answer comes nor what the route has
// can be read, it is asked again before the others are given back, and nothing is said
// to be where it was that is not known to be.
func TestSetWhoseLastWriteIsNotKnown(t *testing.T) {
	for name, test := range map[string]struct {
		arrived bool
		unread  int // how often the second can't be read after its write
		says    string
		want    []string
	}{
		"read then, and it was moved":     {true, 1, "service/two, service/one given back: the routes differed for 164ms and are where they were", []string{"blue", "blue"}},
		"read then, and it was not":       {false, 1, "service/one given back: the routes differed for 123ms and are where they were", []string{"blue", "blue"}},
		"read at the end":                 {true, 2, "whether service/two was moved is not known: read service/two in shop: away; the routes after 123ms: mixed (service/one has blue=100, service/two has green=100)", []string{"blue", "green"}},
		"read at the end, and it was not": {false, 2, "whether service/two was moved is not known: read service/two in shop: away; the routes after 123ms: blue=100", []string{"blue", "blue"}},
		"never read":                      {true, 3, "the routes after 123ms: what they have now can't be read: read service/two in shop: away", []string{"blue", "green"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openServices(t, "one", "two")
			unread := 0
			s.clientset.PrependReactor("get", "services", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if unread == 0 || action.(clienttesting.GetAction).GetName() != "two" {
					return false, nil, nil
				}
				unread--
				return true, nil, apierrors.NewServiceUnavailable("away")
			})
			lost := false
			s.answers = func(name string) (error, bool) {
				if name != "two" || lost {
					return nil, false
				}
				lost, unread = true, test.unread
				return apierrors.NewTimeoutError("lost", 1), test.arrived
			}
			_, err := move(t, s.router, traffic.Whole("green"), false)
			if !errors.As(err, new(*traffic.PartialError)) || !strings.HasSuffix(err.Error(), test.says) {
				t.Errorf("err = %v, want %q at its end", err, test.says)
			}
			if diff := cmp.Diff(test.want, s.colors(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSetInterrupted: who is interrupted in the midst of a switch gives back what
// was moved, the write whose answer never came included.
func TestSetInterrupted(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		s := openServices(t, "one", "two")
		ctx, cancel := context.WithCancel(context.Background())
		first := true
		s.answers = func(name string) (error, bool) {
			if name == "two" && first {
				first = false
				cancel()
				return ctx.Err(), arrived
			}
			return nil, false
		}
		patch, err := s.router.Plan(mustRead(t, s.router), traffic.Whole("green"), stamp)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.router.Write(ctx, patch, false)
		if !errors.Is(err, context.Canceled) || slices.Contains(s.colors(t), "green") {
			t.Errorf("arrived %v: %v, %v", arrived, s.colors(t), err)
		}
	}
}

// TestSetThatCanNotBeGivenBack: the error says which route has what, and so does
// the set; a run goes back from there, and on.
func TestSetThatCanNotBeGivenBack(t *testing.T) {
	s := openServices(t, "one", "two")
	ones := 0
	s.answers = func(name string) (error, bool) {
		if name == "one" {
			ones++
		}
		if name == "two" || ones > 1 {
			return forbidden(name), false
		}
		return nil, false
	}
	_, err := move(t, s.router, traffic.Whole("green"), false)
	var partial *traffic.PartialError
	if !errors.As(err, &partial) || len(partial.Left) != 1 || !strings.Contains(err.Error(), "not given back: ") ||
		!strings.HasSuffix(err.Error(), "the routes after 123ms: mixed (service/one has green=100, service/two has blue=100)") {
		t.Fatalf("err = %v", err)
	}
	route := mustRead(t, s.router)
	if !route.Mixed() || len(route.Split) != 0 || route.Split.Sole() != "" || route.Origin != "blue" {
		t.Errorf("split %s, origin %q", route.Split, route.Origin)
	}
	if proof, err := s.router.Prove(t.Context(), route.Split); err != nil || proof.Proven || !strings.Contains(proof.Message, route.Shares()) {
		t.Errorf("proof %+v, %v", proof, err)
	}
	patch, err := s.router.Plan(route, route.Split, cluster.Fence{Epoch: 5, Holder: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	s.answers = nil
	if stamped, err := s.router.Write(t.Context(), patch, false); err != nil || stamped.Fence.Epoch != 5 || stamped.Shares() != route.Shares() {
		t.Errorf("a takeover: %s at epoch %d, %v", stamped.Shares(), stamped.Fence.Epoch, err)
	}
}

// TestSetFromTheMidst: a run that was killed between two writes is brought on, or
// back, by writing what is missing.
func TestSetFromTheMidst(t *testing.T) {
	for to, wrote := range map[string][]string{"green": {"two", "three"}, "blue": {"one"}} {
		s := openServices(t, "one", "two", "three")
		s.change(t, "one", func(service *corev1.Service) {
			service.Spec.Selector["version"] = "green"
			service.Annotations = map[string]string{cluster.AnnotationPrevious: "blue=100"}
		})
		for _, name := range s.names {
			s.change(t, name, func(service *corev1.Service) {
				metav1.SetMetaDataAnnotation(&service.ObjectMeta, cluster.AnnotationEpoch, "4")
				metav1.SetMetaDataAnnotation(&service.ObjectMeta, cluster.AnnotationHolder, stamp.Holder)
			})
		}
		if route := mustRead(t, s.router); route.Origin != "blue" {
			t.Errorf("the way back leads to %q", route.Origin)
		}
		if _, err := move(t, s.router, traffic.Whole(to), to == "blue"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wrote, s.wrote); diff != "" {
			t.Errorf("to %s: %s", to, diff)
		}
		if diff := cmp.Diff([]string{to, to, to}, s.colors(t)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSetGoesBackAsFarAsItCan: on the way back nothing is tried before, and one
// route that can't be written keeps no other.
func TestSetGoesBackAsFarAsItCan(t *testing.T) {
	s := openServices(t, "one", "two", "three")
	if _, err := move(t, s.router, traffic.Whole("green"), false); err != nil {
		t.Fatal(err)
	}
	s.answers = refuses("two", forbidden("two"), false)
	_, err := move(t, s.router, traffic.Whole("blue"), true)
	if !apierrors.IsForbidden(err) || errors.As(err, new(*traffic.PartialError)) ||
		!strings.HasSuffix(err.Error(), "mixed (service/one has blue=100, service/two has green=100, service/three has blue=100)") {
		t.Errorf("err = %v", err)
	}
	s.answers = nil
	if route, err := move(t, s.router, traffic.Whole("blue"), true); err != nil || !route.Split.Equal(traffic.Whole("blue")) {
		t.Errorf("again: %s, %v", route.Shares(), err)
	}
}

// TestSetSeesEachMember: the lowest stamp is the set's, the highest is seen, and
// a stop on any of them counts.
func TestSetSeesEachMember(t *testing.T) {
	s := openServices(t, "one", "two")
	s.change(t, "two", func(service *corev1.Service) {
		service.Annotations = map[string]string{cluster.AnnotationEpoch: "7", cluster.AnnotationHolder: "bob", cluster.AnnotationStop: "orders are doubled"}
	})
	route := mustRead(t, s.router)
	if route.Fence.Epoch != 0 || route.Newest().Epoch != 7 || route.Stop != "orders are doubled" {
		t.Errorf("%+v", route)
	}
	if diff := cmp.Diff([]string{"service/one", "service/two"}, route.Objects()); diff != "" || route.Object != "service/one + service/two" {
		t.Errorf("object %q, %s", route.Object, diff)
	}
	patch, err := s.router.Obeyed(route, cluster.Fence{Epoch: 8, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if after, err := s.router.Write(t.Context(), patch, false); err != nil || after.Stop != "" {
		t.Errorf("stop %q, %v", after.Stop, err)
	}
	if diff := cmp.Diff([]string{"two"}, s.wrote); diff != "" {
		t.Error(diff)
	}
}

// TestSetIsStoppedByOne: a stop that reaches one of the routes is one; one that
// reaches none says why.
func TestSetIsStoppedByOne(t *testing.T) {
	s := openServices(t, "one", "two")
	s.answers = refuses("one", forbidden("one"), false)
	if err := s.router.Stop(t.Context(), "why"); err != nil || mustRead(t, s.router).Stop != "why" {
		t.Errorf("err = %v", err)
	}
	s.answers = func(name string) (error, bool) { return forbidden(name), false }
	if err := s.router.Stop(t.Context(), "why"); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "service/one") || !strings.Contains(err.Error(), "service/two") {
		t.Errorf("err = %v", err)
	}
}

// TestSetUndo: the lines of all, as one that a shell takes, the last moved first.
func TestSetUndo(t *testing.T) {
	s := openServices(t, "one", "two")
	const patch = ` --type merge -p '{"spec":{"selector":{"version":"blue"}}}'`
	want := "kubectl -n shop patch service two" + patch + "; kubectl -n shop patch service one" + patch
	if diff := cmp.Diff(want, s.router.Undo(mustRead(t, s.router), "blue")); diff != "" {
		t.Error(diff)
	}
}

// TestSetOfAServiceAndWeights: together they can do what the Service can.
func TestSetOfAServiceAndWeights(t *testing.T) {
	rel := routertest.Release(routertest.HTTPRoute().Declare)
	client, _ := clustertest.New()
	for want, also := range map[bool][]release.AlsoRoute{
		true: {{HTTPProxy: &release.NamedRoute{Name: "shop"}}}, false: {{Service: &release.ServiceRoute{Name: "svc-internal"}}},
	} {
		rel.Spec.Traffic.Also = also
		router, err := traffic.NewRouter(client, rel, clock.RealClock{})
		if err != nil || router.Capabilities().Weights != want {
			t.Errorf("%+v: weights %v, %v", also, router.Capabilities().Weights, err)
		}
		if described, err := traffic.Describe(rel); err != nil || len(described) != 2 || described[1].Unproven != want {
			t.Errorf("%+v: %+v, %v", also, described, err)
		}
	}
}

// TestSetReceivers: a colour can be given everything where every route would
// select a pod of it.
func TestSetReceivers(t *testing.T) {
	s := openRoutes(t, 0)
	if got, err := s.router.Receivers(t.Context(), "green"); err != nil || got != 1 {
		t.Errorf("receivers = %d, %v", got, err)
	}
	services := openServices(t, "one", "two")
	pod := colorPod("green")
	pod.Labels["app"] = "shop"
	if err := services.clientset.Tracker().Add(pod); err != nil {
		t.Fatal(err)
	}
	services.change(t, "two", func(service *corev1.Service) { service.Spec.Selector["tier"] = "web" })
	if got, err := services.router.Receivers(t.Context(), "green"); err != nil || got != 0 {
		t.Errorf("receivers = %d, %v: two selects none", got, err)
	}
}

// TestSetProof: every route is proven, and what is not says which it is.
func TestSetProof(t *testing.T) {
	s := openRoutes(t, 1)
	if proof, err := s.router.Prove(t.Context(), traffic.Whole("blue")); err != nil || !proof.Proven || len(proof.Ready) != 1 || strings.Contains(proof.Message, "httproute") {
		t.Errorf("proof %+v, %v", proof, err)
	}
	s.edit(t, func(object map[string]any) {
		s.Set(object, "svc-blue", 0)
		s.Set(object, "svc-green", 1)
	})
	proof, err := s.router.Prove(t.Context(), traffic.Whole("blue"))
	if err != nil || proof.Proven || !strings.Contains(proof.Message, "virtualservice/shop: virtualservice/shop has green=100, not blue=100") {
		t.Errorf("proof %+v, %v", proof, err)
	}
}

// TestSetOfWhichOneIsGone: whichever it is, what is left says so, is given back,
// and is proven; only where all are gone nothing is.
func TestSetOfWhichOneIsGone(t *testing.T) {
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) {
			s := openServices(t, "one", "two", "three")
			if _, err := move(t, s.router, traffic.Whole("green"), false); err != nil {
				t.Fatal(err)
			}
			s.remove(t, name)
			left, err := s.router.Read(t.Context())
			if !apierrors.IsNotFound(err) || !errors.Is(err, traffic.ErrNoColor) || !strings.Contains(err.Error(), "of this one service/"+name+" is gone") || release.HintOf(err) == "" {
				t.Errorf("err = %v, hint %q", err, release.HintOf(err))
			}
			if !strings.HasSuffix(left.Shares(), "has green=100, service/"+name+" is gone)") || strings.Contains(s.router.Undo(left, "blue"), "service "+name) {
				t.Errorf("%s; undone with %s", left.Shares(), s.router.Undo(left, "blue"))
			}
			s.wrote = nil
			patch, err := s.router.Plan(left.Back(), traffic.Whole("blue"), stamp)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := s.router.Write(t.Context(), patch, false); err != nil || !back.Split.Equal(traffic.Whole("blue")) || slices.Contains(s.wrote, name) || len(s.wrote) != 2 {
				t.Errorf("written %v: %s, %v", s.wrote, back.Shares(), err)
			}
			if proof, err := s.router.Prove(t.Context(), traffic.Whole("blue")); err != nil || !strings.HasSuffix(proof.Message, "of service/"+name+", which is gone, nothing is proven") {
				t.Errorf("proof %+v, %v", proof, err)
			}
			if _, err := s.router.Receivers(t.Context(), "blue"); err != nil {
				t.Errorf("receivers: %v", err)
			}
		})
	}
	s := openServices(t, "one", "two")
	s.remove(t, "one")
	s.remove(t, "two")
	if route, err := s.router.Read(t.Context()); !apierrors.IsNotFound(err) || errors.Is(err, traffic.ErrNoColor) || route.Object != "" {
		t.Errorf("read %+v, %v", route, err)
	}
}

// TestSetProofOfWhatIsLeft: what is left is proven as ever, and only what is left.
func TestSetProofOfWhatIsLeft(t *testing.T) {
	for _, gone := range []int{0, 1} {
		s := openRoutes(t, gone)
		s.fixture().Delete(t)
		proof, err := s.router.Prove(t.Context(), traffic.Whole("blue"))
		if err != nil || !proof.Proven || len(proof.Ready) != 1 {
			t.Errorf("proof %+v, %v", proof, err)
		}
		if proof, err := s.router.Prove(t.Context(), traffic.Whole("green")); err != nil || proof.Proven {
			t.Errorf("proof %+v, %v", proof, err)
		}
	}
}

// TestSetInvariants: whatever is planned and written, forward and back, whatever
// fails, and whoever edits: a set whose routes differ says so, one that does not
// has the split of all, and a write that claims to have given everything back has.
func TestSetInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := openServices(t, "one", "two", "three")
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			before := s.colors(t)
			switch rapid.SampledFrom([]string{"move", "move", "edit", "stop"}).Draw(rt, "step") {
			case "move":
				to := rapid.SampledFrom([]string{"blue", "green"}).Draw(rt, "to")
				back := rapid.Bool().Draw(rt, "back")
				s.answers = func(string) (error, bool) {
					answer := rapid.SampledFrom([]error{nil, nil, nil, forbidden("it"), apierrors.NewTimeoutError("lost", 1), apierrors.NewServiceUnavailable("away")}).Draw(rt, "answer")
					return answer, !apierrors.IsForbidden(answer) && rapid.Bool().Draw(rt, "arrived")
				}
				_, err := move(t, s.router, traffic.Whole(to), back)
				s.answers = nil
				after := s.colors(t)
				var partial *traffic.PartialError
				switch {
				case err == nil && !cmp.Equal(after, []string{to, to, to}):
					rt.Fatalf("moved to %s: %v", to, after)
				case errors.As(err, &partial) && len(partial.Left) == 0 && !cmp.Equal(after, before):
					rt.Fatalf("given back: %v, before %v: %v", after, before, err)
				}
			case "edit":
				name, color := rapid.SampledFrom(s.names).Draw(rt, "name"), rapid.SampledFrom([]string{"blue", "green"}).Draw(rt, "color")
				s.change(t, name, func(service *corev1.Service) { service.Spec.Selector["version"] = color })
			case "stop":
				if err := s.router.Stop(t.Context(), "why"); err != nil {
					rt.Fatal(err)
				}
			}
			colors, route := s.colors(t), mustRead(t, s.router)
			agree := len(slices.Compact(slices.Clone(colors))) == 1
			if agree == route.Mixed() || agree != (route.Split.Sole() == colors[0]) || !agree && len(route.Split) > 0 {
				rt.Fatalf("%v read as %s, split %q", colors, route.Shares(), fmt.Sprint(route.Split))
			}
		}
	})
}
