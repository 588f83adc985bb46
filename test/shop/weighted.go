package shop

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// weighted makes the [QuickRelease] one of a route that shares requests: by the
// first runbook's profile, and by half of the traffic.
func weighted(document *release.Release) {
	spec := &document.Spec
	spec.Traffic.Service = nil
	spec.Traffic.Steps = []release.Step{
		{Weight: 50, Hold: release.Duration(8 * time.Second)},
		{Weight: 100, Hold: release.Duration(10 * time.Second)},
	}
	spec.Gates.Profile = release.ProfileWeighted
	// Only the second runbook compares the volume with that of before.
	spec.Gates.Rules = slices.DeleteFunc(spec.Gates.Rules, func(rule release.RuleOverride) bool { return rule.ID == "advance-request-parity" })
}

// weightedName is what every route that shares requests is called.
const weightedName = "production"

// weightedKind completes a kind of route that shares requests between the
// colours' own Services. declare says in a Release which one it is.
func weightedKind(made kind, declare func(*release.Traffic)) kind {
	made.name, made.ahead, made.behind = weightedName, greenAhead(), behindColor
	made.declare = func(document *release.Release) {
		weighted(document)
		declare(&document.Spec.Traffic)
	}
	return made
}

// namedRoute is how a Release names a route of which it says no more.
func namedRoute() *release.NamedRoute { return &release.NamedRoute{Name: weightedName} }

// atHost fills a manifest with the name, the namespace and the host of a route
// that takes a shop's host itself.
func atHost(manifest string) func(*Shop) ([]byte, error) {
	return func(s *Shop) ([]byte, error) {
		return fmt.Appendf(nil, manifest, weightedName, s.Namespace, host(s)), nil
	}
}

// greenAhead is the Service of a green that no shift has applied yet: a route
// that leads to a Service which is not there is refused by its gateway, even
// where that gets nothing.
func greenAhead() []string { return []string{filepath.Join(Green, "service.yaml")} }

// behindColor is a colour's own Service, which such a route leads to.
func behindColor(color string) string { return "svc-" + color }

// gateway is where the lab's gateway is asked, and host the name by which it
// knows a shop.
func gateway(*Shop) (namespace, name string) { return "gateway", "traefik" }
func host(s *Shop) string                    { return s.Namespace + ".example" }

// entrance is the manifest of what leads clients to a route that no client
// reaches by itself.
const entrance = "entrance.yaml"

// backend is one of the Services that share requests.
type backend struct {
	Name   string
	Weight *int64
}

// byColor are the weights of the colours' Services. A backend without one has
// the weight 1, as the Gateway API and Traefik say.
func byColor(backends []backend) map[string]int64 {
	weights := map[string]int64{}
	for _, one := range backends {
		weights[strings.TrimPrefix(one.Name, behindColor(""))] += ptr.Deref(one.Weight, 1)
	}
	return weights
}

// decode reads an object into a type that knows a part of it.
func decode(object *unstructured.Unstructured, into any) error {
	text, err := json.Marshal(object.Object)
	if err != nil {
		return fmt.Errorf("read %s: %w", object.GetKind(), err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", object.GetKind(), err)
	}
	return nil
}

// lone is the one part of a route that its manifest has.
func lone[Part any](parts []Part, what string) (Part, error) {
	if len(parts) != 1 {
		return *new(Part), fmt.Errorf("it has %d %s, want one", len(parts), what)
	}
	return parts[0], nil
}
