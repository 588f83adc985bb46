package e2e

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// What a person signs off passes the check while it counts. Its day comes by an
// edit of what is kept, for nobody waits for a day in a test.
func TestSignOffs(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: func(document *release.Release) { document.Spec.Require = release.RequireStarter }})
	until := time.Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly)
	s.signOffsAre(preflight.Skip, signoff.DualLoad, signoff.RollbackDrill, signoff.ClientCaching)
	for _, kind := range signoff.Kinds() {
		says(t, s.run(rollout.CodeDone, "signoff", kind.ID, "--by", "ana", "--until", until).Stdout, kind.ID+" signed off by ana")
	}
	s.signOffsAre(preflight.Pass, signoff.DualLoad, signoff.RollbackDrill, signoff.ClientCaching)

	// Its day passes.
	var signed signoff.SignOff
	name := signoff.Name(shop.Release)
	if err := json.Unmarshal([]byte(s.byHand("get", "configmap", name, "-o", "jsonpath={.data."+signoff.RollbackDrill+"}")), &signed); err != nil {
		t.Fatal(err)
	}
	signed.Signed, signed.Until = signed.Signed.AddDate(0, 0, -30), release.Date(time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly))
	s.edit(name, signoff.RollbackDrill, signed)
	s.signOffsAre(preflight.Unknown, signoff.RollbackDrill)
	says(t, s.run(rollout.CodeDone, "signoff").Stdout, "expired since "+time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly))

	// Whatever somebody writes there by hand is told, and is no sign-off.
	s.edit(name, signoff.ClientCaching, "ana says so")
	s.signOffsAre(preflight.Unknown, signoff.ClientCaching)
	s.run(rollout.CodeDone, "signoff", signoff.DualLoad, "--revoke")
	s.signOffsAre(preflight.Skip, signoff.DualLoad)
}

// edit writes a value as a key of a ConfigMap by hand.
func (s *scenario) edit(name, key string, value any) {
	s.t.Helper()
	inner, err := json.Marshal(value)
	if err != nil {
		s.t.Fatal(err)
	}
	patch, err := json.Marshal(map[string]any{"data": map[string]string{key: string(inner)}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.byHand("patch", "configmap", name, "--type=merge", "-p", string(patch))
}

// signOffsAre fails the test unless check finds these of checks.
func (s *scenario) signOffsAre(outcome preflight.Outcome, ids ...string) {
	s.t.Helper()
	var report preflight.Report
	if err := json.Unmarshal([]byte(s.run(rollout.CodeDone, "check", "-o", "json").Stdout), &report); err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		at := slices.IndexFunc(report.Findings, func(finding preflight.Finding) bool { return finding.ID == id })
		if at < 0 {
			s.t.Errorf("check says nothing of %s", id)
			continue
		}
		if finding := report.Findings[at]; finding.Outcome != outcome {
			s.t.Errorf("%s: %s: %s; want %s", id, finding.Outcome, finding.Cause, outcome)
		}
	}
}
