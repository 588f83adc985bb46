package traffic

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A pod counts only when the Service's whole selector, with the colour's
// labels in it, matches: a Deployment's status would count the others too.
func TestReceiversAreWhatTheRouteWouldSelect(t *testing.T) {
	pod := func(name string, ready corev1.ConditionStatus, labels map[string]string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", Labels: labels},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}}}
	}
	client, _ := clustertest.New(
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc", Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "shop", "version": "blue"}}},
		pod("green-1", corev1.ConditionTrue, map[string]string{"app": "shop", "version": "green"}),
		pod("green-2", corev1.ConditionFalse, map[string]string{"app": "shop", "version": "green"}),
		pod("green-of-another-app", corev1.ConditionTrue, map[string]string{"app": "store", "version": "green"}),
		pod("blue-1", corev1.ConditionTrue, map[string]string{"app": "shop", "version": "blue"}),
	)
	router, err := NewRouter(client, &release.Release{Metadata: release.Metadata{Namespace: "shop"}, Spec: release.Spec{
		Colors:  map[string]release.Color{"blue": {Selector: map[string]string{"version": "blue"}}, "green": {Selector: map[string]string{"version": "green"}}},
		Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc"}},
	}}, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := router.Receivers(t.Context(), "green"); err != nil || got != 1 {
		t.Errorf("receivers of green = %d, %v, want 1", got, err)
	}
}
