package rollout

import (
	"errors"
	"slices"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A server that grants what preflight.Rights lists, by name where it says
// one, and nothing else, is enough for rollbacks and their records, also where
// a past run has to be kept and an old one deleted.
func TestNothingIsAskedForThatRightsLeaveOut(t *testing.T) {
	production := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc", Namespace: "shop", Annotations: map[string]string{cluster.AnnotationPrevious: "blue=100"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"version": "green"}},
	}
	endpoints := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "svc-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "svc"}},
		Endpoints:  []discoveryv1.Endpoint{{TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "shop-blue-1"}}},
	}
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "scales-blue", Namespace: "shop", Annotations: map[string]string{cluster.AnnotationFloor: "1"}},
		Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop-blue"}, MinReplicas: ptr.To[int32](3), MaxReplicas: 3},
	}
	runner, _, prepend := newRunner(t, production, endpoints, autoscaler, deployment("blue", 1), deployment("green", 1), pod("blue"))
	router, err := traffic.NewRouter(runner.Client, runner.Release, runner.Clock)
	if err != nil {
		t.Fatal(err)
	}
	inputs := preflight.Inputs{Client: runner.Client, Release: runner.Release}
	if inputs.Live, err = preflight.ReadLive(t.Context(), inputs); err != nil {
		t.Fatal(err)
	}
	rights, err := preflight.Rights(inputs)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	prepend("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		asked[action.GetVerb()+" "+action.GetResource().Resource] = true
		if granted(rights, action) {
			return false, nil, nil
		}
		t.Errorf("%s %s %q is asked for, and no right lists it", action.GetVerb(), action.GetResource().Resource, nameIn(action))
		return true, nil, forbidden(action.GetVerb(), action.GetResource().Resource, action.GetResource().Group)
	})
	for number := range 12 { // two runs each
		attempt := &Runner{Client: runner.Client, Release: runner.Release, Router: router, Clock: runner.Clock, Holder: runner.Holder, Journal: runner.Journal}
		if outcome, err := attempt.Rollback(t.Context(), RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		forth(t, runner, router, start.Add(time.Duration(number)*time.Second))
	}
	if runs, err := runner.Journal.List(t.Context()); err != nil || len(runs) < 20 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	for _, action := range []string{
		"get leases", "create leases", "update leases", "get configmaps", "list configmaps", "create configmaps", "update configmaps", "delete configmaps",
		"get services", "patch services", "list endpointslices", "list pods", "get deployments", "patch deployments",
		"list horizontalpodautoscalers", "patch horizontalpodautoscalers",
	} {
		if !asked[action] {
			t.Errorf("%s is never asked for: this test shows nothing about it", action)
		}
	}
}

// forth gives everything to green again and records it, as a shift does.
func forth(t *testing.T, runner *Runner, router traffic.Router, at time.Time) {
	t.Helper()
	route, err := router.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder, Floor: route.Fence.Epoch}, journal.Run{ID: journal.NewRunID(at, "shift")})
	if err != nil {
		t.Fatal(err)
	}
	patch, err := router.Plan(route, traffic.Whole("green"), tenure.Fence())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := router.Write(t.Context(), patch, false); err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Done, From: "blue", To: "green", Moved: true, Started: at}
	if err := errors.Join(tenure.Save(t.Context(), state, string(Done)), tenure.Finish(t.Context(), string(Done))); err != nil {
		t.Fatal(err)
	}
}

// granted reports whether a right lists what is asked for.
func granted(rights []preflight.Right, action clienttesting.Action) bool {
	return slices.ContainsFunc(rights, func(right preflight.Right) bool {
		return right.Verb == action.GetVerb() && right.Resource == action.GetResource().Resource && right.Group == action.GetResource().Group &&
			right.Subresource == action.GetSubresource() && right.Namespace == action.GetNamespace() && (right.Name == "" || right.Name == nameIn(action))
	})
}

// nameIn is the name in a request's path: none in one that creates or lists.
func nameIn(action clienttesting.Action) string {
	if named, ok := action.(interface{ GetName() string }); ok && action.GetVerb() != "create" {
		return named.GetName()
	}
	if update, ok := action.(clienttesting.UpdateAction); ok && action.GetVerb() == "update" {
		if object, err := meta.Accessor(update.GetObject()); err == nil {
			return object.GetName()
		}
	}
	return ""
}
