package gitops

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// application is the part of an Application of Argo CD (argoproj.io/v1alpha1) that
// leaves fields alone, in what is compared and in what is applied
// (https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/).
type application struct {
	Spec struct {
		IgnoreDifferences []yaml.Node `yaml:"ignoreDifferences"`
		SyncPolicy        struct {
			SyncOptions []string `yaml:"syncOptions"`
		} `yaml:"syncPolicy"`
	} `yaml:"spec"`
}

type difference struct {
	Group       string   `yaml:"group"`
	Kind        string   `yaml:"kind"`
	Name        string   `yaml:"name"`
	Namespace   string   `yaml:"namespace"`
	Pointers    []string `yaml:"jsonPointers,omitempty,flow"`
	Expressions []string `yaml:"jqPathExpressions,omitempty"`
}

// ArgoCD is what to merge into the Application that applies the objects, to be
// written as YAML, with a comment above each.
func ArgoCD(objects []Object) (any, error) {
	var rules application
	for _, object := range objects {
		one := difference{Group: object.Group, Kind: object.Kind, Name: object.Name, Namespace: object.Namespace, Pointers: object.Pointers}
		if one.Kind == "" {
			one.Kind = "*"
		}
		for _, beginning := range object.Beginnings {
			one.Expressions = append(one.Expressions, beginsWith(beginning))
		}
		node, err := commented(one, object.About)
		if err != nil {
			return nil, err
		}
		rules.Spec.IgnoreDifferences = append(rules.Spec.IgnoreDifferences, *node)
	}
	rules.Spec.SyncPolicy.SyncOptions = []string{"RespectIgnoreDifferences=true"}
	return rules, nil
}

// beginsWith is the path in jq of all fields that begin like the last name of a
// pointer.
func beginsWith(pointer string) string {
	names := strings.Split(pointer, "/")
	quoted, _ := json.Marshal(unescaped(names[len(names)-1])) // a string always marshals
	return fmt.Sprintf("%s | .[keys[] | select(startswith(%s))]", strings.Join(names[:len(names)-1], "."), quoted)
}

// unescaped is a token of a JSON pointer as it stands in the object.
func unescaped(token string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(token) }

// commented is a value as YAML, below a comment.
func commented(value any, about string) (*yaml.Node, error) {
	node := &yaml.Node{}
	if err := node.Encode(value); err != nil {
		return nil, fmt.Errorf("write rule: %w", err)
	}
	node.HeadComment = about
	return node, nil
}
