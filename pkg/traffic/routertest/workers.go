package routertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// WorkersRelease is a release of workers that are switched in an order.
func WorkersRelease(order string) *release.Release {
	rel := Release(func(traffic *release.Traffic) { traffic.Workers = &release.WorkersRoute{Order: order} })
	for name, color := range rel.Spec.Colors {
		color.Service = ""
		color.Workloads = []release.Workload{{Kind: "deployment", Name: "orders-" + name}}
		rel.Spec.Colors[name] = color
	}
	return rel
}

// Workers is the Deployment of one colour of it, as its controller has seen it.
func Workers(color string, replicas int32) *appsv1.Deployment {
	version := map[string]string{"app": "orders", "version": color}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "orders-" + color, Namespace: Namespace},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To(replicas), Selector: &metav1.LabelSelector{MatchLabels: version},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: version}}},
		Status: appsv1.DeploymentStatus{Replicas: replicas, ReadyReplicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: replicas},
	}
}

// Settle does what the controllers and the kubelets of a cluster do, where there
// are none: every Deployment gets the ready pods that it wants, and no other.
func Settle(client kubernetes.Interface, namespace string) error {
	return eachDeployment(client, namespace, func(deployment *appsv1.Deployment) error {
		if err := settlePods(client, deployment); err != nil {
			return err
		}
		return settleCount(client, deployment)
	})
}

func eachDeployment(client kubernetes.Interface, namespace string, do func(*appsv1.Deployment) error) error {
	list, err := client.AppsV1().Deployments(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for index := range list.Items {
		if err := do(&list.Items[index]); err != nil {
			return err
		}
	}
	return nil
}

func settlePods(client kubernetes.Interface, deployment *appsv1.Deployment) error {
	ctx, pods := context.Background(), client.CoreV1().Pods(deployment.Namespace)
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(deployment.Spec.Selector.MatchLabels).String()})
	if err != nil {
		return err
	}
	wanted := int(ptr.Deref(deployment.Spec.Replicas, 1))
	for have, number := len(list.Items), 0; have < wanted; number++ {
		name := fmt.Sprintf("%s-%d", deployment.Name, number)
		if slices.ContainsFunc(list.Items, func(pod corev1.Pod) bool { return pod.Name == name }) {
			continue
		}
		have++
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: deployment.Namespace, Labels: deployment.Spec.Selector.MatchLabels},
			Spec:       deployment.Spec.Template.Spec,
			Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
		if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for have := len(list.Items); have > wanted; have-- {
		if err := pods.Delete(ctx, list.Items[have-1].Name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// settleCount has the status of a Deployment say that it has what it wants.
func settleCount(client kubernetes.Interface, deployment *appsv1.Deployment) error {
	count := ptr.Deref(deployment.Spec.Replicas, 1)
	status := appsv1.DeploymentStatus{ObservedGeneration: deployment.Generation, Replicas: count, ReadyReplicas: count, UpdatedReplicas: count, AvailableReplicas: count}
	if deployment.Status.ReadyReplicas == count && deployment.Status.UpdatedReplicas == count {
		return nil
	}
	deployment.Status = status
	_, err := client.AppsV1().Deployments(deployment.Namespace).Update(context.Background(), deployment, metav1.UpdateOptions{})
	return err
}

// staged is a Router whose moves take several writes, as the suite takes it: each
// is written until it is whole, and what happens in a cluster meanwhile happens.
type staged struct {
	traffic.Router
	meanwhile func() error
	back      bool
}

// Plan implements traffic.Router.
func (s *staged) Plan(route traffic.Route, to traffic.Split, fence cluster.Fence) (traffic.Patch, error) {
	patch, err := s.Router.Plan(route, to, fence)
	s.back = err == nil && len(route.Split) == 0
	return patch, err
}

// Write implements traffic.Router.
func (s *staged) Write(ctx context.Context, patch traffic.Patch, dryRun bool) (traffic.Route, error) {
	route, err := s.Router.Write(ctx, patch, dryRun)
	for writes := 0; err == nil && !dryRun && len(patch.To) > 0 && !route.Split.Equal(patch.To); writes++ {
		if writes > 10 {
			return route, errors.New("a move does not come to its end: " + patch.Awaits)
		}
		if err = s.meanwhile(); err != nil {
			break
		}
		if route, err = s.Router.Read(ctx); err != nil && len(route.Object) == 0 {
			break
		}
		if s.back {
			route = route.Back()
		}
		var next traffic.Patch
		if next, err = s.Router.Plan(route, patch.To, patch.Fence); err == nil {
			route, err = s.Router.Write(ctx, next, false)
		}
	}
	return route, err
}

// WorkersFixture is a release of workers as the suite takes it. Its hundred
// replicas can be shared by any percentage; that they are pods is left out.
func WorkersFixture(router traffic.Router, client kubernetes.Interface, forbid func(t *testing.T)) Fixture {
	deployments := client.AppsV1().Deployments(Namespace)
	edit := func(t *testing.T, color string, change func(*appsv1.Deployment)) {
		t.Helper()
		deployment, err := deployments.Get(context.Background(), "orders-"+color, metav1.GetOptions{})
		if err == nil {
			change(deployment)
			_, err = deployments.Update(context.Background(), deployment, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	each := func(do func(color string)) {
		do("blue")
		do("green")
	}
	fixture := Fixture{
		Router: &staged{Router: router, meanwhile: func() error {
			return eachDeployment(client, Namespace, func(d *appsv1.Deployment) error { return settleCount(client, d) })
		}}, Live: "blue", Idle: "green",
		Edit: func(t *testing.T) {
			each(func(color string) {
				edit(t, color, func(d *appsv1.Deployment) { metav1.SetMetaDataLabel(&d.ObjectMeta, "team", "a") })
			})
		},
		CheckEdit: func(t *testing.T) {
			list, err := deployments.List(context.Background(), metav1.ListOptions{LabelSelector: "team=a"})
			if err != nil || len(list.Items) != 2 {
				t.Errorf("%d Deployments have their label still, %v", len(list.Items), err)
			}
		},
		Stamp: stamp(router),
		Break: func(t *testing.T) {
			each(func(color string) { edit(t, color, func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](0) }) })
		},
		Delete: func(t *testing.T) {
			each(func(color string) {
				if err := deployments.Delete(context.Background(), "orders-"+color, metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			})
		},
		Forbid: forbid,
	}
	if !router.Capabilities().Weights {
		return fixture
	}
	fixture.Weights = &Weights{Backends: func(t *testing.T) []Backend {
		var found []Backend
		each(func(color string) {
			deployment, err := deployments.Get(context.Background(), "orders-"+color, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, Backend{Color: color, Weight: int64(*deployment.Spec.Replicas)})
		})
		return found
	}}
	return fixture
}
