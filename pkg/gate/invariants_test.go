package gate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// allRules are the rules of a profile with one database, all answerable.
func allRules(t *rapid.T) []Rule {
	rules, err := Rules(release.Gates{Profile: rapid.SampledFrom(Profiles()).Draw(t, "profile")},
		[]release.Database{{Name: "main"}}, func(measure.Query) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// drawReadings answers every rule with something.
func drawReadings(t *rapid.T, rules []Rule, states ...measure.State) []measure.Reading {
	var readings []measure.Reading
	for _, query := range Queries(rules, "green", "blue") {
		readings = append(readings, measure.Reading{Query: query, Source: "test",
			State:   rapid.SampledFrom(states).Draw(t, "state"),
			Value:   rapid.Float64Range(0, 100).Draw(t, "value"),
			Samples: rapid.SampledFrom([]float64{0, 10, 1000}).Draw(t, "samples")})
	}
	return readings
}

func TestAbsenceNeitherAdvancesNorRollsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, state, now := allRules(t), State{}, start
		// A past of anything that has not fired.
		for range rapid.IntRange(0, 3).Draw(t, "past") {
			state, _ = Evaluate(state, rules, drawReadings(t, rules, measure.OK, measure.NoData, measure.SourceDown), nil, "green", "blue", now)
			now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "gap")) * time.Second)
		}
		for range rapid.IntRange(1, 10).Draw(t, "silence") {
			var results []Result
			state, results = Evaluate(state, rules, drawReadings(t, rules, measure.NoData, measure.SourceDown), nil, "green", "blue", now)
			if decision := Decide(results); decision.Rollback || decision.Advance {
				t.Fatalf("decided %+v without any data", decision)
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "gap")) * time.Second)
		}
	})
}

func TestOneAbsentAdvanceRuleIsEnoughToWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := allRules(t)
		readings := drawReadings(t, rules, measure.OK)
		missing := rapid.SampledFrom(Queries(advanceRules(rules), "green", "blue")).Draw(t, "missing")
		for i := range readings {
			if readings[i].Query == missing {
				readings[i].State = rapid.SampledFrom([]measure.State{measure.NoData, measure.SourceDown, "nonsense"}).Draw(t, "how")
			}
		}
		if _, results := Evaluate(State{}, rules, readings, nil, "green", "blue", start); Decide(results).Advance {
			t.Fatalf("advanced without %s", missing.Signal)
		}
	})
}

func advanceRules(rules []Rule) []Rule {
	var advance []Rule
	for _, rule := range rules {
		if rule.Purpose == Advance {
			advance = append(advance, rule)
		}
	}
	return advance
}

// What the missing requests could change never fails, and what they could not
// always does: the verdict is the one of the full number of requests.
func TestMissingSamplesChangeNoVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := errorRule
		rule.For, rule.MinimumSamples = 0, float64(rapid.IntRange(1, 200).Draw(t, "minimum"))
		requests := rapid.IntRange(0, int(rule.MinimumSamples)-1).Draw(t, "requests")
		failed := rapid.IntRange(0, requests).Draw(t, "failed")
		value := 0.0
		if requests > 0 {
			value = float64(failed) / float64(requests)
		}
		_, results := Evaluate(State{}, []Rule{rule}, []measure.Reading{reading(rule, measure.OK, value, float64(requests))}, nil, "green", "blue", start)
		_, full := Evaluate(State{}, []Rule{rule}, []measure.Reading{reading(rule, measure.OK, value*float64(requests)/rule.MinimumSamples, rule.MinimumSamples)}, nil, "green", "blue", start)
		if (results[0].Verdict == Fail) != (full[0].Verdict == Fail) || results[0].Verdict == Pass {
			t.Fatalf("%d of %d failed of %g: %s; had the rest succeeded: %s", failed, requests, rule.MinimumSamples, results[0].Verdict, full[0].Verdict)
		}
	})
}

func TestABreachThatGoesOnNeverUnfires(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := errorRule
		rule.For = time.Duration(rapid.IntRange(0, 300).Draw(t, "for")) * time.Second
		state, now, fired := State{}, start, false
		for range rapid.IntRange(1, 40).Draw(t, "readings") {
			var results []Result
			state, results = Evaluate(state, []Rule{rule}, []measure.Reading{reading(rule, measure.OK, 0.5, 600)}, nil, "green", "blue", now)
			if fired && results[0].Verdict != Fail {
				t.Fatalf("un-fired: %s", results[0].Message)
			}
			fired = fired || results[0].Verdict == Fail
			if !fired && now.Sub(start) >= 2*rule.For+2*time.Minute {
				t.Fatalf("not fired after %s", now.Sub(start))
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "gap")) * time.Second)
		}
	})
}

func TestReplaysToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, now := allRules(t), start
		kept, read := State{}, State{}
		for range rapid.IntRange(1, 12).Draw(t, "readings") {
			readings := drawReadings(t, rules, measure.OK, measure.OK, measure.NoData, measure.SourceDown)
			var results, again []Result
			kept, results = Evaluate(kept, rules, readings, nil, "green", "blue", now)
			read, again = Evaluate(read, rules, readings, nil, "green", "blue", now)
			if diff := cmp.Diff(Decide(results), Decide(again), cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("the journal's state decides otherwise:\n%s", diff)
			}
			read = throughJSON(t, read)
			now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "gap")) * time.Second)
		}
	})
}

// throughJSON is what the journal does to a state.
func throughJSON(t *rapid.T, state State) State {
	data, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	var read State
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}
