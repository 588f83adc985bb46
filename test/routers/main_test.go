package routers

import (
	"os"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// What runs beside the cluster by default is of no use to an object.
func TestMain(m *testing.M) {
	os.Exit(lab.Main(m, lab.Options{With: []lab.Addon{lab.Routes}}))
}
