package act

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spoken is what act says of a step that fails, its post part, and a job that is
// skipped beside it.
const spoken = `{"level":"info","msg":"⭐ Run Set up job","job":"w/check","jobID":"check","step":"Set up job","stepid":["--setup-job"]}
{"level":"info","msg":"LocalRepositoryCache matched","jobID":"check","stage":"Pre","stepID":["one"]}
{"level":"info","msg":"said","raw_output":true,"jobID":"check","stage":"Main","stepID":["one"]}
{"arg":"first\nsecond","command":"error","kvPairs":{"col":"7","file":"a.yaml","line":"3","title":"T"},"level":"error","msg":"  ❗  ::error","jobID":"check","stage":"Main","stepID":["one"]}
{"arg":"all","command":"notice","kvPairs":{},"msg":"  ❓  ::notice","jobID":"check","stage":"Main","stepID":["one"]}
{"level":"info","msg":"  ❌  Failure","jobID":"check","stage":"Main","stepID":["one"],"stepResult":"failure"}
{"arg":"blocked","command":"set-output","level":"info","msg":"  ⚙","name":"verdict","jobID":"check","stage":"Main","stepID":["one"]}
{"command":"summary","content":"# S\n","level":"info","msg":"  ⚙","jobID":"check","stage":"Main","stepID":["one"]}
{"level":"info","msg":"  ✅  Success","jobID":"check","stage":"Post","stepID":["one"],"stepResult":"success"}
{"jobID":"check","jobResult":"failure","level":"info","msg":"🏁  Job failed"}
Error: Job 'check' failed
`

func TestRead(t *testing.T) {
	outcome, err := read([]byte(spoken))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(outcome.Log, "[check] said\n") || !strings.HasSuffix(outcome.Log, "Error: Job 'check' failed\n") {
		t.Errorf("the log is\n%s", outcome.Log)
	}
	outcome.Log = ""
	want := &Outcome{
		Jobs: map[string]string{"check": "failure"},
		Steps: []Step{
			{Job: "check", ID: "one", Stage: "Main", Result: "failure", Outputs: map[string]string{"verdict": "blocked"}, Summary: "# S\n"},
			{Job: "check", ID: "one", Stage: "Post", Result: "success", Outputs: map[string]string{}},
		},
		Annotations: []Annotation{
			{Job: "check", Step: "one", Level: "error", File: "a.yaml", Line: 3, Column: 7, Title: "T", Message: "first\nsecond"},
			{Job: "check", Step: "one", Level: "notice", Message: "all"},
		},
	}
	if diff := cmp.Diff(want, outcome); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if step, found := outcome.Step("check", "one"); !found || step.Result != "failure" {
		t.Errorf("the step is %+v, %t", step, found)
	}
	if told := outcome.Told("error"); len(told) != 1 || told[0].Line != 3 {
		t.Errorf("the errors are %+v", told)
	}
}

// What a workflow uses is taken from folders, and what none plays is told.
func TestReplaced(t *testing.T) {
	options := Options{Folder: t.TempDir()}
	check(t, write(options.action(codeScanning)+"/upload-sarif/action.yml", nil))
	workflow := "    - uses: actions/checkout@0a # v5\n    - if: always()\n      uses: github/codeql-action/upload-sarif@0b # v4\n"
	flags, err := options.replaced([]byte(workflow))
	check(t, err)
	if diff := cmp.Diff([]string{"--local-repository=github/codeql-action@0b=" + options.action(codeScanning)}, flags); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	if _, err := options.replaced([]byte("      uses: acme/other@0c\n")); err == nil || !strings.Contains(err.Error(), "find action acme/other") {
		t.Errorf("an action that nothing plays: %v", err)
	}
}
