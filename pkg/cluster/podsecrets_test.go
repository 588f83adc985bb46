package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// TestSecretsOf: every way by which a container comes to see a Secret is known,
// and what the kubelet alone reads is none.
func TestSecretsOf(t *testing.T) {
	variable := func(name string, optional *bool) corev1.EnvVar {
		return corev1.EnvVar{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "k", Optional: optional}}}
	}
	all := func(name string, optional *bool) corev1.EnvFromSource {
		return corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: optional}}
	}
	spec := &corev1.PodSpec{
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
		InitContainers: []corev1.Container{
			{Env: []corev1.EnvVar{variable("init-variable", nil)}, EnvFrom: []corev1.EnvFromSource{all("init-all", nil)}},
		},
		Containers: []corev1.Container{
			{Env: []corev1.EnvVar{variable("variable", nil), variable("twice", ptr.To(true)), {Name: "PLAIN", Value: "x"}}, EnvFrom: []corev1.EnvFromSource{all("all", ptr.To(true))}},
			{Env: []corev1.EnvVar{variable("twice", ptr.To(false))}, EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{}}}},
		},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Env: []corev1.EnvVar{variable("debugger", nil)}}}},
		Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "files"}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{}},
				{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "projected"}, Optional: ptr.To(true)}},
			}}}},
			{VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{NodePublishSecretRef: &corev1.LocalObjectReference{Name: "disk"}}}},
		},
	}
	want := []cluster.PodSecret{
		{Name: "init-variable"}, {Name: "init-all"}, {Name: "variable"}, {Name: "twice"}, {Name: "all", Optional: true}, {Name: "debugger"},
		{Name: "files"}, {Name: "projected", Optional: true},
	}
	if diff := cmp.Diff(want, cluster.SecretsOf(spec)); diff != "" {
		t.Error(diff)
	}
}
