package preflight

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Places are where the fields stand that a finding may be about.
type Places struct {
	// Document is the file of the Release, "" where it came from elsewhere;
	// Release are the positions in it.
	Document string
	Release  release.Positions
	// Manifests are by the kind/name of the objects in the colours' manifests.
	Manifests map[string]release.Positions
}

// places finds where the fields stand. What can't be read has no place: that it
// can't be is a fact of its own.
func places(in Inputs) Places {
	found := Places{Document: in.Document, Release: in.Positions, Manifests: map[string]release.Positions{}}
	if in.Positions == nil {
		return found
	}
	for _, files := range in.Manifests {
		objects, err := cluster.ManifestPositions(files)
		if err != nil {
			continue
		}
		for object, positions := range objects {
			found.Manifests[object] = positions
		}
	}
	return found
}

// locate is where a finding would be put right: in the manifest of the object
// that it is about, else in the Release; nil where it is about neither.
func locate(facts *Facts, finding Finding) *release.Position {
	if position, found := facts.Places.Manifests[finding.Subject].Nearest(finding.Field); found {
		return &position
	}
	field := finding.Field
	if field == "" || isObject(finding.Subject) {
		field = releaseField(facts, finding.Subject)
	}
	if position, found := facts.Places.Release.Nearest(field); found && field != "" {
		return &position
	}
	return nil
}

// isObject reports whether a subject is a kind/name.
func isObject(subject string) bool {
	return strings.Contains(subject, "/") && !strings.Contains(subject, " ")
}

// releaseField is the field of the Release that declares a subject, "" where
// none does.
func releaseField(facts *Facts, subject string) string {
	spec := facts.Release.Spec
	if field := routeField(facts, subject); field != "" {
		return field
	}
	for _, name := range spec.ColorNames() {
		field := "spec.colors." + name
		index := slices.IndexFunc(spec.Colors[name].Workloads, func(ref release.Workload) bool { return ref.String() == subject })
		switch {
		case index >= 0:
			return fmt.Sprintf("%s.workloads[%d]", field, index)
		case subject == "service/"+spec.Colors[name].Service:
			return field + ".service"
		case subject == "manifests of "+name, subject == "manifests of colour "+name:
			return field + ".manifests"
		case subject == "colour "+name, subject == "workloads of colour "+name:
			return field
		}
	}
	for index, database := range spec.Databases {
		if strings.HasSuffix(subject, "database "+database.Name) {
			return fmt.Sprintf("spec.database[%d]", index)
		}
	}
	return map[string]string{"database": "spec.database", "migrations": "spec.database", "prometheus": "spec.metrics.prometheus", "logs": "spec.logs.loki", "dashboard": "spec.dashboard.grafana", "manifests": "spec.colors"}[subject]
}

// routeField is the field of the Release that declares a production route.
func routeField(facts *Facts, subject string) string {
	names := routeNames(facts)
	switch index := slices.Index(names, subject); {
	case index > 0:
		return fmt.Sprintf("spec.traffic.also[%d]", index-1)
	case index == 0 || subject == routeName(facts):
		if routes := facts.Release.Spec.Traffic.Routes(); len(routes) > 0 {
			return "spec.traffic." + routes[0].Field
		}
	}
	return ""
}

// differsAt is where a field of the templates of two workloads stands that are not
// alike in it, in the manifest of the target's or else of the other: nil where no
// manifest holds either. The field may be called otherwise in each.
func differsAt(facts *Facts, one, other cluster.Workload, field func(corev1.PodSpec) string) *release.Position {
	workloads := []cluster.Workload{other, one}
	if slices.Contains(facts.target().Declared.Workloads, one.Ref) {
		slices.Reverse(workloads)
	}
	for _, workload := range workloads {
		if position, found := facts.Places.Manifests[workload.Ref.String()].Nearest("spec.template.spec." + field(workload.Template.Spec)); found {
			return &position
		}
	}
	return nil
}

// settingField is the field of a pod that settingsOf calls by the names of containers
// and variables.
func settingField(pod corev1.PodSpec, setting string) string {
	name, rest, inContainer := strings.Cut(strings.TrimPrefix(setting, "containers["), "].")
	if !inContainer {
		return setting
	}
	if variable, is := strings.CutPrefix(rest, "env["); is {
		return variableField(pod, strings.TrimSuffix(variable, "].valueFrom"))
	}
	index := slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == name })
	return fmt.Sprintf("containers[%d].%s", max(index, 0), rest)
}

// variableField is the field of a variable in the first container that has it, that
// of all containers where none has.
func variableField(pod corev1.PodSpec, variable string) string {
	for index, container := range pod.Containers {
		if at := slices.IndexFunc(container.Env, func(env corev1.EnvVar) bool { return env.Name == variable }); at >= 0 {
			return fmt.Sprintf("containers[%d].env[%d]", index, at)
		}
	}
	return "containers"
}
