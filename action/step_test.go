package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// newTestStep is a step of a runner that says what is in variables.
func newTestStep(t *testing.T, variables map[string]string) (*step, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	return newStep(environmentOf(variables, out, nil)), out
}

func environmentOf(variables map[string]string, out io.Writer, command func(context.Context, plugin.Environment, plugin.Streams, []string) int) Environment {
	lookup := func(name string) (string, bool) { value, found := variables[name]; return value, found }
	var all []string
	for name, value := range variables {
		all = append(all, name+"="+value)
	}
	return Environment{
		Plugin: plugin.Environment{LookupEnv: lookup, Identity: "runner@ci/7", Clock: clock.RealClock{}},
		Log:    out, Variables: all, Command: command,
	}
}

// job is a job of which one step is played: its variables, what the step asks of
// GitHub, and what it leaves behind.
type job struct {
	t         *testing.T
	variables map[string]string
	// status is GitHub's answer to what writes, 0 for success.
	status int

	mutex  sync.Mutex
	asked  []string
	bodies []map[string]any
	log    bytes.Buffer
}

func newJob(t *testing.T, variables map[string]string) *job {
	t.Helper()
	j := &job{t: t}
	server := httptest.NewServer(http.HandlerFunc(j.serve))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	j.variables = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "0123456789",
		"GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "42", "INPUT_TOKEN": "ghs_abcdef", "RUNNER_TEMP": folder,
		"GITHUB_OUTPUT": filepath.Join(folder, "output"), "GITHUB_STATE": filepath.Join(folder, "state"), "GITHUB_STEP_SUMMARY": filepath.Join(folder, "summary"),
	}
	for name, value := range variables {
		j.variables[name] = value
	}
	return j
}

func (j *job) serve(answer http.ResponseWriter, request *http.Request) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	body := map[string]any{}
	_ = json.NewDecoder(request.Body).Decode(&body)
	j.asked = append(j.asked, request.Method+" "+strings.TrimPrefix(request.URL.Path, "/repos/acme/shop/"))
	j.bodies = append(j.bodies, body)
	if j.status != 0 {
		answer.WriteHeader(j.status)
	}
	fmt.Fprint(answer, `{"id": 7}`)
}

// run plays a part, of which the command is told.
func (j *job) run(ctx context.Context, part string, command func(context.Context, plugin.Environment, []string) int) int {
	j.t.Helper()
	return Run(ctx, environmentOf(j.variables, &j.log, func(ctx context.Context, environment plugin.Environment, _ plugin.Streams, line []string) int {
		return command(ctx, environment, line)
	}), []string{part})
}

func (j *job) state() map[string]string {
	j.t.Helper()
	return readFileCommands(j.t, j.variables["GITHUB_STATE"])
}

func (j *job) output() map[string]string {
	j.t.Helper()
	return readFileCommands(j.t, j.variables["GITHUB_OUTPUT"])
}

func (j *job) summary() string {
	text, _ := os.ReadFile(j.variables["GITHUB_STEP_SUMMARY"]) // one that isn't there holds nothing
	return string(text)
}

// begin plays a command up to where its run has an id.
func begin(environment plugin.Environment) {
	environment.Observer.Opened(release.Metadata{Name: "shop", Namespace: "store"})
	environment.Observer.Progressed(rollout.Event{Run: "20261122-120000-k7f3q"})
	environment.Observer.Progressed(rollout.Event{Run: "20261122-120000-k7f3q"})
}

func TestAShiftIsToldAsADeployment(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "INPUT_ENVIRONMENT-URL": "https://shop.example", "INPUT_ARGS": "--to green"})
	code := j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, line []string) int {
		if !cmp.Equal(line, []string{"shift", "--to", "green"}) || !environment.Unattended || environment.Artefacts == "" {
			t.Errorf("%q is run with %+v", line, environment)
		}
		begin(environment)
		environment.Observer.Stood(*finishedShift())
		return plugin.ExitDone
	})
	if code != plugin.ExitDone {
		t.Errorf("exit code %d", code)
	}
	if diff := cmp.Diff([]string{"POST deployments", "POST deployments/7/statuses", "POST deployments/7/statuses"}, j.asked); diff != "" {
		t.Fatal(diff)
	}
	if got := j.bodies[0]; got["ref"] != "0123456789" || got["environment"] != "store/shop" || got["auto_merge"] != false || len(got["required_contexts"].([]any)) != 0 {
		t.Errorf("the deployment is %v", got)
	}
	want := []map[string]any{
		{"state": "in_progress", "description": "the shift goes on", "log_url": "https://github.example/acme/shop/actions/runs/42", "environment_url": "https://shop.example"},
		{"state": "success", "description": "green serves production, blue is drained (0 residual requests/s)", "log_url": "https://github.example/acme/shop/actions/runs/42", "environment_url": "https://shop.example"},
	}
	if diff := cmp.Diff(want, j.bodies[1:]); diff != "" {
		t.Error(diff)
	}
	state := j.state()
	if state["finished"] != "true" || state["run-id"] != "20261122-120000-k7f3q" || state["command"] != "shift" || state["deployment"] != "7" {
		t.Errorf("the state is %v", state)
	}
	output := j.output()
	if output["verdict"] != passed || output["run-id"] != "20261122-120000-k7f3q" {
		t.Errorf("the outputs are %v", output)
	}
	if _, err := os.Stat(filepath.Join(output["report"], "status.json")); err != nil {
		t.Error(err)
	}
	if strings.Count(j.summary(), "### shop in store: ✅ done") != 1 {
		t.Error(j.summary())
	}
}

// A workflow that is run again is told by its address, and passes on the shift that it
// has made before.
func TestAShiftOfAnEarlierAttempt(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "GITHUB_RUN_ATTEMPT": "2"})
	code := j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
		if environment.Trigger != "https://github.example/acme/shop/actions/runs/42" {
			t.Errorf("the trigger is %q", environment.Trigger)
		}
		environment.Observer.Opened(release.Metadata{Name: "shop", Namespace: "store"})
		standing := *finishedShift()
		standing.Message, standing.Next = "already: green serves", "kubectl bluegreen shift --to blue"
		environment.Observer.Stood(standing)
		return plugin.ExitDone
	})
	if output := j.output(); code != plugin.ExitDone || output["verdict"] != passed || output["run-id"] != "20261122-120000-k7f3q" {
		t.Errorf("exit code %d, outputs %v", code, output)
	}
	if len(j.asked) > 0 || !strings.Contains(j.summary(), "already: green serves") {
		t.Errorf("asked %q, told %s", j.asked, j.summary())
	}
}

func TestADeploymentFollowsTheVerdict(t *testing.T) {
	for _, test := range []struct {
		phase rollout.Phase
		code  int
		open  bool
		want  string
	}{
		{rollout.Done, plugin.ExitDone, false, "success"}, {rollout.RolledBack, plugin.ExitRolledBack, false, "failure"}, {rollout.Blocked, plugin.ExitBlocked, false, "inactive"},
		{rollout.Held, plugin.ExitHeld, false, "failure"}, {rollout.Unproven, plugin.ExitUnproven, false, "failure"},
		{rollout.Watch, plugin.ExitDone, true, "in_progress"},
	} {
		j := newJob(t, map[string]string{"INPUT_COMMAND": "resume"})
		code := j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
			begin(environment)
			environment.Observer.Stood(plugin.Standing{Status: &rollout.RunStatus{ID: "r", Phase: test.phase}, Message: strings.Repeat("ä", 200), Open: test.open})
			return test.code
		})
		last := j.bodies[len(j.bodies)-1]
		if code != test.code || len(j.asked) != 3 || last["state"] != test.want || len([]rune(last["description"].(string))) != mostDescription {
			t.Errorf("%s: exit code %d, asked %q, told %v", test.phase, code, j.asked, last)
		}
	}
}

// A token that may not write is told once, and changes nothing else.
func TestADeploymentThatMayNotBeMade(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift"})
	j.status = http.StatusForbidden
	code := j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
		begin(environment)
		environment.Observer.Stood(*finishedShift())
		return plugin.ExitDone
	})
	if code != plugin.ExitDone || j.output()["verdict"] != passed || !cmp.Equal(j.asked, []string{"POST deployments"}) {
		t.Errorf("exit code %d, %v, asked %q", code, j.output(), j.asked)
	}
	if got := j.log.String(); strings.Count(got, "::notice") != 1 || !strings.Contains(got, "permissions: {deployments: write} lets it") {
		t.Error(got)
	}
}

// What moves nothing, and what gives back by hand, is no deployment.
func TestWhatIsNoDeployment(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"a rollback":    {"INPUT_COMMAND": "rollback"},
		"a status":      {"INPUT_COMMAND": "status"},
		"without token": {"INPUT_COMMAND": "shift", "INPUT_TOKEN": ""},
	} {
		j := newJob(t, variables)
		j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
			begin(environment)
			environment.Observer.Stood(*finishedShift())
			return plugin.ExitDone
		})
		if len(j.asked) > 0 {
			t.Errorf("%s asks %q", name, j.asked)
		}
	}
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift"})
	j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
		environment.Observer.Failed(errors.New("no cluster"))
		return plugin.ExitFailed
	})
	if len(j.asked) > 0 || j.output()["verdict"] != failed || !strings.Contains(j.log.String(), "::error title=bluegreen::no cluster\n") {
		t.Errorf("a shift that did not begin asks %q, %v\n%s", j.asked, j.output(), &j.log)
	}
}

// cancelled plays a main that a signal ends while its run goes on.
func cancelled(t *testing.T, j *job, standing plugin.Standing) int {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	return j.run(ctx, partMain, func(ctx context.Context, environment plugin.Environment, _ []string) int {
		begin(environment)
		cancel(&plugin.Interrupted{Signal: "interrupt"})
		<-ctx.Done()
		environment.Observer.Stood(standing)
		return plugin.ExitHeld
	})
}

// heldRun is a run that a signal has held.
func heldRun() plugin.Standing {
	standing := *finishedShift()
	status := *standing.Status
	status.Phase, status.Finished, status.Holder = rollout.Held, time.Time{}, "runner@ci/7"
	standing.Status, standing.Message, standing.Next = &status, "held in phase hold: interrupted by signal: interrupt", "kubectl bluegreen resume"
	return standing
}

// then plays post after main, with what main has left.
func (j *job) then(t *testing.T, command func(environment plugin.Environment, line []string) int) (code int, lines []string) {
	t.Helper()
	for name, value := range j.state() {
		j.variables["STATE_"+name] = value
	}
	j.log.Reset()
	code = j.run(t.Context(), partPost, func(_ context.Context, environment plugin.Environment, line []string) int {
		lines = append(lines, strings.Join(line, " "))
		return command(environment, line)
	})
	return code, lines
}

func TestPostAfterACancelThatHandsOver(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "INPUT_ARGS": "svc/shop --to green -n store"})
	if code := cancelled(t, j, heldRun()); code != plugin.ExitHeld {
		t.Errorf("exit code %d", code)
	}
	if state := j.state(); state["finished"] != "" || state["run-id"] == "" {
		t.Fatalf("the state is %v", state)
	}
	code, lines := j.then(t, func(environment plugin.Environment, _ []string) int {
		environment.Observer.Stood(heldRun())
		return plugin.ExitDone
	})
	if code != plugin.ExitDone || !cmp.Equal(lines, []string{"status svc/shop --namespace=store"}) {
		t.Errorf("exit code %d after %q", code, lines)
	}
	if got := j.log.String(); !strings.Contains(got, "::warning title=bluegreen::the step was cut off; run 20261122-120000-k7f3q was left in phase held%0Anext: kubectl bluegreen resume\n") {
		t.Error(got)
	}
	if last := j.bodies[len(j.bodies)-1]; last["state"] != "failure" {
		t.Errorf("the deployment is %v", last)
	}
}

func TestPostAfterACancelThatRollsBack(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "INPUT_ARGS": "svc/shop --to green -n store", "INPUT_ON-CANCEL": "rollback"})
	cancelled(t, j, heldRun())
	status := heldRun()
	roll := func(environment plugin.Environment, line []string) int {
		if line[0] == "rollback" {
			status.Status.Phase, status.Status.Finished, status.Message = rollout.RolledBack, time.Unix(1, 0), "rolled back as asked"
		}
		environment.Observer.Stood(status)
		return plugin.ExitDone
	}
	code, lines := j.then(t, roll)
	if code != plugin.ExitDone || !cmp.Equal(lines, []string{"status svc/shop --namespace=store", "rollback --run=20261122-120000-k7f3q --reason=the workflow was cancelled svc/shop --namespace=store"}) {
		t.Errorf("exit code %d after %q", code, lines)
	}
	if !strings.Contains(j.summary(), "↩️ rolled back") {
		t.Error(j.summary())
	}
	// Once more: nothing is left to do, whether or not the runner has kept that.
	if _, again := j.then(t, roll); len(again) > 0 {
		t.Errorf("post that had finished does %q", again)
	}
	os.Remove(j.variables["GITHUB_STATE"])
	j.variables["STATE_finished"] = ""
	if _, again := j.then(t, roll); !cmp.Equal(again, lines[:1]) {
		t.Errorf("post that was done does %q", again)
	}
}

// A process that was killed seems to drive its run until its lease runs out.
func TestPostWaitsForAKilledMainToFallSilent(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "STATE_command": "shift", "STATE_run-id": "20261122-120000-k7f3q", "STATE_holder": "runner@ci/7"})
	looks := 0
	environment := environmentOf(j.variables, &j.log, func(_ context.Context, environment plugin.Environment, _ plugin.Streams, _ []string) int {
		standing := heldRun()
		standing.Status.Phase, standing.Open, standing.Message, standing.Next = rollout.Hold, true, "", "kubectl bluegreen status -w"
		if looks++; looks > 3 {
			standing.Status.Silent, standing.Next = true, "kubectl bluegreen resume"
		}
		environment.Observer.Stood(standing)
		return plugin.ExitDone
	})
	environment.Plugin.Clock = patient{clock.RealClock{}}
	if code := Run(t.Context(), environment, []string{partPost}); code != plugin.ExitDone || looks != 4 {
		t.Errorf("exit code %d after %d looks", code, looks)
	}
	if got := j.log.String(); !strings.Contains(got, "was left in phase hold, and nobody drives it%0Anext: kubectl bluegreen resume\n") {
		t.Error(got)
	}
}

// patient is a clock whose waits are over at once.
type patient struct{ clock.RealClock }

func (patient) After(time.Duration) <-chan time.Time { return hurried{}.After(0) }

// A run that has come to its end although a signal came needs nobody.
func TestACancelThatCameTooLate(t *testing.T) {
	j := newJob(t, map[string]string{"INPUT_COMMAND": "shift", "INPUT_ON-CANCEL": "rollback"})
	cancelled(t, j, *finishedShift())
	if j.state()["finished"] != "true" {
		t.Errorf("the state is %v", j.state())
	}
	if _, lines := j.then(t, func(plugin.Environment, []string) int { return plugin.ExitDone }); len(lines) > 0 {
		t.Errorf("post does %q", lines)
	}
}

// Only the run that main has driven is ever rolled back.
func TestFate(t *testing.T) {
	mine := heldRun()
	ofGuard := heldRun()
	ofGuard.Open, ofGuard.Status.Phase, ofGuard.Status.Holder = true, rollout.Watch, "pod"
	killed := heldRun()
	killed.Open, killed.Status.Phase, killed.Status.Holder, killed.Status.Silent = true, rollout.Preflight, "runner@ci/7", true
	past := finishedShift()
	past.Status.Holder = "runner@ci/7"
	tests := map[string]struct {
		run      string
		standing *plugin.Standing
		want     map[string]fate
	}{
		"it is main's, which had said no word of it": {"", &killed, map[string]fate{rollBack: goesBack, handOver: left}},
		"a past one of such a holder":                {"", past, map[string]fate{rollBack: unbegun, handOver: unbegun}},
		"nobody answers":                             {"20261122-120000-k7f3q", nil, map[string]fate{rollBack: unseen, handOver: unseen}},
		"none had begun":                             {"", &ofGuard, map[string]fate{rollBack: unbegun, handOver: unbegun}},
		"another run":                                {"20261122-110000-aaaaa", &mine, map[string]fate{rollBack: replaced, handOver: replaced}},
		"it has ended":                               {"20261122-120000-k7f3q", finishedShift(), map[string]fate{rollBack: ended, handOver: ended}},
		"it is held":                                 {"20261122-120000-k7f3q", &mine, map[string]fate{rollBack: goesBack, handOver: left}},
		"a guard goes on":                            {"20261122-120000-k7f3q", &ofGuard, map[string]fate{rollBack: goesBack, handOver: left}},
		"there never was one":                        {"20261122-120000-k7f3q", &plugin.Standing{Status: &rollout.RunStatus{}}, map[string]fate{rollBack: replaced, handOver: replaced}},
	}
	for name, test := range tests {
		for policy, want := range test.want {
			if got := fateOf(remembered{run: test.run, holder: "runner@ci/7"}.recognised(test.standing), test.standing, policy); got != want {
				t.Errorf("%s, %s: %q, expected %q", name, policy, got, want)
			}
		}
	}
}

// Each command of the table is one of the plugin's.
func TestCommandsAreThePlugins(t *testing.T) {
	for _, one := range commands() {
		environment := environmentOf(nil, io.Discard, nil).Plugin
		out := &bytes.Buffer{}
		streams := plugin.Streams{}
		streams.In, streams.Out, streams.ErrOut = strings.NewReader(""), out, out
		if code := plugin.Run(t.Context(), environment, streams, []string{one.name, "--help"}); code != plugin.ExitDone || !strings.Contains(out.String(), "kubectl bluegreen "+one.name) {
			t.Errorf("%s --help ends with %d:\n%s", one.name, code, out)
		}
		if !slices.Contains(strings.Split(names(commands()), ", "), one.name) {
			t.Errorf("%s is not told", one.name)
		}
	}
}
