package rollout

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// anotherRoute is a Service that leads to a colour, and that no document of the
// release under test names.
func anotherRoute(color string, annotations map[string]string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc-production", Namespace: "shop", Annotations: annotations},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"version": color}}}
}

// A document that names the wrong Service ends nobody whom the right one leads to.
func TestASideThatAnotherRouteLeadsToIsNotEnded(t *testing.T) {
	moved := map[string]string{cluster.AnnotationEpoch: "7", cluster.AnnotationHolder: "ana@laptop/1"}
	for name, test := range map[string]struct {
		service *corev1.Service
		left    int32
	}{
		"the route of another document": {anotherRoute("green", moved), 2},
		"which leads to the other side": {anotherRoute("blue", moved), 0},
		"a Service for something else":  {anotherRoute("green", nil), 0},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), test.service)
			outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			if err != nil || outcome.Code != CodeDone {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			green, err := runner.Client.Workload(t.Context(), "shop", runner.Release.Spec.Colors["green"].Workloads[0])
			if err != nil || green.Replicas != test.left {
				t.Errorf("green wants %d pods, %v; want %d", green.Replicas, err, test.left)
			}
			const says = "green is left running: service/svc-production leads to deployment/shop-green, a shift has moved it before"
			if told := strings.Contains(outcome.Message, says); told != (test.left > 0) {
				t.Errorf("message: %s", outcome.Message)
			}
		})
	}
}

// Nor does a finish.
func TestFinishLeavesASideThatAnotherRouteLeadsTo(t *testing.T) {
	runner, _ := newFinisher(t, still())
	moved := map[string]string{cluster.AnnotationEpoch: "7", cluster.AnnotationHolder: "ana@laptop/1"}
	if _, err := runner.Client.Kubernetes.CoreV1().Services("shop").Create(t.Context(), anotherRoute("blue", moved), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, "blue is not idle: service/svc-production leads to deployment/shop-blue") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
}
