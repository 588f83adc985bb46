package preflight

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Pods are replaced by what a manifest says otherwise, and not by what the API server
// has filled in.
func TestReplaces(t *testing.T) {
	manifest := func() corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Image: "shop:v2", Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
			ReadinessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready"}}, PeriodSeconds: 2},
			Resources:       corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("0.1")}},
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false)},
		}}}}
	}
	for name, test := range map[string]struct {
		change   func(container *corev1.Container)
		replaces bool
	}{
		"nothing":          {func(*corev1.Container) {}, false},
		"a quantity":       {func(c *corev1.Container) { c.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("100m") }, false},
		"the probe's path": {func(c *corev1.Container) { c.ReadinessProbe.HTTPGet.Path = "/nowhere" }, true},
		"a number":         {func(c *corev1.Container) { c.ReadinessProbe.PeriodSeconds = 3 }, true},
		"a variable more":  {func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} }, true},
		"what is false":    {func(c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = ptr.To(true) }, true},
	} {
		runs, planned := manifest(), manifest()
		filled := &runs.Spec.Containers[0]
		filled.Ports[0].Protocol, filled.TerminationMessagePath = corev1.ProtocolTCP, "/dev/termination-log"
		filled.ReadinessProbe.SuccessThreshold, filled.ReadinessProbe.FailureThreshold, filled.ReadinessProbe.HTTPGet.Scheme = 1, 3, corev1.URISchemeHTTP
		runs.Spec.RestartPolicy, runs.Spec.TerminationGracePeriodSeconds = corev1.RestartPolicyAlways, ptr.To(int64(30))
		test.change(&planned.Spec.Containers[0])
		if got := replaces(cluster.Workload{Template: planned}, cluster.Workload{Template: runs}); got != test.replaces {
			t.Errorf("%s: replaced: %t, want %t", name, got, test.replaces)
		}
	}
}

// Another configuration is what replaces pods too; that it was never noted is not.
func TestReplacesByConfiguration(t *testing.T) {
	carrying := func(sum string) cluster.Workload {
		workload := cluster.Workload{}
		if sum != "" {
			workload.Template.Annotations = map[string]string{cluster.AnnotationConfiguration: sum}
		}
		return workload
	}
	for name, test := range map[string]struct {
		planned, now string
		want         bool
	}{
		"another": {"b", "a", true},
		"the one": {"a", "a", false},
		"unnoted": {"a", "", false},
		"none":    {"", "", false},
	} {
		if got := replaces(carrying(test.planned), carrying(test.now)); got != test.want {
			t.Errorf("%s: replaced: %t, want %t", name, got, test.want)
		}
	}
}
