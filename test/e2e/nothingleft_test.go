package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Of a release that was shifted nothing is left but its own objects: no record,
// no lease, no file, and with that file what it said of Prometheus, which refuses
// too, and of the database. The name of the Service is enough to go back, and
// nobody loses a request.
func TestRollbackWithNothingLeft(t *testing.T) {
	s := openWatchedByPrometheus(t, "hold")
	run := s.production(keepAliveClients, freshClients)
	s.awaitSeries()
	s.run(rollout.CodeDone, "shift")
	s.serves(shop.Green)

	before := run.Counts()
	s.byHand("delete", "configmaps,leases", "-l", cluster.LabelRelease)
	if err := os.Remove(filepath.Join(s.shop.Folder, "bluegreen.yaml")); err != nil {
		t.Fatal(err)
	}
	prometheus(t, faultproxy.Refuse)
	s.run(rollout.CodeDone, "rollback", "svc/"+shop.Service, "-n", s.shop.Namespace, "--reason", "nothing else is left")
	s.serves(shop.Blue)
	s.onlyVersion(run, "v2.4.0")
	s.lostNothing("rollback with nothing left", run.Counts().Since(before))
}
