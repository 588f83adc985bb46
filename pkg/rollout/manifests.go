package rollout

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// manifests reads the objects of a colour's manifests, nil when it declares
// none. The production route must not be among them: applying it would move
// traffic without a gate, a proof or a way back.
func (r *Runner) manifests(color, route string) ([]*unstructured.Unstructured, error) {
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
	for _, object := range objects {
		if objectName(object) == route {
			return nil, release.WithHint(
				fmt.Errorf("read manifests of %s: they hold %s, the production route", color, route),
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
	objects, err := r.manifests(color, route.Object)
	if err != nil {
		return 0, err
	}
	err = r.intend(ctx, "apply", fmt.Sprintf("%d objects", len(objects)), r.Release.Spec.Colors[color].Manifests, func() error {
		results, err := r.Client.Apply(ctx, r.Release.Metadata.Namespace, objects, r.fence(), false)
		for _, result := range results {
			r.tell(Apply, Info, "%s %s", objectName(result.Object), result.Operation)
		}
		return err
	})
	return len(objects), err
}

// objectName is kind/name as kubectl prints it.
func objectName(object *unstructured.Unstructured) string {
	return strings.ToLower(object.GetKind()) + "/" + object.GetName()
}
