package job

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// public refuses a manifest that must not lie open in a ConfigMap: a Secret, a
// URL with a password in it, and a variable that is called like a secret and
// has its value right beside it. It refuses too much rather than too little.
func public(color, file string, text []byte) error {
	objects, err := cluster.ReadManifests([]string{file})
	if err != nil {
		return err
	}
	for _, object := range objects {
		what := object.GetKind() + "/" + object.GetName()
		if object.GetKind() == "Secret" && object.GroupVersionKind().Group == "" {
			return release.WithHint(
				fmt.Errorf("pack the manifests of %s: %s holds %s, and secrets are never stored with a run", color, file, what),
				"apply the Secret beforehand, and take it out of spec.colors."+color+".manifests")
		}
		if variable := openSecret(object.Object); variable != "" {
			return exposed(color, file, "the variable "+variable+" of "+what+" has its value right beside it")
		}
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("pack the manifests of %s: %s is not text in UTF-8", color, file)
	}
	if release.HoldsPassword(string(text)) {
		return exposed(color, file, "a connection string with a password seems to stand in it")
	}
	return nil
}

// exposed is the error for a value that belongs into a Secret.
func exposed(color, file, what string) error {
	return release.WithHint(
		fmt.Errorf("pack the manifests of %s: %s: %s, and secrets are never stored with a run", color, file, what),
		"put it in a Secret, apply that beforehand, and name it: valueFrom: {secretKeyRef: {name: NAME, key: KEY}}")
}

// secretName is how variables with a secret in them are called.
var secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|token|credential|api_?key|access_?key|private_?key)s?$`)

// openSecret finds a container's variable that is called like a secret and is
// not taken from one; "" when there is none. It looks at every env of the
// object, in whatever kind of workload that stands.
func openSecret(value any) string {
	switch value := value.(type) {
	case map[string]any:
		env, _, _ := unstructured.NestedSlice(value, "env")
		for _, entry := range env {
			variable, _ := entry.(map[string]any)
			name, _ := variable["name"].(string)
			text, _ := variable["value"].(string)
			if text != "" && secretName.MatchString(name) {
				return name
			}
		}
		for _, child := range value {
			if found := openSecret(child); found != "" {
				return found
			}
		}
	case []any:
		for _, child := range value {
			if found := openSecret(child); found != "" {
				return found
			}
		}
	}
	return ""
}
