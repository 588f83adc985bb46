package gate

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// TestUnasked: only what requests of the target came to, and nobody has seen, is
// not required.
func TestUnasked(t *testing.T) {
	result := func(purpose Purpose, subject Subject, signal measure.Signal, verdict Verdict) Result {
		return Result{Rule: Rule{ID: "rule", Purpose: purpose, Subject: subject, Signal: signal, Required: true}, Verdict: verdict, Message: "said"}
	}
	for name, test := range map[string]struct {
		result Result
		eased  bool
	}{
		"errors of the target, nobody asked":  {result(Advance, Target, measure.ErrorRatio, NoData), true},
		"latency of the target, nobody asked": {result(Advance, Target, measure.LatencyP95, NoData), true},
		"errors of the target":                {result(Advance, Target, measure.ErrorRatio, Fail), false},
		"a source that is down":               {result(Advance, Target, measure.ErrorRatio, SourceDown), false},
		"a rule to go back":                   {result(Rollback, Target, measure.ErrorRatio, NoData), false},
		"requests of both sides":              {result(Advance, Shared, measure.RequestRate, NoData), false},
		"pods of the target":                  {result(Advance, Target, measure.ReadyRatio, NoData), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := []Result{test.result}
			after := Unasked(before)[0]
			if after.Required == test.eased || strings.Contains(after.Message, "nobody has to") != test.eased {
				t.Errorf("required %v: %s", after.Required, after.Message)
			}
			if !before[0].Required || before[0].Message != "said" {
				t.Error("what it was given has changed")
			}
		})
	}
}
