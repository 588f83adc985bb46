package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// An address is the colour's while one of its pods has it to itself.
func TestIdentityOf(t *testing.T) {
	pod := func(name, address string, change func(*corev1.Pod)) corev1.Pod {
		made := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}}}}
		if change != nil {
			change(&made)
		}
		return made
	}
	ended := func(phase corev1.PodPhase) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.Status.Phase = phase }
	}
	owned := func(kind string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: "owner", Controller: ptr.To(true)}}
		}
	}
	pods := []corev1.Pod{
		pod("runs", "10.0.0.1", owned("ReplicaSet")), pod("ends", "10.0.0.2", func(pod *corev1.Pod) { pod.DeletionTimestamp = ptr.To(metav1.Now()) }),
		pod("evicted", "10.0.0.3", ended(corev1.PodFailed)), pod("done", "10.0.0.4", ended(corev1.PodSucceeded)), pod("migrates", "10.0.0.5", owned("Job")),
	}
	workloads := []release.Workload{{Kind: "deployment", Name: "shop-v2"}}
	want := postgres.Identity{Color: "green", Release: "shop", Names: []string{"shop-v2", "runs", "ends"}, Addresses: []string{"10.0.0.1", "10.0.0.2"}}
	if diff := cmp.Diff(want, postgres.IdentityOf("shop", "green", workloads, pods, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	inNode := pod("in-node", "192.168.0.1", func(pod *corev1.Pod) { pod.Spec.HostNetwork = true })
	want.Names, want.Masked = append(want.Names, "in-node"), true
	if diff := cmp.Diff(want, postgres.IdentityOf("shop", "green", workloads, append(pods, inNode), false)); diff != "" {
		t.Errorf("with one in its node's network (-want +got):\n%s", diff)
	}
}
