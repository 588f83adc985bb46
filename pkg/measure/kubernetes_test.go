package measure

import (
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// shop is a namespace with two colours of a Deployment.
type shop struct {
	t          *testing.T
	kubernetes *fake.Clientset
	client     *cluster.Client
	release    *release.Release
}

func newShop(t *testing.T, objects ...runtime.Object) *shop {
	t.Helper()
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: testColors().spec}
	kubernetes := fake.NewClientset(objects...)
	return &shop{t: t, kubernetes: kubernetes, client: &cluster.Client{Kubernetes: kubernetes, Namespace: "shop"}, release: rel}
}

func (s *shop) source() *kubernetesSource {
	return newKubernetesSource(newColors(s.client, s.release), clocktesting.NewFakePassiveClock(start))
}

// deployment wants replicas of a colour.
func deployment(color, version string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "shop", "version": version}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop-" + color},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To(replicas), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}},
	}
}

// pod is one pod of a colour.
func pod(name, version string, ready bool, restarts int32) *corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Labels: map[string]string{"app": "shop", "version": version}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1",
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "shop", RestartCount: restarts,
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 2}}}}},
	}
}

func (s *shop) put(object runtime.Object) {
	s.t.Helper()
	if err := s.kubernetes.Tracker().Add(object); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) drop(name string) {
	s.t.Helper()
	if err := s.kubernetes.CoreV1().Pods("shop").Delete(s.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) scale(color, version string, replicas int32) {
	s.t.Helper()
	if _, err := s.kubernetes.AppsV1().Deployments("shop").Update(s.t.Context(), deployment(color, version, replicas), metav1.UpdateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func TestReadyRatio(t *testing.T) {
	shop := newShop(t, deployment("green", "v2", 2), pod("shop-green-1", "v2", true, 0), pod("shop-green-2", "v2", false, 0), pod("other", "v9", true, 0))
	source := shop.source()
	expect := func(value float64, detail string) {
		t.Helper()
		got := source.Read(t.Context(), Query{Signal: ReadyRatio, Color: "green"})
		if got.State != OK || got.Value != value || got.Detail != detail {
			t.Errorf("%+v, want %v: %s", got, value, detail)
		}
	}
	expect(0.5, "1 of 2 pods are ready, shop-green-2 is not")
	shop.drop("shop-green-2")
	shop.put(pod("shop-green-3", "v2", true, 0))
	expect(1, "2 of 2 pods are ready")
	// An autoscaler adds two that are not there yet: nothing is wrong.
	shop.scale("green", "v2", 4)
	expect(1, "2 of 2 pods are ready")
	// But one of those that were ready goes: that is.
	shop.drop("shop-green-1")
	expect(0.5, "1 of 2 pods are ready")

	shop.scale("green", "v2", 0)
	if got := source.Read(t.Context(), Query{Signal: ReadyRatio, Color: "green"}); got.State != NoData {
		t.Errorf("scaled to zero: %+v", got)
	}
	if got := source.Read(t.Context(), Query{Signal: ReadyRatio, Color: "blue"}); got.State != SourceDown {
		t.Errorf("a workload that is not there: %+v", got)
	}
	shop.kubernetes.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	if got := source.Read(t.Context(), Query{Signal: ReadyRatio, Color: "green"}); got.State != SourceDown {
		t.Errorf("API server down: %+v", got)
	}
}

// Pods whose containers are ready, and that count as not ready all the same, are on
// nodes that are not heard of. Where that is so of both colours it says nothing of
// one; where the other is heard of, this one has lost its pods.
func TestReadyRatioWhereNoNodeIsHeardOf(t *testing.T) {
	lost := func(name, version string) *corev1.Pod {
		found := pod(name, version, false, 0)
		found.Status.Conditions = append(found.Status.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
		return found
	}
	for name, test := range map[string]struct {
		blue  []runtime.Object
		green runtime.Object
		want  State
	}{
		"neither is heard of":         {[]runtime.Object{lost("shop-blue-1", "v1")}, lost("shop-green-1", "v2"), SourceDown},
		"blue is heard of":            {[]runtime.Object{pod("shop-blue-1", "v1", true, 0)}, lost("shop-green-1", "v2"), OK},
		"blue has no pod":             {nil, lost("shop-green-1", "v2"), OK},
		"green's containers are down": {[]runtime.Object{lost("shop-blue-1", "v1")}, pod("shop-green-1", "v2", false, 0), OK},
	} {
		shop := newShop(t, append(test.blue, deployment("green", "v2", 1), deployment("blue", "v1", 1), test.green)...)
		got := shop.source().Read(t.Context(), Query{Signal: ReadyRatio, Color: "green"})
		if got.State != test.want || got.State == OK && got.Value != 0 {
			t.Errorf("%s: %+v, want it %s", name, got, test.want)
		}
	}
}

func TestRestarts(t *testing.T) {
	shop := newShop(t, deployment("green", "v2", 2), pod("shop-green-1", "v2", true, 7))
	source := shop.source()
	expect := func(value float64) {
		t.Helper()
		got := source.Read(t.Context(), Query{Signal: Restarts, Color: "green"})
		if got.State != OK || got.Value != value {
			t.Errorf("%+v, want %v", got, value)
		}
		if want := "container shop of pod "; value > 0 && fmt.Sprintf("%.*s", len(want), got.Detail) != want {
			t.Errorf("no reason in %q", got.Detail)
		}
	}
	expect(0) // what was before is the baseline
	shop.drop("shop-green-1")
	shop.put(pod("shop-green-1", "v2", true, 8))
	shop.put(pod("shop-green-2", "v2", true, 2))
	expect(3)
	shop.drop("shop-green-2")
	expect(3) // a pod that is gone still counts
}

func TestColourWithoutWorkloadsIsFoundThroughTheService(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "production"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": "v1"}}}
	stranger := pod("stranger", "v2", true, 0)
	stranger.Labels["app"] = "other"
	shop := newShop(t, service, pod("shop-green-1", "v2", true, 0), pod("shop-blue-1", "v1", true, 0), stranger)
	shop.release.Spec.Traffic.Service = &release.ServiceRoute{Name: "production"}
	shop.release.Spec.Colors = map[string]release.Color{"green": {Selector: map[string]string{"version": "v2"}}, "blue": {Selector: map[string]string{"version": "v1"}}}
	pods, err := newColors(shop.client, shop.release).pods(t.Context(), "green")
	if err != nil || len(pods) != 1 || pods[0].Name != "shop-green-1" {
		t.Errorf("found %d pods, %v", len(pods), err)
	}
}
