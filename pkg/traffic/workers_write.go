package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	typedappsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Write implements Router: the writes in their order, up to the first that has to
// wait. Nothing is taken back where a later one fails: whoever moves workers
// plans again, and goes on from what stands there, or back.
func (r *workersRouter) Write(ctx context.Context, patch Patch, dryRun bool) (Route, error) {
	if len(patch.read) != 1 {
		return Route{}, fmt.Errorf("write %s in %s: the patch is for another route", patch.Object, patch.Namespace)
	}
	read, ok := patch.read[0].Live.(workers)
	if !ok {
		return Route{}, fmt.Errorf("write %s in %s: the route was not read by this driver", patch.Object, patch.Namespace)
	}
	seen := slices.Clone(read)
	writes := patch.Ready()
	if dryRun {
		writes = patch.Members
	}
	for _, one := range writes {
		if err := r.put(ctx, seen, one, dryRun); err != nil {
			return Route{}, err
		}
	}
	route, err := r.route(seen)
	if dryRun && errors.Is(err, ErrNoColor) {
		return route, nil // the other side is not deployed yet, and nothing was written
	}
	return route, err
}

// After implements Router. Where a patch moves anything, the pods are then those
// that are wanted, and ready.
func (r *workersRouter) After(route Route, patch Patch) (Route, error) {
	read, ok := route.Live.(workers)
	if !ok {
		return Route{}, fmt.Errorf("plan what comes after %s for %s: the route was not read by this driver", patch.Told(), r.object())
	}
	seen := slices.Clone(read)
	for _, one := range patch.Ready() {
		at, err := seen.of(one)
		if err != nil {
			return Route{}, err
		}
		object, err := after[unstructured.Unstructured](seen[at].workload.Object, one)
		if err != nil {
			return Route{}, err
		}
		if seen[at].workload, err = cluster.ManifestWorkload(seen[at].ref, object); err != nil {
			return Route{}, err
		}
	}
	if patch.moves() {
		for at := range seen {
			seen[at] = seen[at].settled()
		}
	}
	return r.route(seen)
}

// put sends the patch of one Deployment and notes what that is then.
func (r *workersRouter) put(ctx context.Context, seen workers, patch Patch, dryRun bool) error {
	at, err := seen.of(patch)
	if err != nil {
		return err
	}
	deployment, err := write(ctx, patch.Object, r.namespace, patch, dryRun, r.send(seen[at]))
	if err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(deployment)
	if err != nil {
		return fmt.Errorf("read %s in %s: %w", patch.Object, r.namespace, err)
	}
	seen[at].workload, err = cluster.ManifestWorkload(seen[at].ref, &unstructured.Unstructured{Object: content})
	return err
}

func (r *workersRouter) deploymentsOf() typedappsv1.DeploymentInterface {
	return r.client.Kubernetes.AppsV1().Deployments(r.namespace)
}

// send sends a patch to the Deployment of one side.
func (r *workersRouter) send(one crew) sender[*appsv1.Deployment] {
	return func(ctx context.Context, kind types.PatchType, body []byte, options metav1.PatchOptions) (*appsv1.Deployment, error) {
		return r.deploymentsOf().Patch(ctx, one.ref.Name, kind, body, options)
	}
}

// Stop implements Router: it is asked for on both Deployments, and one is enough.
func (r *workersRouter) Stop(ctx context.Context, reason string) error {
	var failures several
	for _, color := range r.colors {
		one := crew{color: color, ref: r.deployments[color]}
		if err := annotateStop(ctx, one.ref.String(), r.namespace, reason, r.send(one)); err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) < len(r.colors) {
		return nil
	}
	return failures
}
