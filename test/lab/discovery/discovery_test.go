package discovery

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestGroups(t *testing.T) {
	blue := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "blue", UID: "u1",
			Labels:      map[string]string{"app.kubernetes.io/name": "recommendation"},
			Annotations: map[string]string{"prometheus.io/scrape": "true"},
		},
		Spec: corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{
			{Ports: []corev1.ContainerPort{{ContainerPort: 8080}, {ContainerPort: 9090}}},
		}},
		Status: corev1.PodStatus{
			PodIP: "10.244.0.7", Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
	pending := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "pending"}}
	silent := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "database", Name: "silent"},
		Status:     corev1.PodStatus{PodIP: "10.244.0.8", Phase: corev1.PodFailed},
	}
	want := []Group{
		{
			Targets: []string{"10.244.0.8"},
			Labels: map[string]string{
				"__meta_kubernetes_namespace":     "database",
				"__meta_kubernetes_pod_name":      "silent",
				"__meta_kubernetes_pod_ip":        "10.244.0.8",
				"__meta_kubernetes_pod_uid":       "",
				"__meta_kubernetes_pod_node_name": "",
				"__meta_kubernetes_pod_phase":     "Failed",
				"__meta_kubernetes_pod_ready":     "unknown",
			},
		},
		{
			Targets: []string{"10.244.0.7:8080", "10.244.0.7:9090"},
			Labels: map[string]string{
				"__meta_kubernetes_namespace":                           "shop",
				"__meta_kubernetes_pod_name":                            "blue",
				"__meta_kubernetes_pod_ip":                              "10.244.0.7",
				"__meta_kubernetes_pod_uid":                             "u1",
				"__meta_kubernetes_pod_node_name":                       "node",
				"__meta_kubernetes_pod_phase":                           "Running",
				"__meta_kubernetes_pod_ready":                           "true",
				"__meta_kubernetes_pod_label_app_kubernetes_io_name":    "recommendation",
				"__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
			},
		},
	}
	if diff := cmp.Diff(want, Groups([]*corev1.Pod{blue, pending, silent})); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}
