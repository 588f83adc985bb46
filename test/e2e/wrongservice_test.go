package e2e

import (
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Somebody takes a colour's own Service for production. init tells the two apart; a
// document that is wrong all the same passes no check once production was moved, and a
// rollback by it ends nobody whom production leads to.
func TestTheWrongServiceEndsNobody(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(10 * time.Second)})
	load := s.production(keepAliveClients, freshClients)
	s.run(rollout.CodeDone, "shift")
	s.serves(shop.Green)

	own := "svc-" + shop.Blue
	refused := s.run(rollout.CodeFailed, "init", "svc/"+own, "-n", s.shop.Namespace, "-f", "found.yaml")
	says(t, refused.Stderr, "service "+shop.Service+" leads to a colour too", "svc/"+shop.Service)

	if err := s.shop.ChangeRelease(func(document *release.Release) {
		document.Spec.Traffic.Service.Name = own
		blue := document.Spec.Colors[shop.Blue]
		blue.Service = ""
		document.Spec.Colors[shop.Blue] = blue
	}); err != nil {
		t.Fatal(err)
	}
	finding := findingOf(t, s.checked(rollout.CodeBlocked), "BG-NET-07")
	if finding.Outcome != preflight.Fail {
		t.Errorf("%+v, want a failure", finding)
	}
	says(t, finding.Cause, "a shift has moved it before, and this Release does not name it")

	// As if a shift by it had led green's traffic by the wrong Service.
	s.byHand("patch", "service", own, "--type=merge", "-p", `{"spec":{"selector":{"version":"`+shop.Green+`"}}}`)
	back := s.run(rollout.CodeDone, "rollback")
	says(t, back.Stdout, shop.Green+" is left running: service/"+shop.Service+" leads to deployment/"+shop.Deployment(shop.Green))
	s.serves(shop.Green)
	s.lostNothing("with the wrong Service", load.Stop())
}
