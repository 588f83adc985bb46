package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// relativeOnly are the rules that compare, of a release.
func relativeOnly(t *testing.T, gates release.Gates) []Rule {
	t.Helper()
	rules, err := Rules(gates, nil, everything)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(rules, func(rule Rule) bool { return !rule.Compares() })
}

// against gives rules the results of a comparison, after those of Evaluate.
func against(rules []Rule, comparison Comparison) []Result {
	_, results := Evaluate(State{}, rules, nil, nil, "green", "blue", start)
	return Compare(rules, results, comparison, "green", "blue")
}

// What is certain fails or passes, what isn't is no reason to wait, and what
// there is no data about has a say for a while only.
func TestVerdictsOfAComparison(t *testing.T) {
	for name, test := range map[string]struct {
		verdict  relative.Verdict
		batches  int
		pace     time.Duration
		want     Verdict
		required bool
		// blocks and goesBack are by the purpose of the rules.
		blocks, goesBack bool
	}{
		"certainly worse":                        {relative.Fail, 20, 5 * time.Second, Fail, true, true, true},
		"certainly allowed":                      {relative.Pass, 20, 5 * time.Second, Pass, true, false, false},
		"uncertain":                              {relative.Undecided, 20, 5 * time.Second, Pass, true, false, false},
		"before there was an interval":           {relative.NoData, 0, 5 * time.Second, NoData, false, false, false},
		"before there could be a bound":          {relative.NoData, firstBound - 1, 5 * time.Second, NoData, false, false, false},
		"when there could be a bound":            {relative.NoData, firstBound, 5 * time.Second, NoData, true, true, false},
		"no bound for long":                      {relative.NoData, 2*firstBound - 1, 5 * time.Second, NoData, true, true, false},
		"no bound for too long":                  {relative.NoData, 2 * firstBound, 5 * time.Second, NoData, false, false, false},
		"no bound for long, in a minute each":    {relative.NoData, firstBound + 1, time.Minute, NoData, false, false, false},
		"when there could be one in a minute":    {relative.NoData, firstBound, time.Minute, NoData, true, true, false},
		"a failure is one however few they were": {relative.Fail, 3, 5 * time.Second, Fail, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			known := relative.Result{Question: relative.Errors, Verdict: test.verdict, Batches: test.batches, Pace: test.pace, Sentence: "because"}
			for _, use := range []string{release.RelativeAdvance, release.RelativeRollback} {
				rules := relativeOnly(t, release.Gates{Relative: use})
				results := against(rules, Comparison{Results: []relative.Result{known}, Time: start})
				if got := results[0]; got.Verdict != test.want || got.Required != test.required || got.Message != "because" {
					t.Errorf("%s: %s, required %v, %q", use, got.Verdict, got.Required, got.Message)
				}
				good := Result{Rule: Rule{ID: "advance-ready-ratio", Purpose: Advance, Required: true}, Verdict: Pass}
				decision := Decide(append(results, good))
				goesBack := test.goesBack && use == release.RelativeRollback
				blocks := test.blocks && use == release.RelativeAdvance
				if decision.Rollback != goesBack || decision.Advance == (goesBack || blocks) {
					t.Errorf("%s: %+v", use, decision)
				}
				if blocks && decision.Waiting != "advance-error-ratio-relative: because" {
					t.Errorf("waits for %q", decision.Waiting)
				}
			}
		})
	}
}

func TestQuestionsOfTheRules(t *testing.T) {
	rules := relativeOnly(t, release.Gates{})
	for before, want := range map[bool][]string{
		false: {"errors", "latency-p95", "share"},
		true:  {"errors", "latency-p95", "volume"},
	} {
		var known []relative.Result
		for _, question := range relative.Questions() {
			known = append(known, relative.Result{Question: question, Verdict: relative.Pass, Estimate: 0.25, Batches: 12, Sentence: string(question)})
		}
		var got []string
		for _, result := range against(rules, Comparison{Results: known, Before: before, Time: start}) {
			got = append(got, result.Message)
			if result.Reading.Value != 0.25 || result.Reading.Samples != 12 || result.Reading.State != measure.OK || result.Reading.Detail != result.Message {
				t.Errorf("the record has %+v", result.Reading)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("before %v:\n%s", before, diff)
		}
	}
}

// Rules that compare ask no source for a reading, and without a comparison, or
// where nothing counts, they have no say and say so.
func TestWithoutAComparison(t *testing.T) {
	rules := relativeOnly(t, release.Gates{})
	if queries := append(Queries(rules, "green", "blue"), BaselineQueries(rules, "blue")...); len(queries) > 0 {
		t.Errorf("they ask %+v", queries)
	}
	_, results := Evaluate(State{}, rules, nil, nil, "green", "blue", start)
	missing := against(rules, Comparison{Missing: "nothing remembers"})
	undeclared := relativeOnly(t, release.Gates{})
	undeclared[0].Required, undeclared[1].Disabled = false, true
	silent := against(undeclared, Comparison{})
	for want, got := range map[string]Result{
		"no data: green and blue are not compared":                    results[0],
		"no data: green and blue are not compared: nothing remembers": missing[0],
		"error ratio of green: not declared":                          silent[0],
		"latency p95 of green: disabled by the release":               silent[1],
	} {
		if got.Verdict != NoData || got.Required && !got.Disabled || got.Message != want {
			t.Errorf("%s, required %v, %q, want %q", got.Verdict, got.Required, got.Message, want)
		}
	}
	if len(results) != 3 || len(missing) != 3 {
		t.Errorf("%d and %d results for three rules", len(results), len(missing))
	}
}

func TestComparisonByTheRules(t *testing.T) {
	errors, times, off := 0.01, 1.5, 0.5
	gates := release.Gates{Relative: release.RelativeRollback, Rules: []release.RuleOverride{
		{ID: "rollback-error-ratio-relative", Threshold: &errors}, {ID: "rollback-latency-p95-relative", Threshold: &times},
		{ID: "advance-request-rate-relative", Threshold: &off}}}
	rules := relativeOnly(t, gates)
	want := relative.New("blue", "green")
	want.ErrorsAllowed, want.LatencyAllowed, want.ShareAllowed = 0.01, 1.5, 0.5
	if got, any := Comparing(rules, "green", "blue"); !any || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	conditions := []string{"> 1 points more than of the old colour", "> 1.5 × the old colour's", "off its weight by <= 50 %"}
	for i, rule := range rules {
		if rule.Condition() != conditions[i] {
			t.Errorf("%s: %s, want %s", rule.ID, rule.Condition(), conditions[i])
		}
		rules[i].Disabled = true
	}
	if _, any := Comparing(rules, "green", "blue"); any {
		t.Error("rules that are disabled compare")
	}
	samples := 3.0
	_, err := Rules(release.Gates{Rules: []release.RuleOverride{{ID: "advance-error-ratio-relative", MinimumSamples: &samples}}}, nil, everything)
	if err == nil || !strings.Contains(err.Error(), "minimumSamples mean nothing where it must be certain") {
		t.Errorf("minimumSamples: %v", err)
	}
	if _, err := Rules(gates, nil, everything); err != nil {
		t.Error(err)
	}
}

// The first bounds come when the package says so, on numbers without noise.
func TestFirstBound(t *testing.T) {
	comparing, state := relative.New("blue", "green"), relative.State{}
	for n := range 40 {
		from := start.Add(time.Duration(n) * 5 * time.Second)
		var results []relative.Result
		state, results = comparing.Observe(state, relative.Observation{From: from, To: from.Add(5 * time.Second), Weight: 0.5,
			Old: relative.Sample{Requests: 500, Failed: 1}, New: relative.Sample{Requests: 500, Failed: 1}})
		if known := results[0]; known.Verdict != relative.NoData {
			if known.Batches != firstBound {
				t.Errorf("the first bound rests on %d batches, not on %d", known.Batches, firstBound)
			}
			return
		}
	}
	t.Error("no bound after 40 intervals")
}
