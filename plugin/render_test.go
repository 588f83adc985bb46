package plugin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// rolledBack is a run that a rule ended.
func rolledBack() rollout.RunStatus {
	return rollout.RunStatus{
		ID: "20261122-120000-k7f3q", Release: "shop", Namespace: "store", From: "blue", To: "green", Live: "blue=100",
		Phase: rollout.RolledBack, Outcome: "rolled-back", Holder: "ana@laptop/1", Epoch: 4,
		Started: noon(), Entered: noon().Add(90 * time.Second), Finished: noon().Add(95 * time.Second),
		DataPlane: rollout.DataPlane{Following: rollout.Followed, Message: "green got its first request within 1.3s of the switch"},
		Reason:    "error ratio of green 5 % > 1 % for 1m",
		Because: []gate.Result{{
			Rule:    gate.Rule{ID: "rollback-error-ratio", Purpose: gate.Rollback, Signal: measure.ErrorRatio, Comparator: gate.Greater, Threshold: 0.01, Required: true},
			Verdict: gate.Fail, Message: "error ratio of green 5 % > 1 %",
		}},
		Entries: []journal.Entry{{Time: noon(), Kind: "intent", Action: "switch", Object: "service/shop"}},
	}
}

func TestHistoryTable(t *testing.T) {
	running := rolledBack()
	running.ID, running.Outcome, running.Phase, running.Finished, running.Reason = "20261122-130000-abcde", "", rollout.Watch, time.Time{}, ""
	list := &rollout.RunList{Items: []rollout.RunStatus{running, rolledBack()}}
	tests := map[string]string{
		"": `RUN                     FROM   TO      OUTCOME       STARTED                TOOK    REASON
20261122-130000-abcde   blue   green   watch         2026-11-22T12:00:00Z   -       
20261122-120000-k7f3q   blue   green   rolled-back   2026-11-22T12:00:00Z   1m35s   error ratio of green 5 % > 1 % for 1m
`,
		"name": `runstatus.bluegreen.dev/20261122-130000-abcde
runstatus.bluegreen.dev/20261122-120000-k7f3q
`,
		"jsonpath={.items[*].outcome}": `rolled-back`,
	}
	for format, want := range tests {
		t.Run(format, func(t *testing.T) {
			call, out, _, _ := bench(t, nil)
			err := call.printHistory(&output{format: format}, release.Metadata{Name: "shop", Namespace: "store"}, list)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHistoryOfNothing(t *testing.T) {
	call, out, errOut, _ := bench(t, nil)
	err := call.printHistory(&output{}, release.Metadata{Name: "shop", Namespace: "store"}, &rollout.RunList{})
	if err != nil || out.Len() > 0 {
		t.Fatalf("stdout %q, error %v", out, err)
	}
	if diff := cmp.Diff("no runs of shop in namespace store\nnext: kubectl bluegreen check\n", errOut.String()); diff != "" {
		t.Error(diff)
	}
	if err := call.printHistory(&output{format: "json"}, release.Metadata{Name: "shop"}, &rollout.RunList{}); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Kind  string
		Items []any
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || list.Kind != "RunList" || list.Items == nil {
		t.Errorf("an empty list is still a list: %v\n%s", err, out)
	}
}

func TestStatusCard(t *testing.T) {
	call, out, errOut, _ := bench(t, unicode())
	finished := rolledBack()
	if err := call.printStatus(&output{}, &finished); err != nil {
		t.Fatal(err)
	}
	local := func(at time.Time) string { return at.Local().Format(time.DateTime) }
	want := `release    shop in store
live       blue
run        20261122-120000-k7f3q blue→green
phase      rolled-back
started    ` + local(finished.Started) + `
finished   ` + local(finished.Finished) + `, after 1m35s
requests   green got its first request within 1.3s of the switch
reason     error ratio of green 5 % > 1 % for 1m
           × error ratio of green 5 % > 1 %
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if errOut.Len() > 0 {
		t.Errorf("nothing is left to type, but stderr says %q", errOut)
	}
}

func TestStatusOfAHeldRunSaysWhatToType(t *testing.T) {
	call, out, errOut, _ := bench(t, nil)
	held := rolledBack()
	held.Phase, held.Finished, held.Because, held.Reason = rollout.Held, time.Time{}, nil, "interrupted"
	if err := call.printStatus(&output{format: "json"}, &held); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"phase": "held"`) || !strings.Contains(out.String(), `"kind": "RunStatus"`) {
		t.Errorf("status as JSON:\n%s", out)
	}
	if diff := cmp.Diff("next: kubectl bluegreen resume\n", errOut.String()); diff != "" {
		t.Error(diff)
	}
}

func TestStatusBeforeTheFirstRun(t *testing.T) {
	call, out, errOut, _ := bench(t, nil)
	if err := call.printStatus(&output{}, &rollout.RunStatus{Release: "shop", Namespace: "store", Live: "blue=50,green=50"}); err != nil {
		t.Fatal(err)
	}
	want := "release    shop in store\nlive       blue=50,green=50\nrun        none yet\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("next: kubectl bluegreen check\n", errOut.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPlan(t *testing.T) {
	call, out, _, _ := bench(t, unicode())
	plan := &rollout.Plan{
		Release: "shop", Namespace: "store", From: "blue", To: "green", Server: true, Undo: "kubectl -n store patch service shop",
		Writes: []rollout.PlanWrite{
			{Phase: rollout.Preflight, Object: "service/shop", To: "stamped with epoch 4", Patch: json.RawMessage(`[{"op":"add"}]`)},
			{Phase: rollout.Apply, Object: "deploy/green", To: "applied server-side"},
			{Phase: rollout.Switch, Object: "service/shop", From: "blue=100", To: "green=100", Hold: "3m", Patch: json.RawMessage(`[{"op":"test"}]`)},
			{Phase: rollout.Drain, Object: "pods of blue", To: "evicted one at a time", If: "requests remain on blue"},
		},
		Gate: []gate.Result{
			{
				Rule:    gate.Rule{ID: "advance-error-ratio", Signal: measure.ErrorRatio, Comparator: gate.Less, Threshold: 0.005, Required: true},
				Verdict: gate.Pass, Reading: measure.Reading{State: measure.OK, Value: 0.001, Samples: 900, Source: "pods"},
			},
			{
				Rule:    gate.Rule{ID: "rollback-connections", Database: "main", Signal: measure.DatabaseConnections, Comparator: gate.GreaterOrEqual, Threshold: 0.9},
				Verdict: gate.NoData,
			},
		},
	}
	if err := call.printPlan(&output{}, plan); err != nil {
		t.Fatal(err)
	}
	want := `blue→green

 1 preflight     service/shop: stamped with epoch 4
 2 apply         deploy/green: applied server-side
 3 switch        service/shop: blue=100 → green=100, held for 3m
   [{"op":"test"}]
 4 drain         pods of blue: evicted one at a time, if requests remain on blue
the patches of the stamps too: -o yaml
the API server would admit every write
undo: kubectl -n store patch service shop

RULE                        VERDICT        CONDITION   NOW
advance-error-ratio         pass           < 0.5 %     0.1 %
rollback-connections/main   not declared   >= 90 %     -
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
