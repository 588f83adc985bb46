// Package discovery tells Prometheus which pods there are, in the form of its
// http_sd_configs and with the labels of its kubernetes_sd_configs, so that
// relabelling rules are those of any cluster. Debian's Prometheus is built
// without the latter.
//
// Format: https://prometheus.io/docs/prometheus/latest/http_sd/. Labels:
// https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod.
package discovery

import (
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
)

// Group is one pod as a target.
type Group struct {
	// Targets are addresses with ports.
	Targets []string `json:"targets"`
	// Labels describe the pod.
	Labels map[string]string `json:"labels"`
}

// prefix begins every label that comes from a pod.
const prefix = "__meta_kubernetes_"

// unfit is what a label's name may not hold.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// Groups returns the pods that have an address, one target for each declared
// port, or the bare address where there is none; sorted by namespace and name.
func Groups(pods []*corev1.Pod) []Group {
	sorted := slices.SortedFunc(slices.Values(pods), func(a, b *corev1.Pod) int {
		if a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name {
			return -1
		}
		return 1
	})
	groups := []Group{}
	for _, pod := range sorted {
		if pod.Status.PodIP != "" {
			groups = append(groups, Group{Targets: targets(pod), Labels: describe(pod)})
		}
	}
	return groups
}

// targets lists a pod's addresses.
func targets(pod *corev1.Pod) []string {
	var all []string
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			all = append(all, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port.ContainerPort))))
		}
	}
	if len(all) == 0 {
		return []string{pod.Status.PodIP}
	}
	return all
}

// describe returns a pod's labels.
func describe(pod *corev1.Pod) map[string]string {
	described := map[string]string{
		prefix + "namespace":     pod.Namespace,
		prefix + "pod_name":      pod.Name,
		prefix + "pod_ip":        pod.Status.PodIP,
		prefix + "pod_uid":       string(pod.UID),
		prefix + "pod_node_name": pod.Spec.NodeName,
		prefix + "pod_phase":     string(pod.Status.Phase),
		prefix + "pod_ready":     ready(pod),
	}
	for name, value := range pod.Labels {
		described[prefix+"pod_label_"+unfit.ReplaceAllString(name, "_")] = value
	}
	for name, value := range pod.Annotations {
		described[prefix+"pod_annotation_"+unfit.ReplaceAllString(name, "_")] = value
	}
	return described
}

// ready is "true", "false" or "unknown".
func ready(pod *corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type != corev1.PodReady {
			continue
		}
		switch condition.Status {
		case corev1.ConditionTrue:
			return "true"
		case corev1.ConditionFalse:
			return "false"
		}
	}
	return "unknown"
}

// Handler answers Prometheus with the pods that a lister knows.
func Handler(pods listers.PodLister) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		all, err := pods.List(labels.Everything())
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		response.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(response).Encode(Groups(all))
	})
}
