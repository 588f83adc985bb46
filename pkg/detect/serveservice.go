package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// serviceFinding is what a Service itself is for a release: a route that is
// moved by its selector, or no route at all. others are the findings so far.
func (e *evaluation) serviceFinding(service *corev1.Service, others []Finding) Finding {
	finding := Finding{Object: "service/" + service.Name, Namespace: service.Namespace, By: e.leading(service)}
	if why := e.unswitchable(service, others); why != nil {
		finding.Why, finding.Hint = why.why, why.hint
		return finding
	}
	declared := release.Traffic{Service: &release.ServiceRoute{Name: service.Name}}
	finding.Driver = &Driver{Field: "service", Traffic: written{traffic: declared}.yaml()}
	finding.Colors = e.selectedColor(service, declared)
	finding.Declared = e.declares(service.Namespace, declared)
	if twins := e.twins(service); len(twins) > 0 {
		finding.Notes = append(finding.Notes, fmt.Sprintf("%s selects the same pods: if that is a production Service too, its requests stay, unless it stands under spec.traffic.also", strings.Join(twins, ", ")))
	}
	return finding
}

// leading are the objects that lead to a Service.
func (e *evaluation) leading(service *corev1.Service) []string {
	self := serviceIn(service.Namespace, service.Name)
	var by []string
	for _, one := range e.concerns {
		for _, part := range one.claims {
			if slices.ContainsFunc(part.leads, func(lead lead) bool { return lead.to == self }) {
				by = append(by, one.self().String())
				break
			}
		}
	}
	return by
}

// unswitchable is why the selector of a Service is not for a driver.
func (e *evaluation) unswitchable(service *corev1.Service, others []Finding) *obstacle {
	spec := service.Spec
	for _, by := range e.landscape.controllers(serviceIn(service.Namespace, service.Name)) {
		return movedBy(by.reading.controller, by.self().String())
	}
	switch {
	case spec.Type == corev1.ServiceTypeExternalName:
		return obstructed("find what answers to that name, and release it there", "it is an ExternalName for %s: clients get that name by DNS, and no pod is selected", spec.ExternalName)
	case len(spec.Selector) == 0:
		return obstructed("name the Service that selects the pods", "it has no selector, so there is nothing to switch: somebody else writes its endpoints")
	case spec.ClusterIP == corev1.ClusterIPNone:
		return obstructed("give clients a Service with a cluster IP, and declare that", "it is headless: clients hold the addresses of pods, by DNS, and a switch reaches none of them")
	}
	if color := e.colorOf(service); color != "" {
		return obstructed("leave it to spec.traffic"+declaredRoutes(e.releaseIn(service.Namespace))+", which the Release declares to lead to both colours", "it is the Service of colour %s alone, not the production route (%s)", color, e.facts.Origin)
	}
	for _, finding := range others {
		if sharesWith := e.sharers(finding, service); sharesWith != "" {
			return obstructed("declare "+finding.Object, "%s shares requests between it and %s by weights: that is the route to move", finding.Object, sharesWith)
		}
	}
	return nil
}

// declaredRoutes are the fields of spec.traffic that a Release declares.
func declaredRoutes(rel *release.Release) string {
	var fields string
	for _, route := range rel.Spec.Traffic.Routes() {
		fields += "." + route.Field
	}
	return fields
}

// colorOf is the colour whose own Service it is, by a Release that somebody
// wrote; a discovered one rests on this very Service.
func (e *evaluation) colorOf(service *corev1.Service) string {
	rel := e.releaseIn(service.Namespace)
	if rel == nil {
		return ""
	}
	if slices.Contains(rel.Spec.Traffic.Services(), service.Name) {
		return ""
	}
	for _, color := range rel.Spec.ColorNames() {
		if rel.Spec.Colors[color].Service == service.Name {
			return color
		}
	}
	return ""
}

// sharers are the other Services that a finding with a driver shares requests
// between and this one; "" for none.
func (e *evaluation) sharers(finding Finding, service *corev1.Service) string {
	if finding.Driver == nil || finding.Namespace != service.Namespace {
		return ""
	}
	for _, way := range finding.Ways {
		var with []string
		stands := false
		for _, backend := range way.Backends {
			if backend.To == "service/"+service.Name {
				stands = true
			} else {
				with = append(with, backend.To)
			}
		}
		if stands && len(with) > 0 {
			return strings.Join(with, ", ")
		}
	}
	return ""
}

// selectedColor is which colour a Service selects, and whether there is another
// one.
func (e *evaluation) selectedColor(service *corev1.Service, declared release.Traffic) *Colors {
	rel := e.releaseIn(service.Namespace)
	if rel == nil {
		message := "which labels tell the colours apart is for a Release to say"
		if e.facts.Undiscovered != "" {
			message = "no two colours are found behind it: " + e.facts.Undiscovered
		}
		return &Colors{Standing: StandUnknown, Message: message}
	}
	asked := *rel
	asked.Spec.Traffic = declared
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(service)
	if err != nil {
		return &Colors{Standing: StandUnknown, Message: err.Error()}
	}
	split, err := traffic.SplitOf(&asked, &unstructured.Unstructured{Object: object})
	if err != nil {
		return &Colors{Standing: StandNone, Message: err.Error()}
	}
	other := slices.DeleteFunc(rel.Spec.ColorNames(), func(color string) bool { return color == split.Sole() })
	return &Colors{Standing: StandBoth, Split: split.String(), Message: fmt.Sprintf("it selects %s, and its selector can select %s", split.Sole(), strings.Join(other, ", "))}
}

// twins are other Services with the same selector that are no colour's own and
// that no Release moves. A colour's own Service has the selector of the production Service too, and one
// beside it that differs in one value.
func (e *evaluation) twins(service *corev1.Service) []string {
	var twins []string
	for _, other := range e.facts.Services {
		if other.Name == service.Name || other.Namespace != service.Namespace || !maps.Equal(other.Spec.Selector, service.Spec.Selector) {
			continue
		}
		if rel := e.releaseIn(service.Namespace); rel != nil && slices.ContainsFunc(slices.Collect(maps.Values(rel.Spec.Colors)), func(color release.Color) bool { return color.Service == other.Name }) {
			continue
		}
		if e.declares(other.Namespace, release.Traffic{Service: &release.ServiceRoute{Name: other.Name}}) {
			continue // it is moved with the others of its set
		}
		if e.facts.Release == nil && e.hasSibling(&other) {
			continue
		}
		twins = append(twins, "service/"+other.Name)
	}
	slices.Sort(twins)
	return twins
}

// hasSibling reports whether another Service has the same keys and one other
// value in its selector.
func (e *evaluation) hasSibling(service *corev1.Service) bool {
	return slices.ContainsFunc(e.facts.Services, func(other corev1.Service) bool {
		if other.Namespace != service.Namespace || len(other.Spec.Selector) != len(service.Spec.Selector) {
			return false
		}
		differing := 0
		for key, value := range service.Spec.Selector {
			against, found := other.Spec.Selector[key]
			if !found {
				return false
			}
			if against != value {
				differing++
			}
		}
		return differing == 1
	})
}
