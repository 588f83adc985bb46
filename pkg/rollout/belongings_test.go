package rollout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// budget is a PodDisruptionBudget over pods with the labels.
func budget(name string, labels map[string]string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID(name)},
		Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}}}
}

// service selects pods with the labels.
func service(name string, labels map[string]string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID(name)}, Spec: corev1.ServiceSpec{Selector: labels}}
}

// serviceOf declares a Service of a colour.
func serviceOf(runner *Runner, color, name string) {
	declared := runner.Release.Spec.Colors[color]
	declared.Service = name
	runner.Release.Spec.Colors[color] = declared
}

// What exists for one side alone goes with it, and nothing else does; each
// object says what becomes of it.
func TestFinishDeletesWhatIsTheSidesAlone(t *testing.T) {
	blue := map[string]string{"version": "blue"}
	for name, test := range map[string]struct {
		objects []runtime.Object
		service string // blue's
		change  func(*Runner)
		want    []string
	}{
		"everything": {[]runtime.Object{autoscaler("blue", 2, nil), autoscaler("green", 2, nil), budget("blue", blue), budget("green", map[string]string{"version": "green"}), service("svc-blue", blue)}, "svc-blue", nil,
			[]string{"horizontalpodautoscaler/shop-blue deleted", "poddisruptionbudget/blue deleted", "service/svc-blue deleted", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a budget over both": {[]runtime.Object{budget("both", nil)}, "", nil,
			[]string{"poddisruptionbudget/both stays: it is for pods of green too", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a budget over others": {[]runtime.Object{budget("blue", blue), strayPod()}, "", func(r *Runner) { narrowed(t, r) },
			[]string{"poddisruptionbudget/blue stays: it is for pod/batch too, which is not blue's", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"the production Service": {[]runtime.Object{service("svc", blue)}, "svc", nil,
			[]string{"service/svc stays: the production route names it", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a further production Service": {[]runtime.Object{service("svc-blue", blue)}, "svc-blue", func(r *Runner) {
			r.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-blue"}}}
		}, []string{"service/svc-blue stays: the production route names it", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a route with weights": {[]runtime.Object{service("svc-blue", blue)}, "svc-blue", func(r *Runner) {
			r.Release.Spec.Traffic.Service, r.Release.Spec.Traffic.HTTPRoute = nil, &release.NamedRoute{Name: "shop"}
		}, []string{"service/svc-blue stays: the production route names it", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a Service of both": {[]runtime.Object{service("svc-blue", blue)}, "svc-blue", func(r *Runner) { serviceOf(r, "green", "svc-blue") },
			[]string{"service/svc-blue stays: it is green's too", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a Service without a selector": {[]runtime.Object{service("svc-blue", nil)}, "svc-blue", nil,
			[]string{"service/svc-blue stays: it selects no pods, so whose it is can't be told", "deployment/shop-blue 2 → 0 replicas, then deleted"}},
		"a Service that is gone": {nil, "svc-blue", nil, []string{"deployment/shop-blue 2 → 0 replicas, then deleted"}},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _ := newFinisher(t, still(), test.objects...)
			serviceOf(runner, "blue", test.service)
			if test.change != nil {
				test.change(runner)
			}
			outcome, err := runner.Finish(t.Context(), FinishRequest{Delete: true, SignOffs: connectionsSigned})
			if err != nil || outcome.Code != CodeDone || outcome.Next != "kubectl bluegreen history" {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			var changes, deleted, gone []string
			for _, belonging := range outcome.Status.Finish.Objects {
				changes = append(changes, belonging.Object+" "+belonging.Change())
				if belonging.Fate == Deleted {
					deleted = append(deleted, belonging.Object)
				}
			}
			if diff := cmp.Diff(test.want, changes); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			for _, line := range written(t, runner) {
				if object, is := strings.CutPrefix(line, "delete "); is {
					gone = append(gone, strings.Replace(object, "s/", "/", 1))
				}
			}
			if diff := cmp.Diff(deleted, gone); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
			again, err := another(runner).Finish(t.Context(), FinishRequest{Delete: true})
			if err != nil || again.Code != CodeDone || !strings.HasPrefix(again.Message, "already: ") {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

// narrowed has blue's Deployment select by one more label than its color's.
func narrowed(t *testing.T, runner *Runner) {
	t.Helper()
	deployments := runner.Client.Kubernetes.AppsV1().Deployments("shop")
	blue, err := deployments.Get(t.Context(), "shop-blue", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	blue.Spec.Selector.MatchLabels["app"], blue.Spec.Template.Labels["app"] = "shop", "shop"
	if _, err := deployments.Update(t.Context(), blue, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	ours := pod("blue")
	ours.Labels["app"] = "shop"
	if _, err := runner.Client.Kubernetes.CoreV1().Pods("shop").Update(t.Context(), ours, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// strayPod carries blue's label, and is no pod of its Deployment.
func strayPod() *corev1.Pod {
	stray := pod("blue")
	stray.Name = "batch"
	stray.Status.Phase = corev1.PodSucceeded
	return stray
}

// An object that was replaced since it was shown is another one: it stays, the
// run is held, and the next finish shows the new one.
func TestFinishDeletesNoOtherObjectOfTheName(t *testing.T) {
	runner, _ := newFinisher(t, still(), budget("blue", map[string]string{"version": "blue"}))
	replaced := false
	runner.Progress = func(event Event) {
		if event.Phase != Decommission || replaced {
			return
		}
		replaced = true
		budgets := runner.Client.Kubernetes.PolicyV1().PodDisruptionBudgets("shop")
		anew := budget("blue", map[string]string{"version": "blue"})
		anew.UID = "anew"
		if err := budgets.Delete(t.Context(), "blue", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := budgets.Create(t.Context(), anew, metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
	}
	outcome, err := runner.Finish(t.Context(), FinishRequest{Delete: true, SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, cluster.ErrReplaced.Error()) || outcome.Next != "kubectl bluegreen finish --delete" {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	_, err = runner.Client.Kubernetes.PolicyV1().PodDisruptionBudgets("shop").Get(t.Context(), "blue", metav1.GetOptions{})
	if !exists(t, err) {
		t.Error("the new budget is gone")
	}
	if outcome, err := another(runner).Finish(t.Context(), FinishRequest{Delete: true}); err != nil || outcome.Code != CodeDone {
		t.Errorf("again: %+v, %v", outcome, err)
	}
	if _, err = runner.Client.Kubernetes.PolicyV1().PodDisruptionBudgets("shop").Get(t.Context(), "blue", metav1.GetOptions{}); exists(t, err) {
		t.Error("the new budget is left")
	}
}

// A floor that a shift raised and that was left is given back; an autoscaler of
// a side that is only scaled to zero stays, and rests while that has no replicas.
func TestFinishGivesFloorsBack(t *testing.T) {
	runner, _ := newFinisher(t, still(), autoscaler("blue", 6, map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "6"}))
	if outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if floor := floorOf(t, runner, "blue"); floor != 2 {
		t.Errorf("floor = %d, want its own 2", floor)
	}
	list, err := runner.Client.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 || !cmp.Equal(list.Items[0].Spec.ScaleTargetRef, autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop-blue"}) {
		t.Errorf("autoscalers = %+v, %v", list, err)
	}
}
