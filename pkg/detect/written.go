package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// written is a route as a person would write it under spec.
type written struct {
	traffic release.Traffic
	// backends are what the colours are called in the object, where no Release
	// says which colour is which.
	backends map[string]string
	notes    []string
}

// written is the route of an object, with subsets and places of weights filled
// in from the Release, or, without one, with two colours whose names are made
// up.
func (e *evaluation) written(one *concern, sharing sharing, rel *release.Release) written {
	route := written{traffic: one.reading.declares}
	names := map[string]string{}
	if rel != nil {
		names = backendNames(rel, release.Traffic{})
	} else if len(sharing.pairs) > 0 {
		names["blue"], names["green"] = sharing.pairs[0][0], sharing.pairs[0][1]
	}
	switch {
	case route.traffic.VirtualService != nil && len(route.traffic.VirtualService.Subsets) > 0:
		route.subsets(one, sharing, rel)
	case route.traffic.Custom != nil:
		route.places(one, names)
	}
	if rel == nil {
		route.backends = names
	}
	return route
}

// subsets fills in the subsets of a VirtualService: the Release's own, or the
// two that share.
func (w *written) subsets(one *concern, sharing sharing, rel *release.Release) {
	declared := *w.traffic.VirtualService
	w.traffic.VirtualService = &declared
	if rel != nil {
		for _, route := range rel.Spec.Traffic.Set() {
			if own := route.VirtualService; own != nil && own.Name == one.object.GetName() && len(own.Subsets) > 0 {
				declared.Subsets, declared.Host = own.Subsets, own.Host
				return
			}
		}
	}
	declared.Subsets = map[string]string{}
	colors := []string{"blue", "green"}
	if rel != nil {
		colors = rel.Spec.ColorNames()
	}
	if len(sharing.pairs) == 0 {
		return
	}
	for i, color := range colors[:2] {
		subset, _ := traffic.ParseSubset(sharing.pairs[0][i])
		declared.Subsets[color], declared.Host = subset.Name, subset.Service
	}
	w.notes = append(w.notes, "which subset is which colour is a guess: look at the labels in its DestinationRule")
}

// places fills in where the weights of a custom route stand: those of each list
// that both colours are in.
func (w *written) places(one *concern, names map[string]string) {
	declared := *w.traffic.Custom
	declared.Weights = map[string][]string{}
	w.traffic.Custom = &declared
	for _, list := range one.reading.lists {
		pointers, empty := placesIn(list, names)
		if len(pointers) < 2 {
			continue
		}
		for color, pointer := range pointers {
			declared.Weights[color] = append(declared.Weights[color], pointer)
		}
		if len(empty) > 0 {
			w.notes = append(w.notes, fmt.Sprintf("no weight stands at %s yet: the driver writes one only where one is", strings.Join(empty, " and ")))
		}
	}
}

// placesIn are the places of the colours' weights in a list, and those of them
// at which nothing stands.
func placesIn(list traffic.List, names map[string]string) (pointers map[string]string, empty []string) {
	pointers = map[string]string{}
	for _, backend := range list.Backends {
		for _, color := range slices.Sorted(maps.Keys(names)) {
			if names[color] == "" || names[color] != backend.Service {
				continue
			}
			pointers[color] = backend.Pointer
			if !backend.Stands {
				empty = append(empty, backend.Pointer)
			}
		}
	}
	return pointers, empty
}

// yaml is the route as YAML under spec, with a comment at each colour that
// stands for a Service.
func (w written) yaml() string {
	route := w.traffic.Routes()[0]
	var lines []string
	add := func(format string, arguments ...any) { lines = append(lines, fmt.Sprintf(format, arguments...)) }
	add("traffic:")
	custom, mesh := w.traffic.Custom, w.traffic.VirtualService
	switch {
	case custom != nil:
		add("  custom:")
		add("    apiVersion: %s", custom.APIVersion)
		add("    resource: %s", custom.Resource)
		add("    name: %s", scalar(custom.Name))
		add("    weights:")
		for _, color := range slices.Sorted(maps.Keys(custom.Weights)) {
			add("      %s: [%s]%s", scalar(color), strings.Join(custom.Weights[color], ", "), w.comment(color))
		}
	case mesh != nil && len(mesh.Subsets) > 0:
		add("  virtualService:")
		add("    name: %s", scalar(mesh.Name))
		add("    host: %s", scalar(mesh.Host))
		add("    subsets:")
		for _, color := range slices.Sorted(maps.Keys(mesh.Subsets)) {
			add("      %s: %s", scalar(color), scalar(mesh.Subsets[color]))
		}
	default:
		add("  %s: {name: %s%s}", route.Field, scalar(route.Name), w.further())
	}
	return strings.Join(lines, "\n") + "\n"
}

// further is what stands behind the name of a route that says more.
func (w written) further() string {
	if canary := w.traffic.NginxIngress; canary != nil {
		return ", main: " + scalar(canary.Main)
	}
	for _, one := range []*release.VersionedRoute{w.traffic.TCPRoute, w.traffic.TLSRoute} {
		if one != nil && one.Version != "" {
			return ", version: " + scalar(one.Version)
		}
	}
	return ""
}

func (w written) comment(color string) string {
	if service := w.backends[color]; service != "" {
		return "  # service " + service
	}
	return ""
}

// scalar is a text as YAML takes it for one: quoted where it would be a number.
func scalar(text string) string {
	encoded, err := yaml.Marshal(text)
	if err != nil {
		return text // texts always marshal
	}
	return strings.TrimSpace(string(encoded))
}
