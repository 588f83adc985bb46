package rollout

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// worker is a workload of green's that serves no HTTP.
func worker(replicas int32) (*appsv1.Deployment, *corev1.Pod) {
	labels := map[string]string{"role": "worker"}
	workload := deployment("green", replicas)
	workload.Name, workload.Spec.Selector.MatchLabels, workload.Spec.Template.Labels = "worker-green", labels, labels
	running := pod("green")
	running.Name, running.UID, running.Labels = "worker-green-1", "worker", labels
	running.Spec.Containers = []corev1.Container{{Name: "worker"}}
	return workload, running
}

// serving is a pod of green's that says where it is asked.
func serving(path string, port int32) *corev1.Pod {
	found := pod("green")
	found.UID = "serving"
	found.Spec.Containers = []corev1.Container{{Name: "shop", Ports: []corev1.ContainerPort{{ContainerPort: port}},
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(port)}}}}}
	return found
}

// twoWorkloads is a runner whose green has a worker, which comes first, beside
// what serves.
func twoWorkloads(t *testing.T, workers int32) *Runner {
	t.Helper()
	workload, running := worker(workers)
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), workload, running, serving("/ready", 8080))
	color := runner.Release.Spec.Colors["green"]
	color.Workloads = append([]release.Workload{{Kind: "deployment", Name: "worker-green"}}, color.Workloads...)
	runner.Release.Spec.Colors["green"] = color
	return runner
}

func TestHealthAsksThosePodsThatServe(t *testing.T) {
	for name, declared := range map[string]*release.HTTPProbe{"by the readiness probe": nil, "declared": {Path: "/ready"}} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { asked = append(asked, request.URL.Path) }))
			defer api.Close()
			runner := twoWorkloads(t, 1)
			runner.Client.Config, runner.Release.Spec.Validation.Health = &rest.Config{Host: api.URL}, declared
			seen := runner.health(t.Context(), at(Health))
			if seen.Kind != Succeeded || !strings.Contains(seen.Message, "1 of 2 pods") {
				t.Errorf("health = %s (%s)", seen.Kind, seen.Message)
			}
			if len(asked) != 1 || !strings.Contains(asked[0], "shop-green-1:8080/proxy/ready") {
				t.Errorf("asked %v, want what serves alone", asked)
			}
		})
	}
}

// A workload without residual requests is left alone, however few pods it has.
func TestAWorkerIsInNobodysWay(t *testing.T) {
	runner := driving(t, twoWorkloads(t, 1), release.DrainRecycle)
	state := longAgo(at(Drain, moved))
	state.From, state.To = "green", "blue"
	seen := runner.recycle(t.Context(), state, map[string]float64{"shop-green-1": 2}, rate(2))
	if strings.Contains(seen.Message, "worker-green") {
		t.Errorf("recycle = %s (%s)", seen.Kind, seen.Message)
	}
	seen = runner.recycle(t.Context(), state, map[string]float64{"worker-green-1": 2}, rate(2))
	if seen.Kind != Waiting || !strings.Contains(seen.Message, "worker-green, whose one pod is the only way back") {
		t.Errorf("recycle = %s (%s)", seen.Kind, seen.Message)
	}
}

// A phase that this version doesn't know is held, whatever is seen in it.
func TestAnUnknownPhaseIsHeld(t *testing.T) {
	for _, kind := range []Kind{Succeeded, Failed, Waiting, Ticked, Stopped} {
		state := Step(testPolicy(), at("approve", moved), after(0, kind))
		if state.Phase != Held || state.Resume != "approve" || !strings.Contains(state.Reason, "not known to this version") {
			t.Errorf("%s: phase %s to resume %s: %s", kind, state.Phase, state.Resume, state.Reason)
		}
	}
}
