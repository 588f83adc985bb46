package traffic_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestFields: what a driver says that it writes is what its patches write, for
// every kind of route.
func TestFields(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		t.Run(name, func(t *testing.T) {
			rel := routertest.Release(kind.Declare)
			router := openWeighted(t, kind, kind.Fresh).router
			patches := []traffic.Patch{planned(t, router, traffic.Whole("green"), nil), planned(t, router, traffic.Between("green", "blue", 30), nil)}
			if kind.Previews != nil {
				patches = append(patches, planned(t, router, traffic.Whole("blue"), byHeader()))
			}
			wantFields(t, rel, patches...)
		})
	}
	t.Run("service", func(t *testing.T) {
		client, _ := clustertest.New(routertest.Production())
		rel := routertest.ServiceRelease()
		router, err := traffic.NewRouter(client, rel, clock.RealClock{})
		if err != nil {
			t.Fatal(err)
		}
		wantFields(t, rel, planned(t, router, traffic.Whole("green"), nil))
	})
	t.Run("workers", func(t *testing.T) {
		move := planned(t, openSettled(t, release.NewFirst, 2, 0).router, traffic.Whole("green"), nil)
		wantFields(t, routertest.WorkersRelease(release.NewFirst), move.Members...)
	})
}

// planned is a router's patch from where it is.
func planned(t *testing.T, router traffic.Router, to traffic.Split, preview *traffic.Preview) traffic.Patch {
	t.Helper()
	route, err := router.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if preview != nil {
		route = route.Previewing(preview)
	}
	patch, err := router.Plan(route, to, cluster.Fence{Epoch: 4, Holder: "ann@laptop/12"})
	if err != nil {
		t.Fatal(err)
	}
	return patch
}

// wantFields: the patches write what the Descriptions of the release name and
// annotations of our own, and no more.
func wantFields(t *testing.T, rel *release.Release, patches ...traffic.Patch) {
	t.Helper()
	descriptions, err := traffic.Describe(rel)
	if err != nil {
		t.Fatal(err)
	}
	written := false
	for _, patch := range patches {
		at := slices.IndexFunc(descriptions, func(one traffic.Description) bool { return one.Object == patch.Object })
		if at < 0 {
			t.Fatalf("%s is not described", patch.Object)
		}
		for _, path := range writtenBy(t, patch) {
			if written = true; !slices.ContainsFunc(descriptions[at].Fields, func(field traffic.Field) bool { return holds(field, path) }) {
				t.Errorf("%s of %s is written, and is none of its fields", path, patch.Object)
			}
		}
	}
	if !written {
		t.Error("the patches write nothing")
	}
}

// holds reports whether a path is a field, or below it.
func holds(field traffic.Field, path string) bool {
	pointer := field.Pointer()
	return path == pointer || strings.HasPrefix(path, pointer+"/") || field.Begins && strings.HasPrefix(path, pointer)
}

// writtenBy are the paths that a patch writes, but for annotations of ours.
func writtenBy(t *testing.T, patch traffic.Patch) []string {
	t.Helper()
	var operations []cluster.Operation
	if err := json.Unmarshal(patch.Body, &operations); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, operation := range operations {
		ours := strings.HasPrefix(operation.Path, "/metadata/annotations/bluegreen.dev~1") || operation.Path == "/metadata/annotations"
		if operation.Op != "test" && !ours {
			paths = append(paths, operation.Path)
		}
	}
	return paths
}
