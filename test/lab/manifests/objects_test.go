package manifests

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestManifestsAreObjects(t *testing.T) {
	for _, manifest := range []string{ClusterDNS, Monitoring, FaultProxy, Database, Gateway, Skipper, Mesh} {
		objects, err := Objects(manifest)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Count(manifest, "\nkind: "); len(objects) != want {
			t.Errorf("%d objects are read of %d", len(objects), want)
		}
		for _, object := range objects {
			if object.GetKind() == "" || object.GetName() == "" || object.GetAPIVersion() == "" {
				text, _ := yaml.Marshal(object)
				t.Errorf("not an object:\n%s", text)
			}
		}
	}
	if _, err := Objects("a: [b"); err == nil {
		t.Error("took what is no YAML")
	}
}
