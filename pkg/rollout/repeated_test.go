package rollout

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// record keeps runs that have ended.
func record(t *testing.T, runner *Runner, states ...State) {
	t.Helper()
	for index, state := range states {
		recordOne(t, runner, fmt.Sprintf("20261122-15301%d-k7f3q", index), state)
	}
}

// recordOne keeps a run that has ended in some state.
func recordOne(t *testing.T, runner *Runner, id string, state any) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "ci/1"}, journal.Run{ID: id, Release: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(t.Context(), state, "Blocked"); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Finish(t.Context(), "Blocked"); err != nil {
		t.Fatal(err)
	}
}

// A workflow that is run again asks for what it has shifted to, and not for the colour
// that is idle by then.
func TestAShiftThatWasMadeBefore(t *testing.T) {
	const workflow = "https://github.example/acme/shop/actions/runs/42"
	mine := State{Phase: Done, From: "blue", To: "green", Trigger: workflow, Moved: true, Started: start}
	with := func(change func(*State)) State { state := mine; change(&state); return state }
	rolledBack := with(func(s *State) { s.Phase = RolledBack })
	blocked := with(func(s *State) { s.Phase, s.From, s.To, s.Moved = Blocked, "green", "blue", false })
	another := with(func(s *State) { s.Trigger = "https://github.example/acme/shop/actions/runs/41" })
	finish := State{Phase: Decommissioned, From: "blue", To: "green", Moved: true, Started: start, Finish: &Finish{Idle: "blue", Live: "green"}}
	tests := map[string]struct {
		runs    []State
		request ShiftRequest
		live    string
		made    bool
	}{
		"by the same run of a workflow":       {[]State{mine}, ShiftRequest{Trigger: workflow}, "green", true},
		"and another was blocked since":       {[]State{mine, blocked}, ShiftRequest{Trigger: workflow}, "green", true},
		"and the old side was decommissioned": {[]State{mine, finish}, ShiftRequest{Trigger: workflow}, "green", true},
		"but the colour is named":             {[]State{mine}, ShiftRequest{Trigger: workflow, To: "blue"}, "green", false},
		"but a person asks":                   {[]State{mine}, ShiftRequest{}, "green", false},
		"by another run of a workflow":        {[]State{another}, ShiftRequest{Trigger: workflow}, "green", false},
		"and another has shifted since":       {[]State{mine, another}, ShiftRequest{Trigger: workflow}, "green", false},
		"by a person":                         {[]State{with(func(s *State) { s.Trigger = "" })}, ShiftRequest{Trigger: workflow}, "green", false},
		"and rolled back":                     {[]State{rolledBack}, ShiftRequest{Trigger: workflow}, "blue", false},
		"and was blocked":                     {[]State{blocked}, ShiftRequest{Trigger: workflow}, "green", false},
		"and given back by hand":              {[]State{mine}, ShiftRequest{Trigger: workflow}, "blue", false},
		"never":                               {nil, ShiftRequest{Trigger: workflow}, "green", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			production.Split = traffic.Whole(test.live)
			record(t, runner, test.runs...)
			_, begins, refusal, err := runner.admit(t.Context(), test.request)
			if err != nil || (refusal != nil) != test.made {
				t.Fatalf("outcome = %+v, %v", refusal, err)
			}
			if refusal == nil {
				if begins.Trigger != test.request.Trigger {
					t.Errorf("it begins as %+v", begins)
				}
				return
			}
			says := "already: green serves service/svc since run 20261122-153010-k7f3q, which " + workflow + " began too; --to blue shifts all the same"
			if refusal.Code != CodeDone || !strings.Contains(refusal.Message, says) || refusal.Status.Phase != Done || refusal.Status.Trigger != workflow {
				t.Errorf("outcome = %+v", refusal)
			}
		})
	}
}

// Where it can't be told whether a workflow has shifted before, it does not shift back by
// mistake: what may pass is asked again, and whoever names the colour needs no answer.
func TestAShiftOfWhichNobodyKnowsWhetherItWasMade(t *testing.T) {
	const workflow = "https://github.example/acme/shop/actions/runs/42"
	mine := State{Phase: Done, From: "blue", To: "green", Trigger: workflow, Moved: true, Started: start}
	blocked := State{Phase: Blocked, From: "green", To: "blue", Trigger: workflow, Started: start}
	failing := func(times int, err error) func(*testing.T, *Runner, reaction) {
		return func(_ *testing.T, _ *Runner, react reaction) {
			react("list", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
				times--
				return times >= 0, nil, err
			})
		}
	}
	broken, slow := errors.New("database is broken"), apierrors.NewServerTimeout(schema.GroupResource{Resource: "configmaps"}, "list", 0)
	for name, test := range map[string]struct {
		breaks func(*testing.T, *Runner, reaction)
		to     string
		want   string
	}{
		"the past runs can't be listed":    {failing(1000, broken), "", "database is broken"},
		"the API server is slow":           {failing(3, slow), "", ""},
		"a past run can't be read":         {damagePast, "", "its record is damaged"},
		"a past state is none":             {stateless, "", "read the state of run 20261122-153019-k7f3q: "},
		"but whoever asks names the color": {failing(1000, broken), "blue", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, production, react := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			production.Split = traffic.Whole("green")
			record(t, runner, mine, blocked)
			test.breaks(t, runner, react)
			_, begins, refusal, err := runner.admit(t.Context(), ShiftRequest{Trigger: workflow, To: test.to})
			if test.want == "" {
				if err != nil || (refusal != nil) != (test.to == "") {
					t.Fatalf("outcome = %+v, %v", refusal, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || begins.To != "" || !strings.HasPrefix(release.HintOf(err), "--to COLOR shifts whatever was done before") {
				t.Errorf("it begins as %+v, %v, hint %q", begins, err, release.HintOf(err))
			}
		})
	}
}

// What came before the last move says nothing of it, and may be damaged.
func TestAnOlderRunThatCantBeRead(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	production.Split = traffic.Whole("green")
	moved := State{Phase: Done, From: "blue", To: "green", Trigger: "runs/42", Moved: true, Started: start}
	blocked := State{Phase: Blocked, From: "green", To: "blue", Trigger: "runs/43", Started: start}
	record(t, runner, State{Phase: Done, From: "green", To: "blue", Moved: true, Started: start})
	recordOne(t, runner, "20261122-153018-k7f3q", moved)
	damagePast(t, runner, nil) // the next run archives the one before it again
	recordOne(t, runner, "20261122-153019-k7f3q", blocked)
	for trigger, made := range map[string]bool{"runs/42": true, "runs/44": false} {
		_, begins, refusal, err := runner.admit(t.Context(), ShiftRequest{Trigger: trigger})
		if err != nil || (refusal != nil) != made || (begins.To == "blue") == made {
			t.Errorf("%s begins as %+v, outcome %+v, %v", trigger, begins, refusal, err)
		}
	}
}

// reaction prepends what the API server answers.
type reaction = func(verb, resource string, react clienttesting.ReactionFunc)

// damagePast makes what is kept of past runs no record.
func damagePast(t *testing.T, runner *Runner, _ reaction) {
	t.Helper()
	objects := runner.Client.Kubernetes.CoreV1().ConfigMaps("shop")
	found, err := objects.List(t.Context(), metav1.ListOptions{LabelSelector: "bluegreen.dev/run"})
	if err != nil || len(found.Items) == 0 {
		t.Fatalf("%d past runs, %v", len(found.Items), err)
	}
	for index := range found.Items {
		found.Items[index].BinaryData["run.json.gz"] = []byte("damaged")
		if _, err := objects.Update(t.Context(), &found.Items[index], metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// stateless adds a run whose state is another type's.
func stateless(t *testing.T, runner *Runner, _ reaction) {
	t.Helper()
	recordOne(t, runner, "20261122-153019-k7f3q", "a text")
}
