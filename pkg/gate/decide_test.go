package gate

import (
	"math"
	"testing"
	"time"
)

func nan() float64 { return math.NaN() }

func TestDecide(t *testing.T) {
	result := func(purpose Purpose, verdict Verdict) Result {
		return Result{Rule: Rule{ID: "r", Purpose: purpose, Required: true}, Verdict: verdict, Message: string(purpose) + " " + string(verdict)}
	}
	pending := result(Rollback, Pass)
	pending.Since = time.Unix(1, 0)
	undeclared := result(Advance, NoData)
	undeclared.Required = false
	disabled := result(Rollback, Fail)
	disabled.Disabled = true

	for _, test := range []struct {
		name                          string
		results                       []Result
		rollback, advance, sourceDown bool
		waiting                       string
	}{
		{"everything passes", []Result{result(Advance, Pass), result(Rollback, Pass)}, false, true, false, ""},
		{"a rollback rule fails", []Result{result(Advance, Pass), result(Rollback, Fail)}, true, false, false, ""},
		{"rollback wins over a silent source", []Result{result(Advance, SourceDown), result(Rollback, Fail)}, true, false, true, ""},
		{"an advance rule fails", []Result{result(Advance, Pass), result(Advance, Fail)}, false, false, false, "r: advance fail"},
		{"no data never advances", []Result{result(Advance, Pass), result(Advance, NoData)}, false, false, false, "r: advance no-data"},
		{"a rollback rule without data says nothing", []Result{result(Advance, Pass), result(Rollback, NoData)}, false, true, false, ""},
		{"a silent source holds", []Result{result(Advance, Pass), result(Rollback, SourceDown)}, false, false, true, "r: rollback source-down"},
		{"a breach under way holds", []Result{result(Advance, Pass), pending}, false, false, false, "r: rollback pass"},
		{"what is not declared has no say", []Result{result(Advance, Pass), undeclared}, false, true, false, ""},
		{"what is disabled has no say", []Result{result(Advance, Pass), disabled}, false, true, false, ""},
		{"nothing to judge by", []Result{undeclared}, false, false, false, "no rule of the gate has anything to judge by"},
		{"several reasons", []Result{result(Advance, Fail), result(Rollback, SourceDown)}, false, false, true, "r: rollback source-down; and 1 more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Decide(test.results)
			if got.Rollback != test.rollback || got.Advance != test.advance || got.SourceDown != test.sourceDown || got.Waiting != test.waiting {
				t.Errorf("got %+v", got)
			}
			if !got.Advance && test.name != "nothing to judge by" && len(got.Because) == 0 {
				t.Error("no reason is given")
			}
		})
	}
}
