package release

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// guess notes a conclusion.
func (d *Discovery) guess(field, value, why string) {
	d.Guesses = append(d.Guesses, Guess{Field: field, Value: value, Why: why})
}

// name chooses the release's name: what the workloads' names begin with, the
// app that both belong to, or the Service's name.
func (d *Discovery) name(service *corev1.Service, live, idle side) {
	d.Release.Metadata.Namespace = service.Namespace
	name, why := sharedPrefix(live.workload.Name, idle.workload.Name), "the names of both workloads begin with it"
	for _, key := range []string{"app.kubernetes.io/name", "app"} {
		if value := live.labels[key]; !usableName(name) && value == idle.labels[key] {
			name, why = value, "both colours have it as label "+key
		}
	}
	if !usableName(name) {
		name, why = service.Name, "it is the name of the Service"
	}
	d.Release.Metadata.Name = name
	d.guess("metadata.name", name, why)
}

func usableName(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// sharedPrefix is what two names begin with, in whole words.
func sharedPrefix(one, other string) string {
	words, otherWords := strings.Split(one, "-"), strings.Split(other, "-")
	shared := 0
	for shared < min(len(words), len(otherWords))-1 && words[shared] == otherWords[shared] {
		shared++
	}
	return strings.Join(words[:shared], "-")
}

// colorName makes a colour's name of a label's value: v2.4.0 becomes v2-4-0.
// It returns "" when there is nothing to make one of.
func colorName(value string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return '-'
		}
		return r
	}, strings.ToLower(value))
	if !usableName(name) {
		return ""
	}
	return name
}

// addColor adds a colour of one workload.
func (d *Discovery) addColor(name, key string, s side, why string) {
	d.Release.Spec.Colors[name] = Color{Workloads: []Workload{s.workload}, Selector: map[string]string{key: s.labels[key]}}
	field := join("spec.colors", name)
	d.guess(join(field, "workloads"), s.workload.String(), why)
	d.guess(join(field, "selector"), key+"="+s.labels[key], "the label by which the colours differ")
}

// addDirectServices finds, for each colour, a Service that selects its pods
// and not those of the other.
func (d *Discovery) addDirectServices(production *corev1.Service, services []corev1.Service, sides map[string]side) {
	for _, color := range d.Release.Spec.ColorNames() {
		own, other := sides[color].labels, sides[d.Release.Spec.Other(color)].labels
		var direct []string
		for i := range services {
			selector := services[i].Spec.Selector
			if services[i].Name == production.Name || services[i].Spec.Type == corev1.ServiceTypeExternalName {
				continue
			}
			if selects(selector, own) && !selects(selector, other) {
				direct = append(direct, services[i].Name)
			}
		}
		if len(direct) == 0 {
			continue
		}
		slices.Sort(direct)
		chosen := d.Release.Spec.Colors[color]
		chosen.Service = closestName(direct, color)
		d.Release.Spec.Colors[color] = chosen
		why := fmt.Sprintf("it selects the pods of %s alone", color)
		if len(direct) > 1 {
			why += fmt.Sprintf("; so do %d more (%s)", len(direct)-1, strings.Join(direct, ", "))
		}
		d.guess(join(join("spec.colors", color), "service"), chosen.Service, why)
	}
}

// closestName prefers the Service that has the colour in its name.
func closestName(names []string, color string) string {
	for _, name := range names {
		if slices.Contains(strings.Split(name, "-"), color) {
			return name
		}
	}
	return names[0]
}
