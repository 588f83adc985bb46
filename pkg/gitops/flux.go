package gitops

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// kustomization is the part of a Kustomization of Flux
// (kustomize.toolkit.fluxcd.io/v1) that leaves fields alone, since Flux 2.9
// (https://fluxcd.io/flux/components/kustomize/kustomizations/).
type kustomization struct {
	Spec struct {
		Ignore []yaml.Node `yaml:"ignore"`
	} `yaml:"spec"`
}

type ignoreRule struct {
	Paths  []string `yaml:"paths"`
	Target target   `yaml:"target"`
}

// target chooses objects; each of its fields is a regular expression that must
// match the whole.
type target struct {
	Group     string `yaml:"group,omitempty"`
	Kind      string `yaml:"kind,omitempty"`
	Name      string `yaml:"name"`
	Namespace string `yaml:"namespace"`
}

// Flux is what to merge into the Kustomization that applies the objects, to be
// written as YAML, with a comment above each. It is an error that the fields of one are not known by name.
func Flux(objects []Object) (any, error) {
	var rules kustomization
	for _, object := range objects {
		if len(object.Beginnings) > 0 {
			return nil, release.WithHint(fmt.Errorf("write rules for Flux: it leaves fields alone by their names, and those of %s %s stand in the object alone", object.Kind, object.Name),
				fmt.Sprintf("have Flux leave the whole object alone once it is there: annotate %s %s in Git with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent", object.Kind, object.Name))
		}
		node, err := commented(ignoreRule{Paths: object.Pointers, Target: target{
			Group: regexp.QuoteMeta(object.Group), Kind: object.Kind, Name: regexp.QuoteMeta(object.Name), Namespace: object.Namespace}}, object.About)
		if err != nil {
			return nil, err
		}
		rules.Spec.Ignore = append(rules.Spec.Ignore, *node)
	}
	return rules, nil
}
