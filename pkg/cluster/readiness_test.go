package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func TestPodReadiness(t *testing.T) {
	isReady := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   cluster.Readiness
	}{
		"ready":    {func(p *corev1.Pod) { p.Status.Conditions = isReady }, cluster.Readiness{Done: true, Successful: true, Message: "pod a is ready"}},
		"starting": {func(*corev1.Pod) {}, cluster.Readiness{Message: "pod a is not ready: it is still starting"}},
		"ready, but ending": {func(p *corev1.Pod) { p.Status.Conditions, p.DeletionTimestamp = isReady, &metav1.Time{} },
			cluster.Readiness{Message: "pod a is being deleted"}},
		"failed": {func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = corev1.PodFailed, "DeadlineExceeded" },
			cluster.Readiness{Done: true, Message: "pod a failed: DeadlineExceeded"}},
		"crashes": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}
		}, cluster.Readiness{Message: "pod a is not ready: container app: CrashLoopBackOff"}},
		"fails its probe": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
		}, cluster.Readiness{Message: "pod a is not ready: container app has not passed its readiness probe"}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
			test.change(pod)
			if diff := cmp.Diff(test.want, cluster.PodReadiness(pod)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeploymentReadiness(t *testing.T) {
	for name, test := range map[string]struct {
		status  appsv1.DeploymentStatus
		done    bool
		success bool
		message string
	}{
		"ready":             {appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}, true, true, "deployment a: 3/3 replicas are available"},
		"not seen yet":      {appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}, false, false, "deployment a: its newest spec has not been seen by its controller"},
		"rolls out":         {appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 1, AvailableReplicas: 3}, false, false, "deployment a: 1/3 replicas run the newest template"},
		"old ones are left": {appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 4, UpdatedReplicas: 3, AvailableReplicas: 4}, false, false, "deployment a: 1 replicas of an older template are left"},
		"not available":     {appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 2}, false, false, "deployment a: 2/3 replicas are available"},
		"stuck": {appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 2,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}}},
			true, false, "deployment a made no progress within its deadline: 2/3 replicas are available"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cluster.DeploymentReadiness(&appsv1.Deployment{
				ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 2}, Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](3)}, Status: test.status,
			})
			if diff := cmp.Diff(cluster.Readiness{Done: test.done, Successful: test.success, Message: test.message}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What keeps a controller from making pods is told as it says it, and only while it
// is short of them.
func TestDeploymentObstacle(t *testing.T) {
	const quota = `pods "a-1" is forbidden: exceeded quota: shop`
	refused := appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: quota}
	over := refused
	over.Status = corev1.ConditionFalse
	for name, test := range map[string]struct {
		updated   int32
		condition appsv1.DeploymentCondition
		obstacle  string
	}{
		"a quota refuses its pods": {1, refused, quota},
		"it refused them before":   {1, over, ""},
		"it has all its pods":      {3, refused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := cluster.DeploymentReadiness(&appsv1.Deployment{
				ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](3)},
				Status: appsv1.DeploymentStatus{Replicas: test.updated, UpdatedReplicas: test.updated, Conditions: []appsv1.DeploymentCondition{test.condition}},
			})
			if got.Done || got.Obstacle != test.obstacle {
				t.Errorf("%+v, expected the obstacle %q", got, test.obstacle)
			}
		})
	}
}

func TestStatefulSetReadiness(t *testing.T) {
	rolling := appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](2)}}
	onDelete := appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
	for name, test := range map[string]struct {
		strategy appsv1.StatefulSetUpdateStrategy
		status   appsv1.StatefulSetStatus
		success  bool
	}{
		"ready":                      {status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, UpdatedReplicas: 3}, success: true},
		"one is not":                 {status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 2, UpdatedReplicas: 3}},
		"too many":                   {status: appsv1.StatefulSetStatus{Replicas: 4, ReadyReplicas: 3, UpdatedReplicas: 3}},
		"rolls out":                  {status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}},
		"as far as partition wants":  {strategy: rolling, status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}, success: true},
		"on delete, an old template": {strategy: onDelete, status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, CurrentRevision: "a", UpdateRevision: "b"}, success: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := cluster.StatefulSetReadiness(&appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](3), UpdateStrategy: test.strategy}, Status: test.status})
			if got.Successful != test.success {
				t.Errorf("%+v", got)
			}
		})
	}
}
