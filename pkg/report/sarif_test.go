package report

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

func readSARIF(t interface {
	Helper()
	Fatal(...any)
}, text string) sarifRun {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 {
		t.Fatal("not one run of SARIF 2.1.0: " + text)
	}
	return log.Runs[0]
}

func TestSARIF(t *testing.T) {
	run := readSARIF(t, written(t, "sarif", blocked()))
	var got []string
	for _, result := range run.Results {
		location := result.Locations[0]
		place, _ := json.Marshal(location.PhysicalLocation)
		got = append(got, strings.Join([]string{result.RuleID, result.Level, result.Message.Text, string(place)}, " | "))
	}
	want := []string{
		`BG-COL-12 | warning | deployment/shop-green: container app runs image shop, which can change under it. To put it right: do something about BG-COL-12 | {"artifactLocation":{"uri":"green/green.yaml","uriBaseId":"%SRCROOT%"},"region":{"startLine":14,"startColumn":16}}`,
		"BG-DB-01 | error | unknown: database main: not allowed to look[2J ::error::]]> <b>@everyone</b> | `x`. To put it right: do something about BG-DB-01 | " + `{"artifactLocation":{"uri":"deploy/blue%20green.yaml","uriBaseId":"%SRCROOT%"}}`,
		`BG-DB-03 | error | database main: 120 wanted, 77 allowed. To put it right: do something about BG-DB-03 | {"artifactLocation":{"uri":"deploy/blue%20green.yaml","uriBaseId":"%SRCROOT%"},"region":{"startLine":30,"startColumn":5}}`,
		`BG-DB-04 | warning | unknown: database main: nobody may look. To put it right: do something about BG-DB-04 | {"artifactLocation":{"uri":"deploy/blue%20green.yaml","uriBaseId":"%SRCROOT%"}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	invocation := run.Invocations[0]
	if !invocation.ExecutionSuccessful || invocation.ExitCode != 2 || invocation.EndTime != "2026-11-22T11:00:00Z" {
		t.Errorf("the invocation is %+v", invocation)
	}
	if len(invocation.Notifications) != 1 || invocation.Notifications[0].AssociatedRule.ID != "BG-MON-01" {
		t.Errorf("what was skipped is told as %+v", invocation.Notifications)
	}
}

// Each rule is what the catalogue says of a check of the stage, and each result
// points to its own.
func TestSARIFRules(t *testing.T) {
	run := readSARIF(t, written(t, "sarif", blocked()))
	rules := map[string]sarifRule{}
	for _, rule := range run.Tool.Driver.Rules {
		rules[rule.ID] = rule
	}
	for _, check := range preflight.Catalogue() {
		rule := rules[check.ID]
		if rule.ShortDescription.Text != check.Title || rule.FullDescription.Text != check.Why || !strings.Contains(rule.Help.Text, check.Remedy) || !strings.HasSuffix(rule.HelpURI, "/"+preflight.DocsPath(check)) {
			t.Errorf("the rule of %s is %+v", check.ID, rule)
		}
	}
	for _, result := range run.Results {
		if id := run.Tool.Driver.Rules[result.RuleIndex].ID; id != result.RuleID {
			t.Errorf("a result of %s points to the rule %s", result.RuleID, id)
		}
	}
	report := blocked()
	report.Stage = preflight.StagePR
	if rules := readSARIF(t, written(t, "sarif", report)).Tool.Driver.Rules; len(rules) == 0 || len(rules) >= len(preflight.Catalogue()) {
		t.Errorf("stage pr has %d rules", len(rules))
	}
}

// What has an error blocks, and the same is found again after its cause changed.
func TestSARIFErrsWhereTheReportBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		report := anyReport().Draw(t, "report")
		run := readSARIF(t, written(t, "sarif", report))
		failed := false
		for _, result := range run.Results {
			failed = failed || result.Level == "error"
		}
		if failed != report.Blocked() || (run.Invocations[0].ExitCode == 2) != failed {
			t.Fatalf("errors: %t, exit code %d, of a report that is %s", failed, run.Invocations[0].ExitCode, report.Verdict)
		}
	})
	before, after := blocked(), blocked()
	after.Findings[1].Cause, after.Findings[1].Position = "another", nil
	one := readSARIF(t, written(t, "sarif", before)).Results
	other := readSARIF(t, written(t, "sarif", after)).Results
	if diff := cmp.Diff(one[0].PartialFingerprints, other[0].PartialFingerprints); diff != "" {
		t.Errorf("the same finding is told as another one:\n%s", diff)
	}
	if cmp.Equal(one[0].PartialFingerprints, one[1].PartialFingerprints) {
		t.Error("two findings are told as one")
	}
}

// What is written obeys the official schema, an unchanged copy of that of OASIS Open
// (github.com/oasis-tcs/sarif-spec, sarif-2.1/schema).
func TestSARIFObeysItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	obeys := func(t interface{ Fatal(...any) }, text string) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Fatal(err)
		}
	}
	obeys(t, written(t, "sarif", blocked()))
	obeys(t, written(t, "sarif", suppressed()))
	rapid.Check(t, func(t *rapid.T) { obeys(t, written(t, "sarif", anyReport().Draw(t, "report"))) })
}

// What SARIF requires of the objects that are written here (sections 3.13 to 3.58
// of the standard), said once more in our words: a schema that is read wrongly allows
// everything.
func TestSARIFHasWhatIsRequired(t *testing.T) {
	var log map[string]any
	if err := json.Unmarshal([]byte(written(t, "sarif", blocked())), &log); err != nil {
		t.Fatal(err)
	}
	run := log["runs"].([]any)[0].(map[string]any)
	driver := run["tool"].(map[string]any)["driver"].(map[string]any)
	invocation := run["invocations"].([]any)[0].(map[string]any)
	objects := []struct {
		name     string
		object   map[string]any
		required []string
	}{
		{"log", log, []string{"version", "runs"}},
		{"driver", driver, []string{"name", "rules"}},
		{"invocation", invocation, []string{"executionSuccessful"}},
	}
	for _, rule := range driver["rules"].([]any) {
		objects = append(objects, struct {
			name     string
			object   map[string]any
			required []string
		}{"rule", rule.(map[string]any), []string{"id", "shortDescription", "help", "helpUri"}})
	}
	for _, result := range run["results"].([]any) {
		objects = append(objects, struct {
			name     string
			object   map[string]any
			required []string
		}{"result", result.(map[string]any), []string{"ruleId", "ruleIndex", "message", "level", "locations", "partialFingerprints"}})
	}
	for _, one := range objects {
		for _, field := range one.required {
			if one.object[field] == nil || one.object[field] == "" {
				t.Errorf("a %s has no %s: %v", one.name, field, one.object)
			}
		}
	}
}
