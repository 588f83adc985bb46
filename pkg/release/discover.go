package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// side is a workload that may be a colour's, with the labels of its pods.
type side struct {
	workload Workload
	labels   map[string]string
}

// refuse is the error for what can't be discovered, and what to do about it.
func refuse(service *corev1.Service, hint, format string, arguments ...any) error {
	return WithHint(fmt.Errorf("discover the colours behind service %s: %s", service.Name, fmt.Sprintf(format, arguments...)), hint)
}

const hintDocument = "say which is which in a bluegreen.yaml"

// mayBeRoute refuses a Service whose selector can't be switched.
func mayBeRoute(service *corev1.Service) error {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return refuse(service, "name the Service that selects the pods", "it is an ExternalName, which selects no pods")
	}
	if len(service.Spec.Selector) == 0 {
		return refuse(service, "name the Service that selects the pods", "it has no selector, so there is nothing to switch")
	}
	return nil
}

// discover is pure. The live colour is the workload whose pods the Service
// selects; the other is the one whose pods it would select if the value of
// exactly one label were another. Anything less clear is refused: a label
// that is missing is a stop, never a reason to go ahead.
func discover(service *corev1.Service, deployments []appsv1.Deployment, statefulSets []appsv1.StatefulSet, services []corev1.Service) (*Discovery, error) {
	if err := mayBeRoute(service); err != nil {
		return nil, err
	}
	sides := sidesOf(deployments, statefulSets)
	live, err := liveSide(service, sides)
	if err != nil {
		return nil, err
	}
	key, idle, err := idleSide(service, sides, live)
	if err != nil {
		return nil, err
	}
	liveColor, idleColor := colorName(live.labels[key]), colorName(idle.labels[key])
	if liveColor == "" || idleColor == "" || liveColor == idleColor {
		return nil, refuse(service, hintDocument, "the values %q and %q of label %s give no two names for colours", live.labels[key], idle.labels[key], key)
	}
	d := &Discovery{Live: liveColor, Production: calledForBoth(service, services, map[string]side{liveColor: live, idleColor: idle}), Release: &Release{APIVersion: APIVersion, Kind: Kind}}
	d.name(service, live, idle)
	d.Release.Spec.Colors = map[string]Color{}
	d.addColor(liveColor, key, live, fmt.Sprintf("service %s selects its pods: it is live", service.Name))
	d.addColor(idleColor, key, idle, fmt.Sprintf("its pods differ from what service %s selects in label %s alone", service.Name, key))
	d.addDirectServices(service, services, map[string]side{liveColor: live, idleColor: idle})
	d.Release.Spec.Traffic.Service = &ServiceRoute{Name: service.Name}
	ApplyDefaults(d.Release)
	return d, nil
}

// calledForBoth is, for a Service that is called after one colour, another one that
// selects a colour's pods and is called after none: that is the production Service,
// and the one at hand a colour's own.
func calledForBoth(service *corev1.Service, services []corev1.Service, sides map[string]side) string {
	after := func(name string) bool {
		words := strings.FieldsFunc(name, func(letter rune) bool { return letter == '-' || letter == '.' })
		return slices.ContainsFunc(words, func(word string) bool { _, found := sides[word]; return found })
	}
	if !after(service.Name) {
		return ""
	}
	for index := range services {
		other := &services[index]
		for _, its := range sides {
			if other.Name != service.Name && !after(other.Name) && selects(other.Spec.Selector, its.labels) {
				return other.Name
			}
		}
	}
	return ""
}

// sidesOf returns the workloads, sorted by kind and name.
func sidesOf(deployments []appsv1.Deployment, statefulSets []appsv1.StatefulSet) []side {
	var sides []side
	for i := range deployments {
		sides = append(sides, side{Workload{"deployment", deployments[i].Name}, deployments[i].Spec.Template.Labels})
	}
	for i := range statefulSets {
		sides = append(sides, side{Workload{"statefulset", statefulSets[i].Name}, statefulSets[i].Spec.Template.Labels})
	}
	slices.SortFunc(sides, func(a, b side) int { return strings.Compare(a.workload.String(), b.workload.String()) })
	return sides
}

// liveSide is the one workload whose pods the Service selects.
func liveSide(service *corev1.Service, sides []side) (side, error) {
	var live []side
	for _, candidate := range sides {
		if selects(service.Spec.Selector, candidate.labels) {
			live = append(live, candidate)
		}
	}
	switch len(live) {
	case 1:
		return live[0], nil
	case 0:
		return side{}, refuse(service, "compare the selector with the labels: kubectl get deployments,statefulsets --show-labels",
			"its selector, %s, matches the pods of no deployment or statefulset", written(service.Spec.Selector))
	}
	hint := hintDocument
	if key := tellsApart(live); key != "" {
		hint = fmt.Sprintf("add label %s to the selector, so that it selects one colour", key)
	}
	return side{}, refuse(service, hint, "its selector, %s, matches the pods of %s alike", written(service.Spec.Selector), listed(live))
}

// tellsApart is the first label that all have, each with another value.
func tellsApart(sides []side) string {
	for _, key := range slices.Sorted(maps.Keys(sides[0].labels)) {
		values := map[string]bool{}
		for _, s := range sides {
			if value, found := s.labels[key]; found {
				values[value] = true
			}
		}
		if len(values) == len(sides) {
			return key
		}
	}
	return ""
}

// idleSide is the one workload that the Service would select if one label had
// another value, and the key of that label.
func idleSide(service *corev1.Service, sides []side, live side) (string, side, error) {
	selector := service.Spec.Selector
	byKey := map[string][]side{}
	var unlabelled []string
	for _, candidate := range sides {
		differing := differences(selector, candidate.labels)
		if candidate.workload == live.workload || len(differing) != 1 {
			continue
		}
		key := differing[0]
		switch value, found := candidate.labels[key]; {
		case !found && len(selector) > 1 && !slices.Contains(identityLabels, key):
			unlabelled = append(unlabelled, fmt.Sprintf("%s lacks label %s", candidate.workload, key))
		case found && value != "" && akin(key, live, candidate, len(selector) == 1):
			byKey[key] = append(byKey[key], candidate)
		}
	}
	keys := slices.Sorted(maps.Keys(byKey))
	switch {
	case len(keys) == 0 && len(unlabelled) > 0:
		return "", side{}, refuse(service, "give the pods of the other colour that label, with a value of its own", "there is no second colour: %s", strings.Join(unlabelled, ", "))
	case len(keys) == 0:
		return "", side{}, refuse(service, "deploy the other colour beside "+live.workload.String()+", its pods alike but for one label of the selector",
			"there is no second colour: no other workload has pods with %s but for one value", written(selector))
	case len(keys) > 1:
		return "", side{}, refuse(service, hintDocument, "more than one label could tell the colours apart: %s", candidates(keys, byKey))
	case len(byKey[keys[0]]) > 1:
		return "", side{}, refuse(service, hintDocument, "there are more than two colours by label %s: %s, %s", keys[0], live.workload, listed(byKey[keys[0]]))
	}
	return keys[0], byKey[keys[0]][0], nil
}

// differences are the keys of a selector that labels don't satisfy, sorted.
func differences(selector, labels map[string]string) []string {
	var keys []string
	for key, value := range selector {
		if got, found := labels[key]; !found || got != value {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// selects reports whether a Service's selector matches pods with labels.
func selects(selector, labels map[string]string) bool {
	return len(selector) > 0 && len(differences(selector, labels)) == 0
}

// written is a selector as kubectl writes it.
func written(selector map[string]string) string {
	var pairs []string
	for key, value := range sortedPairs(selector) {
		pairs = append(pairs, key+"="+value)
	}
	return strings.Join(pairs, ",")
}

func listed(sides []side) string {
	var names []string
	for _, s := range sides {
		names = append(names, s.workload.String())
	}
	return strings.Join(names, ", ")
}

func candidates(keys []string, byKey map[string][]side) string {
	var parts []string
	for _, key := range keys {
		parts = append(parts, key+" ("+listed(byKey[key])+")")
	}
	return strings.Join(parts, ", ")
}
