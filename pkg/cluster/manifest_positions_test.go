package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestManifestPositions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "green.yaml")
	const text = `# the new side
apiVersion: v1
kind: Service
metadata: {name: svc-green}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-green
spec:
  template:
    spec:
      containers:
      - name: app
        image: shop
---
kind: List
items:
- kind: ConfigMap
  metadata: {name: settings}
--- # broken
a: [
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	positions, err := ManifestPositions([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		object, field string
		line, column  int
	}{
		{"service/svc-green", "spec.selector", 2, 1},
		{"service/svc-green", "metadata.name", 4, 18},
		{"deployment/shop-green", "spec.template.spec.containers[0].image", 15, 16},
		{"deployment/shop-green", "spec.template.spec.containers[0].livenessProbe", 14, 9},
		{"configmap/settings", "metadata.name", 20, 20},
	} {
		got, _ := positions[want.object].Nearest(want.field)
		if (got != release.Position{File: file, Line: want.line, Column: want.column}) {
			t.Errorf("%s of %s stands at %+v, want %d:%d", want.field, want.object, got, want.line, want.column)
		}
	}
	if len(positions) != 3 {
		t.Errorf("%d objects have positions, want 3", len(positions))
	}
}
