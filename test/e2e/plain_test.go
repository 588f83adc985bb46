package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A server that closes idle connections when it ends would break a request of
// every keep-alive client. It is waited for, and never ended unasked.
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
	s.lostNothing("fresh clients", opened.Stop())
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
