package cluster

import corev1 "k8s.io/api/core/v1"

// SecretsOf are the Secrets that a pod is given, by name, as variables and as
// files. One that it is given twice stands there twice.
func SecretsOf(spec *corev1.PodSpec) []string {
	var names []string
	for _, container := range ContainersOf(spec) {
		for _, variable := range container.Env {
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				names = append(names, from.SecretKeyRef.Name)
			}
		}
		for _, source := range container.EnvFrom {
			if source.SecretRef != nil {
				names = append(names, source.SecretRef.Name)
			}
		}
	}
	for _, volume := range spec.Volumes {
		if volume.Secret != nil {
			names = append(names, volume.Secret.SecretName)
		}
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.Secret != nil {
				names = append(names, source.Secret.Name)
			}
		}
	}
	return names
}

// ContainersOf are a pod's containers, those that prepare it among them.
func ContainersOf(spec *corev1.PodSpec) []corev1.Container {
	containers := append([]corev1.Container{}, spec.InitContainers...)
	return append(containers, spec.Containers...)
}
