package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func configParity() Check {
	return Check{
		ID: "BG-COL-14", Title: "both colours are configured by the same variables", Area: AreaColors,
		Stages:   []Stage{StagePR, StageDeploy},
		Why:      "A variable that one colour has and the other lacks is as often forgotten as intended, and shows only under traffic.",
		Remedy:   "add the variable to spec.template.spec.containers[].env of the other colour, or remove it from both",
		Source:   "second runbook, Common Pitfalls (Logs missing version tag: incorrect injection in v2)",
		Evaluate: evaluateConfigParity,
	}
}

func evaluateConfigParity(facts *Facts) []Finding {
	colors := facts.colors()
	if len(colors) != 2 {
		return []Finding{skip("colours", "there are not two colours to compare")}
	}
	var names [2][]string
	for i, color := range colors {
		if !color.Workloads.Known {
			if facts.Stage == StagePR && len(color.Declared.Manifests) == 0 {
				return []Finding{undeclaredManifests(color.Name)}
			}
			return color.Workloads.unknown("colour " + color.Name)
		}
		for _, workload := range color.Workloads.Value {
			names[i] = append(names[i], variableNames(workload.Template)...)
		}
	}
	subject := colors[0].Name + " and " + colors[1].Name
	only := [2][]string{missingFrom(names[0], names[1]), missingFrom(names[1], names[0])}
	if len(only[0])+len(only[1]) == 0 {
		return []Finding{pass(subject, "both have the same %d variables", len(slices.Compact(slices.Sorted(slices.Values(names[0])))))}
	}
	finding := warn(subject, "their variables differ: %s", describeOnly(colors, only))
	return []Finding{finding}
}

func describeOnly(colors []Color, only [2][]string) string {
	var parts []string
	for i, names := range only {
		if len(names) > 0 {
			parts = append(parts, "only "+colors[i].Name+" has "+strings.Join(names, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// variableNames are the names of a template's variables, never their
// values.
func variableNames(template corev1.PodTemplateSpec) []string {
	var names []string
	for _, container := range template.Spec.Containers {
		for _, env := range container.Env {
			names = append(names, env.Name)
		}
	}
	return names
}

func missingFrom(names, other []string) []string {
	var missing []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if !slices.Contains(other, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
