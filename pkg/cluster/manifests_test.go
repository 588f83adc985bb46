package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const goodManifests = `# a comment alone
---
apiVersion: v1
kind: Service
metadata: {name: svc}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
`

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func TestReadManifests(t *testing.T) {
	directory := writeFiles(t, map[string]string{
		"b.yaml": goodManifests,
		"a.json": `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop"}}`,
		"README": "not a manifest",
	})
	objects, err := cluster.ReadManifests([]string{directory, filepath.Join(directory, "a.json")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range objects {
		names = append(names, object.GetKind()+"/"+object.GetName())
	}
	want := []string{"Deployment/shop", "Service/svc", "ConfigMap/one", "ConfigMap/two", "Deployment/shop"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestReadManifestsSaysWhere(t *testing.T) {
	const first = "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\n"
	for name, test := range map[string]struct {
		file, text, want, hint string
	}{
		"bad indent in the second document": {"a.yaml", first + "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: svc\n bad: x\n", "a.yaml:9: did not find expected key", ""},
		"a key twice":                       {"a.yaml", first + "---\nkind: A\nkind: B\n", `a.yaml:6: key "kind" already set in map`, ""},
		"no kind":                           {"a.yaml", first + "---\n# comment\napiVersion: v1\n", "a.yaml:6: the object has no kind", ""},
		"no name":                           {"a.yaml", "apiVersion: v1\nkind: Service\n", "a.yaml:1: the Service has no metadata.name", ""},
		"a list of things":                  {"a.yaml", "\n- 1\n", "a.yaml:2: expected one object", ""},
		"a template":                        {"a.yaml", "apiVersion: v1\nkind: {{ .Kind }}\n", "a.yaml:", "helm template"},
		"a kustomization":                   {"kustomization.yaml", "resources: [a.yaml]\n", "a kustomization is not rendered here", "kubectl kustomize"},
		"nothing":                           {"notes.txt", "", "no .yaml, .yml or .json file in it", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cluster.ReadManifests([]string{writeFiles(t, map[string]string{test.file: test.text})})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(release.HintOf(err), test.hint) {
				t.Errorf("err = %v, want %q in it; hint %q", err, test.want, release.HintOf(err))
			}
		})
	}
	if _, err := cluster.ReadManifests([]string{"nowhere"}); err == nil || err.Error() != "read manifests nowhere: no such file or directory" {
		t.Errorf("err = %v", err)
	}
}
