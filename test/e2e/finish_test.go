package e2e

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The old side ends when nothing is left on it. Its pool keeps it until somebody
// signs for that; then it is scaled to zero, nobody loses a request, there is
// nothing to roll back to, and the next shift gives it its pods back.
func TestFinishEndsTheOldSide(t *testing.T) {
	s := open(t, shop.Options{})
	run := s.production(keepAliveClients, freshClients)
	s.run(rollout.CodeDone, "shift")

	before := run.Counts()
	kept := s.run(rollout.CodeBlocked, "finish")
	says(t, kept.Stdout+kept.Stderr, "sessions/main", "connections", "--sign-off")
	if replicas, err := s.shop.Replicas(t.Context(), shop.Blue); err != nil || replicas != 2 {
		t.Fatalf("blue wants %d pods, %v, after a finish that was refused", replicas, err)
	}
	s.run(rollout.CodeDone, "finish", "--sign-off", "connections=the clients are ours", "--sign-off", "sessions/main=an idle pool")
	s.scaledToZero(shop.Blue, 2)
	s.serves(shop.Green)

	again := s.run(rollout.CodeDone, "finish")
	says(t, again.Stdout+again.Stderr, "already")
	refused := s.run(rollout.CodeBlocked, "rollback")
	says(t, refused.Stdout+refused.Stderr, "shift --to blue")
	s.serves(shop.Green)
	s.onlyVersion(run, "v2.5.0")

	s.run(rollout.CodeDone, "shift", "--to", shop.Blue)
	s.serves(shop.Blue)
	s.lostNothing("finish, and a shift to the side that it had ended", run.Counts().Since(before))
}
