package cluster

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// The kinds of Given, as kubectl names them.
const (
	KindConfigMap = "configmap"
	KindSecret    = "secret"
)

// Given is a ConfigMap or a Secret that the containers of a pod are given.
type Given struct {
	Kind, Name string
	// AsVariables: as variables too, which are read once, when a container starts. A file
	// follows its object.
	AsVariables bool
}

// String is kind/name.
func (g Given) String() string { return g.Kind + "/" + g.Name }

// GivenTo are the ConfigMaps and Secrets that a pod is given, each once, sorted.
func GivenTo(spec *corev1.PodSpec) []Given {
	var found []Given
	add := func(kind, name string, asVariables bool) {
		at := slices.IndexFunc(found, func(known Given) bool { return known.Kind == kind && known.Name == name })
		if at < 0 {
			found = append(found, Given{Kind: kind, Name: name, AsVariables: asVariables})
			return
		}
		found[at].AsVariables = found[at].AsVariables || asVariables
	}
	for _, secret := range SecretsOf(spec) {
		add(KindSecret, secret.Name, false)
	}
	for _, container := range ContainersOf(spec) {
		for _, variable := range container.Env {
			if from := variable.ValueFrom; from != nil && from.ConfigMapKeyRef != nil {
				add(KindConfigMap, from.ConfigMapKeyRef.Name, true)
			} else if from != nil && from.SecretKeyRef != nil {
				add(KindSecret, from.SecretKeyRef.Name, true)
			}
		}
		for _, source := range container.EnvFrom {
			if source.ConfigMapRef != nil {
				add(KindConfigMap, source.ConfigMapRef.Name, true)
			} else if source.SecretRef != nil {
				add(KindSecret, source.SecretRef.Name, true)
			}
		}
	}
	for _, volume := range spec.Volumes {
		if volume.ConfigMap != nil {
			add(KindConfigMap, volume.ConfigMap.Name, false)
		}
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				add(KindConfigMap, source.ConfigMap.Name, false)
			}
		}
	}
	slices.SortFunc(found, func(a, b Given) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return found
}
