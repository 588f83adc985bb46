package preflight

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func runParity() Check {
	return Check{
		ID: "BG-COL-16", Title: "both colours run with the same account, rights, resources and sources of configuration", Area: AreaColors,
		Stages:   []Stage{StagePR, StageDeploy},
		Why:      "A service account, a security context or a memory limit that differs shows under load or at the first call that needs it, long after the pods were ready. What each container reads its variables from is compared by name; what stands in a Secret is not looked at.",
		Remedy:   "make the fields that the finding names the same in the manifests of both colours, or suppress the finding with the reason",
		Source:   "first runbook, Best Practices (test under realistic overlap conditions); second runbook, Common Pitfalls (incorrect injection in v2)",
		Evaluate: evaluateRunParity,
	}
}

func evaluateRunParity(facts *Facts) []Finding {
	colors := facts.colors()
	if len(colors) != 2 {
		return []Finding{skip("colours", "there are not two colours to compare")}
	}
	for _, color := range colors {
		if !color.Workloads.Known {
			if facts.Stage == StagePR && len(color.Declared.Manifests) == 0 {
				return []Finding{undeclaredManifests(color.Name)}
			}
			return color.Workloads.unknown("colour " + color.Name)
		}
	}
	one, other := colors[0].Workloads.Value, colors[1].Workloads.Value
	if len(one) != len(other) {
		return []Finding{warn(colors[0].Name+" and "+colors[1].Name, "%s has %d workloads and %s has %d", colors[0].Name, len(one), colors[1].Name, len(other))}
	}
	var findings []Finding
	for at := range one { // in the order in which the Release names them
		findings = append(findings, runAlike(facts, one[at], other[at]))
	}
	return findings
}

// runAlike holds what two workloads run with against each other.
func runAlike(facts *Facts, one, other cluster.Workload) Finding {
	subject := one.Ref.String() + " and " + other.Ref.String()
	differences := differing(settingsOf(one.Template.Spec), settingsOf(other.Template.Spec))
	if len(differences) == 0 {
		return pass(subject, "their accounts, security contexts, resources and sources of configuration are the same")
	}
	finding := warn(subject, "they differ in %s", strings.Join(differences, ", "))
	for _, name := range differences {
		finding = finding.with(name, settingsOf(one.Template.Spec)[name]+" | "+settingsOf(other.Template.Spec)[name])
	}
	finding.Position = differsAt(facts, one, other, func(pod corev1.PodSpec) string { return settingField(pod, differences[0]) })
	return finding
}

// settingsOf are what pods run with, by the field; none holds the value of a
// variable.
func settingsOf(pod corev1.PodSpec) map[string]string {
	account := pod.ServiceAccountName
	if account == "" {
		account = "default"
	}
	settings := map[string]string{
		"serviceAccountName":           account,
		"automountServiceAccountToken": asText(ptr.Deref(pod.AutomountServiceAccountToken, true)),
		"securityContext":              asText(ptr.Deref(pod.SecurityContext, corev1.PodSecurityContext{})),
	}
	for _, container := range pod.Containers {
		in := "containers[" + container.Name + "]."
		settings[in+"securityContext"] = asText(ptr.Deref(container.SecurityContext, corev1.SecurityContext{}))
		settings[in+"resources.requests"] = asText(container.Resources.Requests)
		settings[in+"resources.limits"] = asText(container.Resources.Limits)
		if len(container.EnvFrom) > 0 {
			settings[in+"envFrom"] = asText(container.EnvFrom)
		}
		for _, variable := range container.Env {
			if variable.ValueFrom != nil {
				settings[in+"env["+variable.Name+"].valueFrom"] = asText(sourceOf(*variable.ValueFrom))
			}
		}
	}
	return settings
}

// sourceOf is where a variable comes from, with what the API server fills in of it:
// what a manifest leaves out is no difference.
func sourceOf(source corev1.EnvVarSource) corev1.EnvVarSource {
	if source.FieldRef != nil && source.FieldRef.APIVersion == "" {
		source.FieldRef = &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: source.FieldRef.FieldPath}
	}
	return source
}

// differing are the fields that are not the same in both, sorted.
func differing(one, other map[string]string) []string {
	fields := map[string]bool{}
	for _, settings := range []map[string]string{one, other} {
		for field := range settings {
			fields[field] = one[field] != other[field]
		}
	}
	maps.DeleteFunc(fields, func(_ string, differs bool) bool { return !differs })
	return slices.Sorted(maps.Keys(fields))
}
