package rollout

import (
	"strings"
	"testing"
)

// A Release that is wrong about the labels of the old side leads nobody there, and no
// --force overrules that.
func TestRollbackLeadsToNobodyByAWrongSelector(t *testing.T) {
	for name, request := range map[string]RollbackRequest{"asked": {}, "forced": {Force: true}, "forced past readiness": {Force: true, Unready: true}} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green"))
			blue := runner.Release.Spec.Colors["blue"]
			blue.Selector = map[string]string{"version": "bleu"}
			runner.Release.Spec.Colors["blue"] = blue
			production.ready["blue"] = 0
			outcome, err := runner.Rollback(t.Context(), request)
			const says = "service/svc would lead to nobody: this Release tells blue by version=bleu, and none of its 1 pods has that"
			if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, says) || outcome.Next != "kubectl bluegreen rollback -f FILE" {
				t.Errorf("outcome = %+v, %v", outcome, err)
			}
			if found := written(t, runner); len(found) > 0 || production.Split.Sole() != "green" {
				t.Errorf("written: %q, %v", found, production.Split)
			}
		})
	}
}
