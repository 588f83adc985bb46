package traffic

import (
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ingress-nginx (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary)
// shares by a pair of Ingresses: the main one leads to one colour, and a canary
// of the same hosts and paths to the other. The canary alone holds the weight,
// as a text, of a total that is 100 unless it says otherwise; the main one has
// the rest. So the canary is what is read and written, and the main one is
// looked at to see that the rest is the other colour's.

const (
	nginxPrefix = "nginx.ingress.kubernetes.io/"
	nginxCanary = nginxPrefix + "canary"
	nginxWeight = nginxPrefix + "canary-weight"
	nginxTotal  = nginxPrefix + "canary-weight-total"
	// nginxOtherwise is the total where none stands.
	nginxOtherwise = 100
)

func nginxIngressDriver() driver {
	return weightedDriver("nginxIngress", func(traffic release.Traffic) (weightedKind, error) {
		return weightedKind{
			kind: "ingress", proper: "Ingress",
			resource:  ingressResource(),
			pools:     nginxPools,
			completed: nginxCompleted,
			writes:    writeCanaryWeight,
			fields:    [][]string{{"metadata", "annotations", nginxWeight}, {"metadata", "annotations", nginxTotal}},
			beside:    traffic.NginxIngress.Main,
			agrees:    nginxAgrees,
			affinity:  ingressAffinity,
			split:     nginxSplit,
			unproven:  true,
		}, nil
	})
}

// nginxPools are the Service that the canary leads to, and after it whatever
// the main Ingress does: which Service that is, does not stand here.
func nginxPools(object map[string]any) ([]pool, error) {
	if !nginxIsCanary(object) {
		return nil, fmt.Errorf("it is no canary: annotation %s is not true: %w", nginxCanary, ErrNoColor)
	}
	service, err := nginxService(object)
	if err != nil {
		return nil, err
	}
	weight, stands, err := nginxNumber(object, nginxWeight, 0)
	if err != nil {
		return nil, err
	}
	total, _, err := nginxNumber(object, nginxTotal, nginxOtherwise)
	if err != nil {
		return nil, err
	}
	if weight > total {
		return nil, fmt.Errorf("read annotation %s: %d is above the total, %d", nginxWeight, weight, total)
	}
	return []pool{{name: "the canary", backends: []backend{
		{service: service, weight: weight, stands: stands},
		{weight: total - weight, stands: stands},
	}}}, nil
}

// nginxService is the one Service that a canary leads to: it has one weight for
// all its paths.
func nginxService(object map[string]any) (string, error) {
	paths, err := ingressPaths(object)
	if err != nil {
		return "", err
	}
	service := ""
	for _, path := range paths {
		if service != "" && path.service != service {
			return "", fmt.Errorf("it leads to service %s and to service %s, and its one weight would move both: %w", service, path.service, ErrNoColor)
		}
		service = path.service
	}
	return service, nil
}

func nginxIsCanary(object map[string]any) bool {
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	canary, err := strconv.ParseBool(annotations[nginxCanary])
	return err == nil && canary
}

// nginxNumber is the whole number in an annotation, and whether it stands there.
func nginxNumber(object map[string]any, annotation string, otherwise int64) (number int64, stands bool, err error) {
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	text, stands := annotations[annotation]
	if !stands {
		return otherwise, false, nil
	}
	if number, err = whole(text); err != nil {
		return 0, true, fmt.Errorf("read annotation %s: %w", annotation, err)
	}
	return number, true, nil
}

// nginxCompleted gives the rest to the other colour, where the canary is one's.
func nginxCompleted(pools []pool, colors colorServices) []pool {
	canary := colors.colorOf(pools[0].backends[0])
	for color, service := range colors {
		if canary != "" && color != canary {
			pools[0].backends[1].service = service
		}
	}
	return pools
}

// writeCanaryWeight writes the weight, and the total where one stands or the
// usual one can't be divided.
func writeCanaryWeight(object map[string]any, weighed []pool) ([]cluster.Operation, error) {
	canary, rest := weighed[0].backends[0].weight, weighed[0].backends[1].weight
	operations := []cluster.Operation{cluster.Annotate(nginxWeight, strconv.FormatInt(canary, 10))}
	if _, stands, _ := nginxNumber(object, nginxTotal, 0); stands || canary+rest != nginxOtherwise {
		operations = append(operations, cluster.Annotate(nginxTotal, strconv.FormatInt(canary+rest, 10)))
	}
	return operations, nil
}

// nginxAgrees holds the main Ingress against its canary: the canary takes a
// part of those of its own paths that the main one has, and of no other.
func nginxAgrees(canary, main map[string]any, colors colorServices) error {
	if nginxIsCanary(main) {
		return fmt.Errorf("it is a canary itself: %w", ErrNoColor)
	}
	service, err := nginxService(canary)
	if err != nil {
		return err
	}
	taken, err := ingressPaths(canary)
	if err != nil {
		return err
	}
	led, err := ingressPaths(main)
	if err != nil {
		return err
	}
	same := func(one ingressPath) func(ingressPath) bool {
		return func(other ingressPath) bool { return one.name == other.name && one.kind == other.kind }
	}
	for _, path := range taken {
		if !slices.ContainsFunc(led, same(path)) {
			return fmt.Errorf("it has no %s of type %q, so the canary takes nothing there: %w", path.name, path.kind, ErrNoColor)
		}
	}
	for _, path := range led {
		covered := slices.ContainsFunc(taken, same(path))
		color := colors.colorOf(backend{service: path.service})
		switch {
		case covered && (color == "" || path.service == service):
			return fmt.Errorf("its %s leads to service %s and that of the canary to service %s, which are not both colours: %w", path.name, path.service, service, ErrNoColor)
		case !covered && color != "":
			return fmt.Errorf("its %s leads to service %s, and the canary has no such path, so its requests would never move: %w", path.name, path.service, ErrNoColor)
		}
	}
	return nil
}
