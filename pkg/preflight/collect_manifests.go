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

// manifestTrouble is an error about what manifests hold, which BG-COL-19 tells at its
// place.
type manifestTrouble struct{ error }

// Unwrap gives errors.Is and errors.As what it is about.
func (t manifestTrouble) Unwrap() error { return t.error }

// inManifests reports whether an error is about what manifests hold.
func inManifests(err error) bool {
	var mistake *cluster.ManifestError
	var trouble manifestTrouble
	return errors.As(err, &mistake) || errors.As(err, &trouble)
}

// manifestMistakes are those in the manifests of each colour that names some, by the
// index of their path.
func manifestMistakes(in Inputs) map[string]map[int][]cluster.ManifestError {
	found := map[string]map[int][]cluster.ManifestError{}
	for color, paths := range in.Manifests {
		found[color] = cluster.ManifestMistakes(paths)
	}
	return found
}

// errNotInManifests is wrapped where manifests hold no object of that name.
var errNotInManifests = errors.New("its manifests hold no")

func manifestWorkload(objects []*unstructured.Unstructured, ref release.Workload) (*cluster.Workload, error) {
	index := slices.IndexFunc(objects, func(object *unstructured.Unstructured) bool {
		return strings.EqualFold(object.GetKind(), ref.Kind) && object.GetName() == ref.Name
	})
	if index < 0 {
		return nil, manifestTrouble{release.WithHint(fmt.Errorf("%w %s", errNotInManifests, ref), notInManifestsRemedy)}
	}
	workload, err := cluster.ManifestWorkload(ref, objects[index])
	if err != nil {
		return nil, manifestTrouble{err}
	}
	return workload, nil
}

const notInManifestsRemedy = "add it to what spec.colors.<name>.manifests names, or correct spec.colors.<name>.workloads"
