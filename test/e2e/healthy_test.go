package e2e

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A healthy release goes there, back on request, and there again with the
// next version, and no client notices.
func TestHealthyShiftLosesNothing(t *testing.T) {
	s := open(t, shop.Options{})
	run := s.production(keepAliveClients, freshClients)

	before := run.Counts()
	status := s.status(s.run(rollout.CodeDone, "shift", "-o", "json"))
	s.onlyVersion(run, "v2.5.0")
	s.lostNothing("shift to v2.5.0", run.Counts().Since(before))
	s.drained(status)
	s.judged(status, measure.ErrorRatio, measure.LatencyP95, measure.RequestRate, measure.Restarts, measure.ReadyRatio,
		measure.DatabaseConnections, measure.BlockedSessions, measure.OldestTransaction)
	s.serves(shop.Green)
	s.recorded(status.ID, "stamp", "apply", "switch")

	before = run.Counts()
	status = s.status(s.run(rollout.CodeDone, "rollback", "-o", "json"))
	s.onlyVersion(run, "v2.4.0")
	s.lostNothing("rollback to v2.4.0", run.Counts().Since(before))
	s.drained(status)
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.recorded(status.ID, "revert", "scale")

	if err := s.shop.WriteSlot(shop.Green, shop.Slot{Version: "v2.6.0"}); err != nil {
		t.Fatal(err)
	}
	before = run.Counts()
	status = s.status(s.run(rollout.CodeDone, "shift", "-o", "json"))
	s.onlyVersion(run, "v2.6.0")
	s.lostNothing("shift to v2.6.0 in the idle slot", run.Counts().Since(before))
	s.drained(status)
	s.serves(shop.Green)
}
