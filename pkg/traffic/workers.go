package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// workersRouter switches workers that take jobs from a queue. No object says who
// gets jobs: whoever runs takes them. So the split is read out of the replicas of
// two Deployments, and written there; each carries the stamp and the records that
// a route carries.
type workersRouter struct {
	client    *cluster.Client
	namespace string
	// colors are sorted, and deployments what each colour is.
	colors      []string
	deployments map[string]release.Workload
	// oldFirst: two versions never take at once.
	oldFirst bool
	clock    clock.PassiveClock
}

// workersDriver is the driver for spec.traffic.workers.
func workersDriver() driver {
	return driver{
		declared: func(traffic release.Traffic) bool { return traffic.Workers != nil },
		router: func(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
			router, err := workersOf(rel)
			if err != nil {
				return nil, err
			}
			router.client, router.namespace, router.clock = client, namespaceOf(client, rel), clock
			return router, nil
		},
		describe: func(rel *release.Release) ([]Description, error) {
			router, err := workersOf(rel)
			if err != nil {
				return nil, err
			}
			return router.descriptions(), nil
		},
		split: func(*release.Release, *unstructured.Unstructured) (Split, error) {
			return nil, errors.New("read split: the replicas of one Deployment tell no share, those of both do")
		},
	}
}

// workersOf is the router of a release, without a cluster.
func workersOf(rel *release.Release) (*workersRouter, error) {
	router := &workersRouter{colors: rel.Spec.ColorNames(), deployments: map[string]release.Workload{}, oldFirst: rel.Spec.Traffic.Workers.Order == release.OldFirst}
	if len(router.colors) != 2 {
		return nil, fmt.Errorf("read colours: jobs are moved between two colours, and the release has %d", len(router.colors))
	}
	for _, name := range router.colors {
		workloads := rel.Spec.Colors[name].Workloads
		if len(workloads) != 1 || workloads[0].Kind != "deployment" {
			return nil, release.WithHint(fmt.Errorf("read colours: with traffic.workers each colour is one Deployment, and %s has %v", name, workloads),
				fmt.Sprintf("write spec.colors.%s.workloads: [deployment/NAME]", name))
		}
		router.deployments[name] = workloads[0]
	}
	return router, nil
}

// descriptions are the two Deployments for what knows of no router.
func (r *workersRouter) descriptions() []Description {
	var found []Description
	for _, color := range r.colors {
		ref := r.deployments[color]
		found = append(found, Description{Object: ref.String(), Kind: "Deployment", Fields: []Field{{Path: []string{"spec", "replicas"}}}, Resource: appsv1.SchemeGroupVersion.WithResource("deployments"), Name: ref.Name})
	}
	return found
}

// object is how the two are named for people.
func (r *workersRouter) object() string {
	return r.deployments[r.colors[0]].String() + " + " + r.deployments[r.colors[1]].String()
}

// Capabilities implements Router.
func (r *workersRouter) Capabilities() Capabilities {
	return Capabilities{Weights: !r.oldFirst, Scales: true}
}

// Read implements Router.
func (r *workersRouter) Read(ctx context.Context) (Route, error) {
	seen, err := r.look(ctx)
	if err != nil {
		return Route{}, err
	}
	return r.route(seen)
}

// look reads both Deployments, one of which may be still to come, and, where one
// side must be gone before the other begins, their pods.
func (r *workersRouter) look(ctx context.Context) (workers, error) {
	var seen workers
	var missing error
	for _, color := range r.colors {
		one := crew{color: color, ref: r.deployments[color]}
		workload, err := r.client.Workload(ctx, r.namespace, one.ref)
		switch {
		case apierrors.IsNotFound(err):
			missing = errors.Join(missing, err)
		case err != nil:
			return nil, err
		default:
			one.workload = workload
		}
		if one.workload != nil && r.oldFirst {
			if one.pods, err = r.running(ctx, one); err != nil {
				return nil, err
			}
		}
		seen = append(seen, one)
	}
	if !slices.ContainsFunc(seen, crew.deployed) {
		return nil, missing
	}
	return seen, nil
}

// running counts the pods of a side that may still take a job or have one: those
// that are ending among them.
func (r *workersRouter) running(ctx context.Context, one crew) (int, error) {
	pods, err := r.client.Pods(ctx, r.namespace, one.workload.Selector)
	return len(slices.DeleteFunc(pods, ended)), err
}

// ended reports whether a pod has ended for good.
func ended(pod corev1.Pod) bool { return cluster.PodEnded(&pod) }

// route is everything that a run needs to know out of the two Deployments. Where
// nobody takes jobs it is the rest, beside the error.
func (r *workersRouter) route(seen workers) (Route, error) {
	split, err := seen.split(r.oldFirst)
	var members []Route
	for _, one := range seen {
		if !one.deployed() {
			continue
		}
		member := annotated(one.ref.String(), r.namespace, one.workload.Object)
		member.Split = split
		if owners := cluster.FieldOwners(one.workload.Object, "spec", "replicas"); len(owners) > 0 {
			member.Owners["spec.replicas"] = owners
		}
		members = append(members, member)
	}
	route := together(members)
	route.Live = seen
	// A move is recorded on both before the first scales. Where that was cut off,
	// what leads back from here is what counts.
	for _, member := range members {
		if member.Origin != "" && member.Origin != split.Sole() {
			route.Previous, route.Origin = member.Previous, member.Origin
			break
		}
	}
	if err != nil {
		return route, release.WithHint(fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err),
			"scale the colour up that is to take jobs; "+forEach(r.colors, func(color string) string { return r.undo(seen, color) }))
	}
	return route, nil
}

// Receivers implements Router: the ready pods of a side, which take jobs now.
func (r *workersRouter) Receivers(ctx context.Context, color string) (int, error) {
	workload, err := r.client.Workload(ctx, r.namespace, r.deployments[color])
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	pods, err := r.client.Pods(ctx, r.namespace, workload.Selector)
	return countReceivers(pods), err
}

// Undo implements Router.
func (r *workersRouter) Undo(route Route, color string) string {
	seen, _ := route.Live.(workers)
	return r.undo(seen, color)
}

func (r *workersRouter) undo(seen workers, color string) string {
	replicas, other := "N", r.colors[0]
	if other == color {
		other = r.colors[1]
	}
	selector := ""
	for _, one := range seen {
		switch {
		case one.color == color && one.deployed():
			replicas = fmt.Sprint(one.full())
		case one.color == other && one.deployed():
			selector = one.workload.Selector.String()
		}
	}
	kubectl := "kubectl -n " + r.namespace + " "
	if selector == "" {
		// Not deployed yet: what its pods will be known by is asked for when the
		// line is typed. An empty selector would wait for everybody's pods.
		selector = fmt.Sprintf(`$(%sget %s -o jsonpath='{.spec.selector.matchLabels}' | tr -d '{}"' | tr : =)`, kubectl, r.deployments[other])
	}
	up := fmt.Sprintf("%sscale %s --replicas=%s", kubectl, r.deployments[color], replicas)
	down := fmt.Sprintf("%sscale %s --replicas=0", kubectl, r.deployments[other])
	if r.oldFirst {
		gone := kubectl + `wait pod -l "` + selector + `" --for=delete --timeout=5m`
		return strings.Join([]string{down, gone, up}, " && ")
	}
	return strings.Join([]string{up, fmt.Sprintf("%srollout status %s", kubectl, r.deployments[color]), down}, " && ")
}
