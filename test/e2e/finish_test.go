package e2e

import (
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// briefDrain waits for what is open on the old side, and not for long.
func briefDrain(document *release.Release) {
	document.Spec.Traffic.Deadlines.Drain = release.Duration(10 * time.Second)
}

// The old side ends when nothing is left on it. A WebSocket that a client holds
// there outlasts the drain, which says so, and keeps the side whatever is signed.
// Once it is closed the side's pool keeps it until somebody signs for that; then it
// is scaled to zero, nobody loses a request, there is nothing to roll back to, and
// the next shift gives it its pods back.
func TestFinishEndsTheOldSide(t *testing.T) {
	s := open(t, shop.Options{Route: shop.HTTPRoute, Release: briefDrain})
	run := s.production(keepAliveClients, freshClients)
	held := s.webSocket(blueVersion)
	shifted := s.run(rollout.CodeDone, "shift", "-o", "json")
	const stream = "1 request or stream is still open on blue (by http_requests_in_flight, "
	says(t, shifted.Stderr, stream, "finish will not end it before")
	if status := s.status(shifted); status.Open == nil || status.Open.Value != 1 {
		t.Errorf("the run says that %+v is open on blue, want the WebSocket", status.Open)
	}
	s.drained(s.status(shifted))
	signed := []string{"finish", "--sign-off", "connections=the clients are ours", "--sign-off", "sessions/main=an idle pool"}
	used := s.run(rollout.CodeBlocked, signed...)
	says(t, used.Stdout+used.Stderr, stream, "rollout restart deployment/")
	if err := held.Close(); err != nil {
		t.Error(err)
	}

	before := run.Counts()
	kept := s.run(rollout.CodeBlocked, "finish")
	says(t, kept.Stdout+kept.Stderr, "sessions/main", "connections", "--sign-off")
	if replicas, err := s.shop.Replicas(t.Context(), shop.Blue); err != nil || replicas != 2 {
		t.Fatalf("blue wants %d pods, %v, after a finish that was refused", replicas, err)
	}
	says(t, kept.Stdout+kept.Stderr, "0 requests or streams are open on blue")
	s.run(rollout.CodeDone, signed...)
	s.scaledToZero(shop.Blue, 2)
	s.serves(shop.Green)

	again := s.run(rollout.CodeDone, "finish")
	says(t, again.Stdout+again.Stderr, "already")
	refused := s.run(rollout.CodeBlocked, "rollback")
	says(t, refused.Stdout+refused.Stderr, "shift --to blue")
	s.serves(shop.Green)
	s.onlyVersion(run, greenVersion)

	s.run(rollout.CodeDone, "shift", "--to", shop.Blue)
	s.serves(shop.Blue)
	s.lostNothing("finish, and a shift to the side that it had ended", run.Counts().Since(before))
}
