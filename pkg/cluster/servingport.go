package cluster

import corev1 "k8s.io/api/core/v1"

// ServingPort is where a probe that names no port asks a pod: the TCP port
// named http or web, else the first that its containers declare, 0 when they
// declare none.
func ServingPort(spec corev1.PodSpec) int {
	first := 0
	for _, container := range spec.Containers {
		for _, port := range container.Ports {
			if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP {
				continue
			}
			if port.Name == "http" || port.Name == "web" {
				return int(port.ContainerPort)
			}
			if first == 0 {
				first = int(port.ContainerPort)
			}
		}
	}
	return first
}
