package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestServingPort(t *testing.T) {
	container := func(ports ...corev1.ContainerPort) corev1.Container { return corev1.Container{Ports: ports} }
	for name, test := range map[string]struct {
		containers []corev1.Container
		want       int
	}{
		"none declared":           {[]corev1.Container{container()}, 0},
		"the first":               {[]corev1.Container{container(corev1.ContainerPort{ContainerPort: 8080}, corev1.ContainerPort{ContainerPort: 9090})}, 8080},
		"the one named http":      {[]corev1.Container{container(corev1.ContainerPort{Name: "metrics", ContainerPort: 9090}, corev1.ContainerPort{Name: "http", ContainerPort: 8080})}, 8080},
		"of the second container": {[]corev1.Container{container(), container(corev1.ContainerPort{ContainerPort: 8080, Protocol: corev1.ProtocolTCP})}, 8080},
		"not over UDP":            {[]corev1.Container{container(corev1.ContainerPort{ContainerPort: 53, Protocol: corev1.ProtocolUDP}, corev1.ContainerPort{ContainerPort: 8080})}, 8080},
	} {
		if got := ServingPort(corev1.PodSpec{Containers: test.containers}); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
