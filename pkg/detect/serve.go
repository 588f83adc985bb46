package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// sharing is how the lists of an object share requests.
type sharing struct {
	// pairs are the different sets of Services, or subsets, that share a list,
	// each in the order of its list.
	pairs [][]string
	// alone are the Services that have a list for themselves, each once.
	alone []string
}

func shared(lists []traffic.List) sharing {
	var found sharing
	for _, list := range lists {
		var services []string
		for _, backend := range list.Backends {
			if backend.Service != "" && !slices.Contains(services, backend.Service) {
				services = append(services, backend.Service)
			}
		}
		switch {
		case len(services) == 1 && !slices.Contains(found.alone, services[0]):
			found.alone = append(found.alone, services[0])
		case len(services) > 1 && !slices.ContainsFunc(found.pairs, func(known []string) bool { return sameSet(known, services) }):
			found.pairs = append(found.pairs, services)
		}
	}
	return found
}

func sameSet(one, other []string) bool {
	return len(one) == len(other) && !slices.ContainsFunc(one, func(name string) bool { return !slices.Contains(other, name) })
}

// serve says which driver would move an object and whether the colours stand
// in it, or why none can.
func (e *evaluation) serve(one *concern, finding *Finding) {
	if by := one.reading.controller; by != "" {
		finding.Why = fmt.Sprintf("%s moves %s", by, listed(one.reading.moves))
		finding.Hint = fmt.Sprintf("two that move the same traffic undo each other: leave the release to %s, or take what it moves away from it first", by)
		return
	}
	if why := e.moved(one.routing); why != nil {
		finding.Why, finding.Hint = why.why, why.hint
		return
	}
	if unfit := one.reading.unfit; unfit != nil {
		finding.Why, finding.Hint = unfit.why, unfit.hint
		return
	}
	sharing := shared(one.reading.lists)
	if why := unshared(e.landscape, one, sharing); why != nil {
		finding.Why, finding.Hint = why.why, why.hint
		return
	}
	e.serveByWeights(one, sharing, finding)
}

// moved is why an object that a controller moves is not for a driver; nil where
// none does.
func (e *evaluation) moved(one *routing) *obstacle {
	for _, by := range e.landscape.controllers(one.self()) {
		return movedBy(by.reading.controller, by.self().String())
	}
	for _, owner := range one.object.GetOwnerReferences() {
		switch {
		case owner.Kind == "Canary" && strings.HasPrefix(owner.APIVersion, "flagger.app/"):
			return movedBy("Flagger", "canary/"+owner.Name)
		case owner.Kind == "Rollout" && strings.HasPrefix(owner.APIVersion, "argoproj.io/"):
			return movedBy("Argo Rollouts", "rollout/"+owner.Name)
		}
	}
	return nil
}

func movedBy(controller, object string) *obstacle {
	return obstructed(fmt.Sprintf("leave the release to %s, or take this out of %s first", controller, object),
		"%s moves it already, by %s, and two that move the same traffic undo each other", controller, object)
}

// unshared is why an object has nothing to weigh; nil where it has.
func unshared(land *landscape, one *concern, sharing sharing) *obstacle {
	if len(sharing.pairs) > 0 || len(sharing.alone) == 1 {
		return nil
	}
	if len(sharing.alone) > 1 {
		return obstructed("release them one by one: each by its selector, spec.traffic.service",
			"it leads different requests to %d production Services (%s), and shares none of them between two", len(sharing.alone), strings.Join(sharing.alone, ", "))
	}
	var through, unknown []string
	for _, part := range one.reading.claims {
		for _, lead := range part.leads {
			if _, found := land.named[lead.to]; found && !slices.Contains(through, lead.to.String()) {
				through = append(through, lead.to.String())
			} else if !found && lead.to.kind != "" && lead.to.kind != kindService {
				unknown = append(unknown, lead.to.String())
			}
		}
	}
	switch {
	case len(through) > 0:
		return obstructed("see "+strings.Join(through, " and "), "it leads on to %s and has no weights of its own", strings.Join(through, " and "))
	case len(unknown) > 0:
		return obstructed("if weights stand there, spec.traffic.custom moves it; "+HintPlaces(unknown[0]),
			"it leads on to %s, which was not found among the kinds that are looked at", unknown[0])
	}
	return obstructed("name the object that leads to the colours' Services", "it leads to no Service of its namespace")
}

// HintPlaces says how a person finds the JSON pointers of the numbers in an
// object, such as kind/name, for spec.traffic.custom.
func HintPlaces(object string) string {
	return "the places of its numbers: kubectl get " + object + ` -o json | jq -r 'paths(numbers) | "/" + (map(tostring) | join("/"))'`
}

// serveByWeights fills in the driver that writes weights, and what is known of
// the colours.
func (e *evaluation) serveByWeights(one *concern, sharing sharing, finding *Finding) {
	rel := e.releaseFor(one, sharing)
	written := e.written(one, sharing, rel)
	reader, err := traffic.NewReader(written.traffic)
	if err != nil {
		finding.Why = err.Error()
		return
	}
	field := written.traffic.Routes()[0].Field
	if spoken := reader.Resource.GroupVersion().String(); field != "custom" && spoken != one.object.GetAPIVersion() {
		finding.Why = fmt.Sprintf("the driver speaks %s, and the cluster serves this object as %s", spoken, one.object.GetAPIVersion())
		finding.Hint = "spec.traffic.custom takes it in that version, with the places of its weights"
		return
	}
	finding.Driver = &Driver{Field: field, Traffic: written.yaml(), Unproven: reader.Unproven}
	finding.Notes = append(finding.Notes, written.notes...)
	if rel == nil {
		finding.Colors = unnamed(sharing, e.facts.Undiscovered)
		return
	}
	finding.Declared = e.declares(one.object.GetNamespace(), written.traffic)
	finding.Colors = standing(rel, written.traffic, one)
	if finding.Colors.Standing != StandBoth && len(sharing.pairs) == 0 {
		finding.Hint = fmt.Sprintf("move service %s by its selector, spec.traffic.service; or put the colours' Services into it, the other one with weight 0", sharing.alone[0])
	}
}

// unnamed is what can be said of the colours where nothing says which they are.
func unnamed(sharing sharing, undiscovered string) *Colors {
	colors := &Colors{Standing: StandUnknown}
	switch {
	case len(sharing.pairs) == 0:
		colors.Standing = StandOne
		colors.Message = "it leads everything to service " + sharing.alone[0] + ", and no second one stands there to share with"
	case len(sharing.pairs) == 1 && len(sharing.pairs[0]) == 2:
		colors.Message = fmt.Sprintf("which of %s and %s is which colour is for the Release to say", sharing.pairs[0][0], sharing.pairs[0][1])
	default:
		var sets []string
		for _, pair := range sharing.pairs {
			sets = append(sets, strings.Join(pair, ", "))
		}
		colors.Message = "which two of its backends are the colours is for the Release to say: " + strings.Join(sets, "; ")
	}
	if undiscovered != "" && len(sharing.pairs) > 0 {
		colors.Message += " (discovery doesn't tell: " + undiscovered + ")"
	}
	return colors
}

// declares reports whether a route is the one of a Release that somebody wrote.
func (e *evaluation) declares(namespace string, route release.Traffic) bool {
	rel := e.releaseIn(namespace)
	if rel == nil || e.facts.Discovered {
		return false
	}
	this := route.Routes()[0]
	return slices.ContainsFunc(rel.Spec.Traffic.Set(), func(one release.Traffic) bool {
		own := one.Routes()
		return len(own) > 0 && own[0].Field == this.Field && own[0].Name == this.Name
	})
}

// releaseFor is the Release by which the backends of an object are told apart,
// nil for none. One that was discovered has found its colours' Services by
// their selectors, of which several may be alike: those that the object shares
// between are the ones that are meant.
func (e *evaluation) releaseFor(one *concern, sharing sharing) *release.Release {
	namespace := one.object.GetNamespace()
	rel := e.releaseIn(namespace)
	if rel == nil || !e.facts.Discovered {
		return rel
	}
	meant := *rel
	meant.Spec.Colors = maps.Clone(rel.Spec.Colors)
	for name, color := range meant.Spec.Colors {
		for _, service := range e.facts.Services {
			shares := slices.ContainsFunc(sharing.pairs, func(pair []string) bool { return slices.Contains(pair, service.Name) })
			if shares && service.Namespace == namespace && holds(service.Spec.Selector, color.Selector) {
				color.Service = service.Name
			}
		}
		if color.Service == "" {
			return nil
		}
		meant.Spec.Colors[name] = color
	}
	return &meant
}

// holds reports whether a selector has all of some labels.
func holds(selector, labels map[string]string) bool {
	for key, value := range labels {
		if selector[key] != value {
			return false
		}
	}
	return true
}

// standing is whether the colours of a Release stand in an object, as the
// driver reads it.
func standing(rel *release.Release, declared release.Traffic, one *concern) *Colors {
	asked := *rel
	asked.Spec.Traffic = declared
	split, err := traffic.SplitOf(&asked, one.object)
	if err == nil {
		return &Colors{Standing: StandBoth, Split: split.String(), Message: "both stand in it: " + split.String()}
	}
	colors := &Colors{Standing: StandNone, Message: err.Error()}
	present := map[string]bool{}
	for _, list := range one.reading.lists {
		for _, backend := range list.Backends {
			for color, called := range backendNames(rel, declared) {
				present[color] = present[color] || called != "" && called == backend.Service
			}
		}
	}
	count := 0
	for _, stands := range present {
		if stands {
			count++
		}
	}
	switch count {
	case 1:
		colors.Standing = StandOne
	case 2:
		colors.Standing = StandUnknown // both are there, and no split can be read
	}
	return colors
}

// backendNames are what the backends of the colours are called in the lists.
func backendNames(rel *release.Release, declared release.Traffic) map[string]string {
	names := map[string]string{}
	for color, spec := range rel.Spec.Colors {
		names[color] = spec.Service
	}
	if declared.VirtualService != nil {
		for color, subset := range declared.VirtualService.Subsets {
			names[color] = traffic.Subset{Name: subset, Service: declared.VirtualService.Host}.String()
		}
	}
	return names
}

// listed are targets for people.
func listed(targets []target) string {
	var names []string
	for _, one := range targets {
		names = append(names, one.String())
	}
	return strings.Join(names, ", ")
}
