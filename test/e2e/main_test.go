package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The gateway serves the routes with weights; Skipper and the mesh, whose programs
// take minutes to build, are there where a test is run that needs them.
func TestMain(m *testing.M) {
	flag.Parse()
	needed, err := lab.Needed(flag.Lookup("test.run").Value.String(), map[lab.Addon][]string{
		lab.Skipper: {"TestRouteGroup", "TestSkipperIngress"},
		lab.Mesh:    {"TestVirtualService", "TestVirtualServiceSubsets", "TestVirtualServicePreview", "TestVirtualServicePreviewByCookie"},
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
	os.Exit(lab.Main(m, lab.Options{With: slices.Concat(lab.Standard(), []lab.Addon{lab.Gateway}, needed)}))
}

// prepared is the lab with the images and the program under test.
var prepared struct {
	once  sync.Once
	place *shop.Place
	err   error
}

// place builds and loads, once, what all tests need.
func place(t *testing.T) *shop.Place {
	t.Helper()
	current := lab.Current(t)
	prepared.once.Do(func() {
		folder := filepath.Join(current.Folder(), "shop")
		if prepared.err = os.MkdirAll(folder, 0o755); prepared.err != nil {
			return
		}
		prepared.place, prepared.err = shop.Prepare(t.Context(), current.Kubeconfig(), folder, os.Getenv("BLUEGREEN_PLUGIN"), current)
	})
	if prepared.err != nil {
		t.Fatal(prepared.err)
	}
	return prepared.place
}
