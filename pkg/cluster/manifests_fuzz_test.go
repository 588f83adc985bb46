package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Whatever stands in a manifest, every object that is read from it says what it is;
// what is refused names the file.
func FuzzReadManifests(f *testing.F) {
	f.Add([]byte(goodManifests))
	f.Add([]byte("---\nkind: [\n---\n"))
	f.Add([]byte("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Service, metadata: {name: a}}]\n"))
	f.Add([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"a":"Yg=="}}`))
	path := filepath.Join(f.TempDir(), "manifest.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		objects, err := cluster.ReadManifests([]string{path})
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
		for _, object := range objects {
			if object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "" {
				t.Errorf("an object without apiVersion, kind or name was read: %v", object)
			}
		}
		if _, err := cluster.ManifestPositions([]string{path}); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}
