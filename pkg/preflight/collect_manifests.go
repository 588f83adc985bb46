package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// collectManifests reads the workloads of each colour from its manifests: all
// that a pull request may be judged by.
func collectManifests(in Inputs, facts *Facts) {
	for name, color := range facts.Colors {
		color.Workloads = factOf(manifestWorkloads(in.Manifests[name], color.Declared))
		facts.Colors[name] = color
	}
}

// manifestObjects names what the manifests of each colour hold.
func manifestObjects(in Inputs) map[string]Fact[[]string] {
	found := map[string]Fact[[]string]{}
	for name, files := range in.Manifests {
		if len(files) == 0 {
			continue
		}
		objects, err := cluster.ReadManifests(files)
		var names []string
		for _, object := range objects {
			names = append(names, strings.ToLower(object.GetKind())+"/"+object.GetName())
		}
		found[name] = factOf(names, err)
	}
	return found
}

func manifestWorkloads(files []string, declared release.Color) ([]cluster.Workload, error) {
	if len(files) == 0 {
		return nil, release.WithHint(errors.New("the Release names no manifests for it"), "name them in spec.colors.<name>.manifests")
	}
	objects, err := cluster.ReadManifests(files)
	if err != nil {
		return nil, err
	}
	var workloads []cluster.Workload
	for _, ref := range declared.Workloads {
		workload, err := manifestWorkload(objects, ref)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, *workload)
	}
	return workloads, nil
}

// errNotInManifests is wrapped where manifests hold no object of that name.
var errNotInManifests = errors.New("its manifests hold no")

func manifestWorkload(objects []*unstructured.Unstructured, ref release.Workload) (*cluster.Workload, error) {
	index := slices.IndexFunc(objects, func(object *unstructured.Unstructured) bool {
		return strings.EqualFold(object.GetKind(), ref.Kind) && object.GetName() == ref.Name
	})
	if index < 0 {
		return nil, release.WithHint(fmt.Errorf("%w %s", errNotInManifests, ref), "add it to what spec.colors.<name>.manifests names, or correct spec.colors.<name>.workloads")
	}
	return cluster.ManifestWorkload(ref, objects[index])
}
