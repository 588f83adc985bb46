package e2e

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m, lab.Options{})) }

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
