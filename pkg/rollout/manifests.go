package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// manifests reads the objects of a colour's manifests, nil when it declares
// none. The production route must not be among them: applying it would move
// traffic without a gate, a proof or a way back.
func (r *Runner) manifests(color string, route traffic.Route) ([]*unstructured.Unstructured, error) {
	declared := r.Release.Spec.Colors[color].Manifests
	paths := make([]string, 0, len(declared))
	for _, manifest := range declared {
		if !filepath.IsAbs(manifest) {
			manifest = filepath.Join(r.Directory, manifest)
		}
		paths = append(paths, manifest)
	}
	objects, err := cluster.ReadManifests(paths)
	if err != nil {
		return nil, err
	}
	if r.scales() {
		return objects, nil // which hold the workers, and their replicas stay the switch's
	}
	for _, object := range objects {
		if name := objectName(object); slices.Contains(route.Objects(), name) {
			return nil, release.WithHint(
				fmt.Errorf("read manifests of %s: they hold %s, the production route", color, name),
				"take it out of spec.colors."+color+".manifests: only the switch may write its selector")
		}
	}
	return objects, nil
}

// applyManifests applies the manifests of a colour server-side under our field
// manager and our fence, and returns how many objects they hold.
func (r *Runner) applyManifests(ctx context.Context, color string) (int, error) {
	if len(r.Release.Spec.Colors[color].Manifests) == 0 {
		return 0, nil
	}
	route, err := r.Router.Read(ctx)
	if err != nil {
		return 0, err
	}
	objects, err := r.manifests(color, route)
	if err != nil {
		return 0, err
	}
	if objects, err = r.keptDown(ctx, color, objects); err != nil {
		return 0, err
	}
	err = r.intend(ctx, "apply", fmt.Sprintf("%d objects", len(objects)), r.applying(color, objects), func() error {
		results, err := r.Client.Apply(ctx, r.Release.Metadata.Namespace, objects, cluster.ApplyOptions{Fence: r.fence(), CheckStamp: r.checkStamp})
		for _, result := range results {
			r.tell(Apply, Info, "%s %s", objectName(result.Object), result.Operation)
		}
		return err
	})
	return len(objects), err
}

// applying is what the record keeps of an apply before it is sent: the files,
// and the objects, which a take-over stamps.
type applying struct {
	Manifests []string            `json:"manifests"`
	Objects   []cluster.Reference `json:"objects"`
}

func (r *Runner) applying(color string, objects []*unstructured.Unstructured) applying {
	intent := applying{Manifests: r.Release.Spec.Colors[color].Manifests}
	for _, object := range objects {
		intent.Objects = append(intent.Objects, cluster.ReferenceOf(object))
	}
	return intent
}

// stampApplied are the stamps of the objects that an intent to apply names, but
// those of workloads that are stamped anyway.
func (r *Runner) stampApplied(intent journal.Entry, stamped []release.Workload) []stamping {
	var sent applying
	if err := json.Unmarshal(intent.Data, &sent); err != nil {
		r.tell(Apply, Warning, "which objects were being applied is not on record, so they carry no stamp: %v", err)
		return nil
	}
	var stamps []stamping
	for _, reference := range sent.Objects {
		isStamped := func(workload release.Workload) bool { return workload.String() == reference.String() }
		if slices.ContainsFunc(stamped, isStamped) {
			continue
		}
		stamps = append(stamps, stamping{object: reference.String(), write: func(ctx context.Context) error {
			return r.Client.StampObject(ctx, r.Release.Metadata.Namespace, reference, r.fence())
		}})
	}
	return stamps
}

// objectName is kind/name as kubectl prints it.
func objectName(object *unstructured.Unstructured) string {
	return strings.ToLower(object.GetKind()) + "/" + object.GetName()
}
