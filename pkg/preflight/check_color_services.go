package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func colorServices() Check {
	return Check{
		ID: "BG-COL-04", Title: "each colour has a Service of its own that reaches only its pods", Area: AreaColors,
		Stages: []Stage{StageDeploy},
		Why:    "The target is validated past the production route. A direct Service that is missing, or that reaches the other colour, validates the wrong version.",
		Remedy: "create the Service that spec.colors.<colour>.service names, with the colour's labels in its selector",
		Source: "second runbook, Pre-Deployment Checklist (svc-green exists and routes to v2 pods; svc-blue remains active)",
		Evaluate: func(facts *Facts) []Finding {
			var findings []Finding
			for _, color := range facts.colors() {
				findings = append(findings, colorService(facts, color))
			}
			return findings
		},
	}
}

func colorService(facts *Facts, color Color) Finding {
	if color.Declared.Service == "" && workers(facts) {
		return skip("Service of colour "+color.Name, "it does not apply: workers are reached by their pods, and need none")
	}
	if color.Declared.Service == "" {
		return undeclared("Service of colour " + color.Name)
	}
	subject := "service/" + color.Declared.Service
	switch {
	case absentService(color) && color.ServicePlanned:
		return pass(subject, "the shift makes it from the manifests of %s", color.Name)
	case absentService(color):
		return fail(subject, "it does not exist")
	case !color.Service.Known:
		return color.Service.unknown(subject)[0]
	case !color.ServicePods.Known:
		return color.ServicePods.unknown(subject)[0]
	case !color.Workloads.Known:
		return color.Workloads.unknown(subject)[0]
	}
	// Owned by their labels, and not by a list of the workloads' pods, which
	// was read at another moment: pods come and go between the two.
	foreign := podNames(slices.DeleteFunc(slices.Clone(color.ServicePods.Value), color.owns))
	if len(foreign) > 0 {
		return fail(subject, "it also selects pods that are not %s's: %s", color.Name, strings.Join(foreign, ", ")).
			with("selector", color.Service.Value.Spec.Selector).fix("add the labels of %s to spec.selector of %s", color.Name, subject)
	}
	if ready := readyCount(color.ServicePods.Value); ready == 0 {
		if color.Planned {
			return pass(subject, "it selects no pod yet, as none of %s is wanted", color.Name)
		}
		if color.Name == facts.Target && !color.replaced() {
			return fail(subject, "it selects no ready pod")
		}
		return warn(subject, "it selects no ready pod")
	}
	return pass(subject, "it selects %d ready pods of %s and no others", readyCount(color.ServicePods.Value), color.Name)
}

// absentService reports whether a colour's own Service was looked for and is not
// there.
func absentService(color Color) bool {
	return !color.Service.Known && strings.Contains(color.Service.Problem, "not found")
}

func podNames(pods []corev1.Pod) []string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}
