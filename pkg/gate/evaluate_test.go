package gate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var start = time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)

// errorRule rolls back on more than 2 % for a minute.
var errorRule = Rule{ID: "rollback-error-ratio", Purpose: Rollback, Subject: Target, Signal: measure.ErrorRatio,
	Comparator: Greater, Threshold: 0.02, For: time.Minute, Window: time.Minute, MinimumSamples: 50, Required: true}

// reading answers a rule about green.
func reading(rule Rule, state measure.State, value, samples float64) measure.Reading {
	return measure.Reading{Query: rule.Query("green", "blue"), State: state, Value: value, Samples: samples, Source: "pods 3 of 3 sampled"}
}

func TestVerdictOfOneMoment(t *testing.T) {
	advance := Rule{ID: "advance-error-ratio", Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio,
		Comparator: Less, Threshold: 0.005, Window: time.Minute, MinimumSamples: 100, Required: true}
	atOnce := errorRule
	atOnce.For = 0
	latency := Rule{ID: "rollback-latency-p95", Purpose: Rollback, Subject: Target, Signal: measure.LatencyP95,
		Comparator: Greater, Threshold: 1, Window: time.Minute, MinimumSamples: 50, Required: true}
	undeclared, disabled := atOnce, atOnce
	undeclared.Required = false
	disabled.Disabled = true
	connections := Rule{ID: "rollback-database-connections", Purpose: Rollback, Subject: Shared, Signal: measure.DatabaseConnections,
		Database: "main", Comparator: GreaterOrEqual, Threshold: 0.9, For: time.Minute, Required: true}
	refused := reading(connections, measure.OK, 1, 0)
	refused.Source, refused.Detail = "postgres main", "SQLSTATE 53300: too many clients already"
	down := reading(atOnce, measure.SourceDown, 0, 0)
	down.Source, down.Detail = "prometheus monitoring/prometheus:9090", "no answer in 5s"

	for _, test := range []struct {
		name    string
		rule    Rule
		reading measure.Reading
		verdict Verdict
		message string
	}{
		{"good enough to advance", advance, reading(advance, measure.OK, 0.001, 612), Pass,
			"error ratio of green 0.1 % < 0.5 % (612 requests, pods 3 of 3 sampled)"},
		{"at the threshold does not advance", advance, reading(advance, measure.OK, 0.005, 612), Fail,
			"error ratio of green 0.5 %, not < 0.5 % (612 requests, pods 3 of 3 sampled)"},
		{"too few requests", advance, reading(advance, measure.OK, 0, 99), NoData,
			"error ratio of green: no data: 99 requests in 1m, at least 100 are needed (pods 3 of 3 sampled)"},
		{"bad enough to roll back", atOnce, reading(atOnce, measure.OK, 0.051, 612), Fail,
			"error ratio of green 5.1 % > 2 % (612 requests, pods 3 of 3 sampled)"},
		{"at the threshold does not roll back", atOnce, reading(atOnce, measure.OK, 0.02, 612), Pass,
			"error ratio of green 2 %, not > 2 % (612 requests, pods 3 of 3 sampled)"},
		{"every request of a quiet service fails", atOnce, reading(atOnce, measure.OK, 1, 49), Fail,
			"error ratio of green 100 % > 2 % (49 requests, pods 3 of 3 sampled); of 50 requests it would be 98 % at least"},
		{"the missing requests could change it", atOnce, reading(atOnce, measure.OK, 0.05, 20), NoData,
			"error ratio of green: no data: 20 requests in 1m, at least 50 are needed (pods 3 of 3 sampled)"},
		{"too few requests never advance", advance, reading(advance, measure.OK, 1, 49), NoData,
			"error ratio of green: no data: 49 requests in 1m, at least 100 are needed (pods 3 of 3 sampled)"},
		{"too few requests say nothing of a quantile", latency, reading(latency, measure.OK, 30, 49), NoData,
			"latency p95 of green: no data: 49 requests in 1m, at least 50 are needed (pods 3 of 3 sampled)"},
		{"sustained rules wait", errorRule, reading(errorRule, measure.OK, 0.051, 612), Pass,
			"error ratio of green 5.1 % > 2 % since 0s of 1m (612 requests, pods 3 of 3 sampled)"},
		{"source down", atOnce, down, SourceDown,
			"error ratio of green: prometheus monitoring/prometheus:9090 is down: no answer in 5s"},
		{"not a number", atOnce, reading(atOnce, measure.OK, nan(), 612), SourceDown,
			"error ratio of green: pods 3 of 3 sampled is down"},
		{"no data", atOnce, measure.Reading{Query: atOnce.Query("green", "blue"), State: measure.NoData, Detail: "no requests in 1m"}, NoData,
			"error ratio of green: no data: no requests in 1m"},
		{"no reading at all", atOnce, measure.Reading{}, NoData, "error ratio of green: no data: no reading"},
		{"nothing declared", undeclared, measure.Reading{}, NoData, "error ratio of green: not declared"},
		{"disabled", disabled, reading(disabled, measure.OK, 0.9, 612), NoData, "error ratio of green: disabled by the release"},
		{"a refused connection never waits", connections, refused, Fail,
			"database connections in database main 100 % >= 90 % for 1m (postgres main); SQLSTATE 53300: too many clients already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, results := Evaluate(State{}, []Rule{test.rule}, []measure.Reading{test.reading}, nil, "green", "blue", start)
			if got := results[0].Verdict; got != test.verdict {
				t.Errorf("verdict %s, want %s", got, test.verdict)
			}
			if diff := cmp.Diff(test.message, results[0].Message); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRelativeRules(t *testing.T) {
	errors := Rule{Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio, Comparator: LessOrEqual, Threshold: 1,
		RelativeTo: relativeToBaseline, MinimumEffect: 0.002, MinimumSamples: 100, Required: true}
	latency := Rule{Purpose: Advance, Subject: Target, Signal: measure.LatencyP95, Comparator: LessOrEqual, Threshold: 1.2,
		RelativeTo: relativeToBaseline, MinimumEffect: 0.020, Required: true}
	parity := Rule{Purpose: Advance, Subject: Target, Signal: measure.RequestRate, Comparator: GreaterOrEqual, Threshold: 0.5,
		RelativeTo: relativeToBaseline, Required: true}
	for _, test := range []struct {
		name          string
		rule          Rule
		before, after float64
		verdict       Verdict
	}{
		{"a clean baseline bears one failed request in a thousand", errors, 0, 0.001, Pass},
		{"more than the effect is seen", errors, 0, 0.0021, Fail},
		{"a dirty baseline is no excuse beyond the effect", errors, 0.004, 0.0065, Fail},
		{"a tiny latency may grow by 20 ms", latency, 0.002, 0.021, Pass},
		{"a fifth slower", latency, 0.200, 0.239, Pass},
		{"more than a fifth slower", latency, 0.200, 0.241, Fail},
		{"half the traffic arrives", parity, 100, 50, Pass},
		{"less than half of the traffic arrives", parity, 100, 49, Fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			baseline := measure.Reading{Query: test.rule.Query("blue", "blue"), State: measure.OK, Value: test.before, Samples: 1000}
			_, results := Evaluate(State{}, []Rule{test.rule}, []measure.Reading{reading(test.rule, measure.OK, test.after, 1000)},
				[]measure.Reading{baseline}, "green", "blue", start)
			if results[0].Verdict != test.verdict {
				t.Errorf("%s: verdict %s, want %s", results[0].Message, results[0].Verdict, test.verdict)
			}
		})
	}
	t.Run("without a baseline the rule has no say", func(t *testing.T) {
		_, results := Evaluate(State{}, []Rule{latency}, []measure.Reading{reading(latency, measure.OK, 9, 1000)}, nil, "green", "blue", start)
		if results[0].Verdict != NoData || results[0].Required {
			t.Errorf("verdict %s, required %v; want no-data that is not required", results[0].Verdict, results[0].Required)
		}
	})
}

func TestSustained(t *testing.T) {
	const bad, good, absent, down = "bad", "good", "absent", "down"
	for _, test := range []struct {
		name     string
		interval time.Duration
		readings []string
		want     []Verdict
	}{
		{"fires after its time", 20 * time.Second, []string{bad, bad, bad, bad, bad}, []Verdict{Pass, Pass, Pass, Fail, Fail}},
		{"a good reading starts again", 20 * time.Second, []string{bad, bad, bad, good, bad, bad, bad, bad}, []Verdict{Pass, Pass, Pass, Pass, Pass, Pass, Pass, Fail}},
		{"absence adds nothing", 20 * time.Second, []string{bad, absent, absent, absent, bad, bad, bad, bad},
			[]Verdict{Pass, NoData, NoData, NoData, Pass, Pass, Pass, Fail}},
		{"a short outage erases nothing", 20 * time.Second, []string{bad, bad, bad, down, bad, bad}, []Verdict{Pass, Pass, Pass, SourceDown, Pass, Fail}},
		{"a long outage starts again", 40 * time.Second, []string{bad, bad, down, down, bad, bad, bad}, []Verdict{Pass, Pass, SourceDown, SourceDown, Pass, Pass, Fail}},
		{"absence alone never fires", time.Hour, []string{bad, absent, absent, down, absent}, []Verdict{Pass, NoData, NoData, SourceDown, NoData}},
		{"after an interruption of the run two readings are not enough", time.Hour, []string{bad, bad, bad}, []Verdict{Pass, Pass, Fail}},
	} {
		t.Run(test.name, func(t *testing.T) {
			state, got := State{}, []Verdict{}
			for i, kind := range test.readings {
				one := map[string]measure.Reading{
					bad: reading(errorRule, measure.OK, 0.5, 600), good: reading(errorRule, measure.OK, 0, 600),
					absent: reading(errorRule, measure.NoData, 0, 0), down: reading(errorRule, measure.SourceDown, 0, 0),
				}[kind]
				var results []Result
				state, results = Evaluate(state, []Rule{errorRule}, []measure.Reading{one}, nil, "green", "blue", start.Add(time.Duration(i)*test.interval))
				got = append(got, results[0].Verdict)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A version that fails every request of a quiet service is rolled back, by the
// rules of both profiles.
func TestAQuietServiceIsRolledBack(t *testing.T) {
	for _, name := range Profiles() {
		rules, err := Rules(release.Gates{Profile: name}, nil, func(query measure.Query) bool { return query.Signal == measure.ErrorRatio })
		if err != nil {
			t.Fatal(err)
		}
		state, decision := State{}, Decision{}
		for i := range 60 {
			var results []Result
			state, results = Evaluate(state, rules, []measure.Reading{reading(rules[0], measure.OK, 1, 49)}, nil, "green", "blue", start.Add(time.Duration(i)*5*time.Second))
			if decision = Decide(results); decision.Rollback || decision.Advance {
				break
			}
		}
		if !decision.Rollback || len(decision.Because) != 1 || decision.Because[0].ID != "rollback-error-ratio" {
			t.Errorf("%s: %+v, want a rollback for the errors", name, decision)
		}
	}
}

func TestAdvanceRuleMayAskForTime(t *testing.T) {
	rule := Rule{ID: "advance-error-ratio", Purpose: Advance, Subject: Target, Signal: measure.ErrorRatio,
		Comparator: Less, Threshold: 0.005, For: time.Minute, Required: true}
	state, got := State{}, []Verdict{}
	for i := range 4 {
		var results []Result
		state, results = Evaluate(state, []Rule{rule}, []measure.Reading{reading(rule, measure.OK, 0, 600)}, nil, "green", "blue",
			start.Add(time.Duration(i)*20*time.Second))
		got = append(got, results[0].Verdict)
	}
	if diff := cmp.Diff([]Verdict{Fail, Fail, Fail, Pass}, got); diff != "" {
		t.Error(diff)
	}
}
