package measure

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// defaultMetricsPath is where Prometheus looks when nothing says otherwise.
const defaultMetricsPath = "/metrics"

// The annotations by which pods ask to be scraped: a convention of the
// Prometheus examples that most clusters follow.
const (
	annotationScrape = "prometheus.io/scrape"
	annotationPort   = "prometheus.io/port"
	annotationPath   = "prometheus.io/path"
)

// endpoint is where a pod serves its metrics.
type endpoint struct {
	port int
	path string
	// declared: the pod or the Release says so. Otherwise it is a guess,
	// and that nothing is there is no fault.
	declared bool
}

// endpointOf finds where a pod serves its metrics: by its annotations, by the
// Release, by a port named metrics, by one named http, or by its only port.
func endpointOf(pod *corev1.Pod, metrics release.Metrics) (endpoint, bool) {
	if pod.Annotations[annotationScrape] == "false" {
		return endpoint{}, false
	}
	found := endpoint{path: pathOf(metrics)}
	found.declared = metrics.Port != 0 || metrics.Path != "" || pod.Annotations[annotationScrape] == "true"
	if path := pod.Annotations[annotationPath]; path != "" {
		found.path = path
	}
	if port, err := strconv.Atoi(pod.Annotations[annotationPort]); err == nil && port > 0 && port < 65536 {
		found.port, found.declared = port, true
		return found, true
	}
	if metrics.Port != 0 {
		found.port = metrics.Port
		return found, true
	}
	found.port = guessPort(pod)
	return found, found.port != 0
}

// pathOf is where pods that don't say otherwise serve their metrics.
func pathOf(metrics release.Metrics) string {
	if metrics.Path != "" {
		return metrics.Path
	}
	return defaultMetricsPath
}

// guessPort is the port named metrics, the one named http, or the first.
func guessPort(pod *corev1.Pod) int {
	ports := tcpPorts(pod)
	for _, names := range [][]string{{"metrics", "http-metrics"}, {"http", "web"}} {
		for _, port := range ports {
			if slices.Contains(names, port.Name) {
				return int(port.ContainerPort)
			}
		}
	}
	if len(ports) > 0 {
		return int(ports[0].ContainerPort)
	}
	return 0
}

func tcpPorts(pod *corev1.Pod) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Protocol == "" || port.Protocol == corev1.ProtocolTCP {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// platformPaths are the paths that the kubelet and we ourselves ask a pod
// for: no request of a user.
func platformPaths(pod *corev1.Pod, metricsPath string) []string {
	paths := []string{metricsPath}
	for _, container := range pod.Spec.Containers {
		for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe, container.StartupProbe} {
			if probe != nil && probe.HTTPGet != nil {
				paths = append(paths, probe.HTTPGet.Path)
			}
		}
	}
	return paths
}
