package gate

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var update = flag.Bool("update", false, "write docs/gates.md")

func everything(measure.Query) bool { return true }

func TestNumbersOfTheRunbooks(t *testing.T) {
	want := map[string]string{
		"weighted advance-error-ratio": "< 0.5 %", "weighted advance-latency-p95": "< 300ms", "weighted advance-database-connections": "<= 80 %",
		"weighted rollback-error-ratio": "> 1 % for 1m", "weighted rollback-latency-p95": "> 1s for 2m", "weighted rollback-database-connections": ">= 90 %",
		"atomic advance-error-ratio": "< 0.5 %", "atomic advance-latency-p95": "< 200ms", "atomic advance-restarts": "<= 0",
		"atomic rollback-error-ratio": "> 2 % for 2m", "atomic rollback-latency-p95": "> 800ms for 3m", "atomic rollback-pool-saturation": ">= 100 % for 30s",
		"atomic rollback-critical-alerts": ">= 1",
	}
	got := map[string]string{}
	for _, row := range Describe() {
		if row.Rule.Source == "" || row.Rule.ID == "" {
			t.Errorf("rule %+v: no source or no id", row.Rule)
		}
		if key := row.Profile + " " + row.Rule.ID; want[key] != "" {
			got[key] = row.Rule.Condition()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Describe() {
		key := row.Profile + "/" + row.Rule.ID
		if seen[key] {
			t.Errorf("%s twice", key)
		}
		seen[key] = true
		if !strings.HasPrefix(row.Rule.ID, string(row.Rule.Purpose)+"-"+string(row.Rule.Signal)) && row.Rule.ID != "advance-request-parity" {
			t.Errorf("%s is not named after its purpose and signal", key)
		}
	}
}

func TestOverrides(t *testing.T) {
	threshold, samples, sustained := 0.03, 10.0, release.Duration(90*time.Second)
	gates := release.Gates{Profile: Weighted, Rules: []release.RuleOverride{
		{ID: "rollback-error-ratio", Threshold: &threshold, MinimumSamples: &samples, For: &sustained},
		{ID: "rollback-oldest-transaction/reports", Disabled: true},
		{ID: "rollback-database-connections", Threshold: &threshold},
	}}
	rules, err := Rules(gates, []release.Database{{Name: "main"}, {Name: "reports"}}, everything)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, rule := range rules {
		got[rule.Key()] = rule.Condition()
		if rule.Disabled {
			got[rule.Key()] = "disabled"
		}
	}
	for key, want := range map[string]string{
		"rollback-error-ratio":                  "> 3 % for 1m30s",
		"rollback-oldest-transaction/reports":   "disabled",
		"rollback-oldest-transaction/main":      "> 1m",
		"rollback-database-connections/main":    ">= 3 %",
		"rollback-database-connections/reports": ">= 3 %",
		"advance-database-connections/main":     "<= 80 %",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}

func TestRefusedOverrides(t *testing.T) {
	negative := -1.0
	for _, test := range []struct {
		name, want string
		gates      release.Gates
	}{
		{"typo", `override rule "rollback-eror-ratio": the profile has no such rule; did you mean rollback-error-ratio?`,
			release.Gates{Rules: []release.RuleOverride{{ID: "rollback-eror-ratio"}}}},
		{"capitals", `override rule "ROLLBACK-ERROR-RATIO": the profile has no such rule; did you mean rollback-error-ratio?`,
			release.Gates{Rules: []release.RuleOverride{{ID: "ROLLBACK-ERROR-RATIO"}}}},
		{"far from everything", `override rule "x": the profile has no such rule`, release.Gates{Rules: []release.RuleOverride{{ID: "x"}}}},
		{"negative", "override rule rollback-error-ratio: threshold -1: expected a number of at least 0",
			release.Gates{Rules: []release.RuleOverride{{ID: "rollback-error-ratio", Threshold: &negative}}}},
		{"profile", `read gates.profile "canary": expected weighted or atomic`, release.Gates{Profile: "canary"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Rules(test.gates, nil, everything)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	var unknown *UnknownRuleError
	_, err := Rules(release.Gates{Rules: []release.RuleOverride{{ID: "rollback-restart"}}}, nil, everything)
	if !errors.As(err, &unknown) || unknown.Hint() != "write rollback-restarts" {
		t.Errorf("got %v with hint %q", err, unknown.Hint())
	}
}

func TestWhatNothingAnswersIsNotRequired(t *testing.T) {
	onlyKubernetes := func(query measure.Query) bool {
		return query.Signal == measure.ReadyRatio || query.Signal == measure.Restarts
	}
	rules, err := Rules(release.Gates{Profile: Atomic}, nil, onlyKubernetes)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range Queries(rules, "green", "blue") {
		if !onlyKubernetes(query) {
			t.Errorf("%s is asked though nothing answers it", query.Signal)
		}
	}
	healthy := []measure.Reading{
		{Query: measure.Query{Signal: measure.ReadyRatio, Color: "green"}, State: measure.OK, Value: 1},
		{Query: measure.Query{Signal: measure.Restarts, Color: "green"}, State: measure.OK, Value: 0},
	}
	_, results := Evaluate(State{}, rules, healthy, nil, "green", "blue", start)
	if decision := Decide(results); !decision.Advance {
		t.Errorf("a healthy release without metrics waits: %s", decision.Waiting)
	}
	if len(results) != len(rules) {
		t.Errorf("%d results for %d rules: what is not declared must be told", len(results), len(rules))
	}
}

func TestQueriesAreAskedOnce(t *testing.T) {
	rules, err := Rules(release.Gates{Profile: Weighted}, []release.Database{{Name: "main"}}, everything)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[measure.Query]bool{}
	for _, query := range Queries(rules, "green", "blue") {
		if seen[query] {
			t.Errorf("%+v twice", query)
		}
		seen[query] = true
	}
	baseline := BaselineQueries(rules, "blue")
	if len(baseline) != 2 || baseline[0].Color != "blue" {
		t.Errorf("baseline asks %+v", baseline)
	}
}

func TestDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "gates.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(Document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), Document()); diff != "" {
		t.Errorf("docs/gates.md is not what the rules say; renew it with: go test ./pkg/gate -run TestDocument -update\n%s", diff)
	}
	if strings.Contains(strings.ToLower(Document()), "seed") {
		t.Error("the page cites something that its readers don't know: it is the first and the second runbook")
	}
}
