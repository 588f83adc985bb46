package cluster

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// PodSecret is a Secret that a pod is given.
type PodSecret struct {
	Name string
	// Optional: the pod runs without it too.
	Optional bool
}

// SecretsOf are the Secrets that a pod is given, as variables and as files, by
// whichever of its containers, each once, in the order in which they are named.
// Those that the kubelet alone reads for it, to pull its images or to mount its
// disks, are none: no container sees them.
func SecretsOf(spec *corev1.PodSpec) []PodSecret {
	var given []PodSecret
	add := func(name string, optional *bool) {
		found := PodSecret{Name: name, Optional: optional != nil && *optional}
		if at := slices.IndexFunc(given, func(known PodSecret) bool { return known.Name == name }); at >= 0 {
			given[at].Optional = given[at].Optional && found.Optional
			return
		}
		given = append(given, found)
	}
	containers := ContainersOf(spec)
	for _, debugger := range spec.EphemeralContainers {
		containers = append(containers, corev1.Container(debugger.EphemeralContainerCommon))
	}
	for _, container := range containers {
		for _, variable := range container.Env {
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				add(from.SecretKeyRef.Name, from.SecretKeyRef.Optional)
			}
		}
		for _, source := range container.EnvFrom {
			if source.SecretRef != nil {
				add(source.SecretRef.Name, source.SecretRef.Optional)
			}
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Secret != nil {
			add(volume.Secret.SecretName, volume.Secret.Optional)
		}
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.Secret != nil {
				add(source.Secret.Name, source.Secret.Optional)
			}
		}
	}
	return given
}

// ContainersOf are a pod's containers, those that prepare it among them.
func ContainersOf(spec *corev1.PodSpec) []corev1.Container {
	containers := append([]corev1.Container{}, spec.InitContainers...)
	return append(containers, spec.Containers...)
}
