package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A server that closes idle connections when it ends would break a request of
// every keep-alive client. It is waited for, and never ended unasked: neither
// after a shift nor on the way back.
func TestPlainServerIsNeverRecycledUnasked(t *testing.T) {
	s := open(t, shop.Options{
		Env: map[string]string{"PLAIN": "true"},
		Release: func(document *release.Release) {
			document.Spec.Traffic.Deadlines.Drain = release.Duration(15 * time.Second)
		},
	})
	kept := s.production(keepAliveClients, 0)
	opened := s.production(0, freshClients)
	before, err := s.shop.PodUIDs(t.Context(), shop.Blue)
	if err != nil {
		t.Fatal(err)
	}

	result := s.run(rollout.CodeHeld, "shift", "-o", "json")
	status := s.status(result)
	s.serves(shop.Green)
	s.onlyVersion(opened, "v2.5.0")
	s.onlyVersion(kept, "v2.4.0")
	for _, said := range []string{"is not proven", "remain on blue"} {
		if !strings.Contains(result.Stderr+status.Reason, said) {
			t.Errorf("the run does not say %q", said)
		}
	}
	if status.Phase != rollout.Held || status.Residual == nil || status.Residual.Value == 0 {
		t.Errorf("phase %s with residual %+v, want held with what remains", status.Phase, status.Residual)
	}
	s.samePods(shop.Blue, before)
	s.lostNothing("keep-alive clients while the shift was held", kept.Stop())

	status = s.status(s.run(rollout.CodeDone, "resume", "-o", "json"))
	s.drained(status)
	s.serves(shop.Green)
	s.samePods(shop.Blue, before)
	s.onlyVersion(opened, "v2.5.0")
	s.plainRollback(opened)
	s.lostNothing("fresh clients", opened.Stop())
}

// plainRollback asks for the way back from green while clients keep connections
// to it. Traffic is back at once; green is waited for, not ended under them, and
// the run says what remains and is held. Once they have gone it ends.
func (s *scenario) plainRollback(opened *clients.Run) {
	s.t.Helper()
	kept := s.production(keepAliveClients, 0)
	before, err := s.shop.PodUIDs(s.t.Context(), shop.Green)
	if err != nil {
		s.t.Fatal(err)
	}

	result := s.run(rollout.CodeHeld, "rollback", "-o", "json")
	status := s.status(result)
	s.serves(shop.Blue)
	s.onlyVersion(opened, "v2.4.0")
	s.onlyVersion(kept, "v2.5.0")
	says(s.t, result.Stderr, "remain on green", "ending it would break one request on each of them")
	says(s.t, status.Reason, "remain on green")
	if status.Phase != rollout.Held || status.Residual == nil || status.Residual.Value == 0 {
		s.t.Errorf("phase %s with residual %+v, want held with what remains", status.Phase, status.Residual)
	}
	s.samePods(shop.Green, before)
	s.lostNothing("keep-alive clients while the rollback was held", kept.Stop())

	status = s.status(s.run(rollout.CodeDone, "resume", "-o", "json"))
	s.drained(status)
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.onlyVersion(opened, "v2.4.0")
}

// samePods fails the test if a pod of a colour was replaced.
func (s *scenario) samePods(color string, before []string) {
	s.t.Helper()
	after, err := s.shop.PodUIDs(s.t.Context(), color)
	if err != nil {
		s.t.Fatal(err)
	}
	if difference := cmp.Diff(before, after); difference != "" {
		s.t.Errorf("pods of %s were replaced:\n%s", color, difference)
	}
}
