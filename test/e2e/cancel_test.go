package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/runner"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// actionVariable names a bluegreen-action that is built already.
const actionVariable = "BLUEGREEN_ACTION"

// engine is the Action's program, built once.
var engine struct {
	once sync.Once
	path string
	err  error
}

func action(t *testing.T) string {
	t.Helper()
	engine.once.Do(func() {
		if engine.path = os.Getenv(actionVariable); engine.path != "" {
			return
		}
		engine.path = filepath.Join(lab.Current(t).Folder(), "shop", "bluegreen-action")
		engine.err = compile.Static(t.Context(), place(t).Source, "./cmd/bluegreen-action", engine.path)
	})
	if engine.err != nil {
		t.Fatal(engine.err)
	}
	return engine.path
}

// A workflow is cancelled while it shifts, at moments of which each finds other
// things moved, and by each policy: to roll back, and to hand over to a guard that
// goes back, or on, or to a person. Once the engine is frozen, so that nothing but
// SIGKILL ends it and all is left to post. Whatever it is, one colour has everything in the end, proven;
// the post part is done twice, and the second time finds nothing to do; and nobody
// loses a request.
func TestCancelledWorkflowEndsOnOneColor(t *testing.T) {
	slow := shop.Slot{Env: map[string]string{"FAULT_SLOW_START": "6s"}}
	s := open(t, shop.Options{Route: shop.HTTPRoute, Green: slow, Release: slowly})
	s.jobs()
	run := s.production(keepAliveClients, freshClients)
	former := "" // the run before
	for _, test := range []struct {
		name     string
		when     rollout.Phase
		onCancel string
		// guard is the policy of the guard, and byHand what a person types where there
		// is none and nothing is rolled back; "" for neither.
		guard, byHand string
		// ends is the colour that has everything, and as the phase then.
		ends string
		as   []rollout.Phase
		// frozen is an engine that hears no signal.
		frozen bool
	}{
		{"before anything is moved", rollout.WaitReady, "rollback", "", "", shop.Blue, []rollout.Phase{rollout.RolledBack, rollout.Blocked}, false},
		{"at the half", rollout.Hold, "rollback", "", "", shop.Blue, []rollout.Phase{rollout.RolledBack}, false},
		{"at the half, frozen", rollout.Hold, "rollback", "", "", shop.Blue, []rollout.Phase{rollout.RolledBack}, true},
		{"at the half, to a guard", rollout.Hold, "handover", "rollback", "", shop.Blue, []rollout.Phase{rollout.RolledBack}, false},
		{"at the half, to a person", rollout.Hold, "handover", "", "rollback", shop.Blue, []rollout.Phase{rollout.RolledBack}, false},
		{"in the watch, to a guard", rollout.Watch, "handover", "continue", "", shop.Green, []rollout.Phase{rollout.Done}, false},
	} {
		passed := t.Run(test.name, func(t *testing.T) {
			s := &scenario{t: t, shop: s.shop}
			// What was cancelled before anything was moved leaves green's pods to start.
			if former != "" {
				s.await("green is ready, if it is to run", func(ctx context.Context) error { return s.shop.AwaitReady(ctx, shop.Green) })
			}
			before := run.Counts()
			step := s.step(map[string]string{"command": "shift", "on-cancel": test.onCancel, "args": guard(test.guard)})
			moment := s.reaches(step, former, test.when)
			former = moment.ID
			if test.frozen {
				if err := step.Freeze(); err != nil {
					t.Fatal(err)
				}
			}
			killed, err := step.Cancel(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("cancelled in phase %s; only SIGKILL ended it: %v", moment.Phase, killed)
			if test.frozen && !killed {
				t.Error("it heard a signal though it was frozen")
			}
			posted := s.post(step)
			if test.byHand != "" {
				says(t, posted.Stdout, "was left in phase held", "kubectl bluegreen resume")
				s.run(rollout.CodeDone, test.byHand)
			}
			s.eventually("the run has ended", func() bool { return s.now().Phase.Terminal() && s.now().Phase != rollout.Held })
			s.endsAs(moment.ID, test.ends, test.as)
			if !killed { // who is killed tells nothing; that post did the rest is in its log
				s.tellsOf(step, moment.ID)
			}
			if again := s.post(step); strings.Contains(again.Stdout, "revert") {
				t.Errorf("post has found something to do again:\n%s", again.Stdout)
			}
			s.lostNothingToKills("a cancelled workflow, "+test.name, run.Counts().Since(before))
			s.onlyVersion(run, map[string]string{shop.Blue: blueVersion, shop.Green: greenVersion}[test.ends])
		})
		if !passed {
			return // the next would begin on a release that stands nobody knows how
		}
	}
}

// reaches waits until a run of the step is in a phase. Until it has begun, status
// tells of the former one.
func (s *scenario) reaches(step *runner.Step, former string, phase rollout.Phase) *rollout.RunStatus {
	s.t.Helper()
	var status *rollout.RunStatus
	s.eventually("the step is in phase "+string(phase), func() bool {
		select {
		case <-step.Process().Done():
			result, _ := step.Process().Wait()
			s.t.Fatalf("the step ended with %d before it was in phase %s\n%s%s", result.Code, phase, result.Stdout, result.Stderr)
		default:
		}
		result, err := s.shop.Run(s.t.Context(), "status", "-o", "json")
		if err != nil {
			s.t.Fatal(err)
		}
		if status, err = result.Status(); err != nil {
			return false // there is none yet
		}
		return status.ID != former && status.Phase == phase
	})
	return status
}

// slowly leaves time to cancel a shift in each of its phases.
func slowly(document *release.Release) {
	watching(40 * time.Second)(document)
	document.Spec.Traffic.Steps = []release.Step{{Weight: 50, Hold: release.Duration(40 * time.Second)}, {Weight: 100}}
}

// guard is the further flags of a shift with a guard, none for "".
func guard(policy string) string {
	if policy == "" {
		return ""
	}
	return strings.Join(guarded(policy)[1:], "\n")
}

// step starts the main part of the Action.
func (s *scenario) step(inputs map[string]string) *runner.Step {
	s.t.Helper()
	return s.started(runner.Options{Inputs: inputs})
}

// started starts the main part of the Action in the shop's folder.
func (s *scenario) started(options runner.Options) *runner.Step {
	s.t.Helper()
	options.Entry, options.Engine = filepath.Join(place(s.t).Source, "action", "entry"), action(s.t)
	options.Checkout, options.Temp = s.shop.Folder, s.t.TempDir()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), hang)
	step, err := runner.Start(ctx, place(s.t), options)
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		<-step.Process().Done()
	})
	return step
}

// post runs the post part.
func (s *scenario) post(step *runner.Step) shop.Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), hang)
	defer cancel()
	result, err := step.Post(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("post: exit code %d after %s\n%s%s", result.Code, result.Took.Round(100*time.Millisecond), result.Stdout, result.Stderr)
	return result
}

// endsAs fails the test unless the run that was cancelled has ended with
// everything on one colour.
func (s *scenario) endsAs(id, color string, phases []rollout.Phase) {
	s.t.Helper()
	status := s.now()
	ended := false
	for _, phase := range phases {
		ended = ended || status.Phase == phase
	}
	if !ended || status.ID != id {
		s.t.Errorf("run %s ended as %s (%s), want %s as one of %v", status.ID, status.Phase, status.Reason, id, phases)
	}
	s.serves(color)
	if share, err := s.shop.Share(s.t.Context(), color); err != nil || share != 100 {
		s.t.Errorf("production gives %g %% to %s, %v", share, color, err)
	}
}

// tellsOf fails the test unless the step tells which run it was.
func (s *scenario) tellsOf(step *runner.Step, id string) {
	s.t.Helper()
	outputs, err := step.Outputs()
	if err != nil || outputs["run-id"] != id || outputs["verdict"] == "" {
		s.t.Errorf("outputs = %v, %v; want a verdict on run %s", outputs, err, id)
	}
	if shown, err := step.Summary(); err != nil || !strings.Contains(shown, id) {
		s.t.Errorf("the summary does not tell of run %s: %v\n%s", id, err, shown)
	}
}

// tells waits for a step and fails the test unless it ends with a code and tells a
// verdict and where its files are. It returns the outputs.
func (s *scenario) tells(step *runner.Step, code int, verdict string) map[string]string {
	s.t.Helper()
	result, err := step.Process().Wait()
	if err != nil {
		s.t.Fatal(err)
	}
	outputs := outputsOf(s.t, step)
	s.t.Logf("exit code %d, outputs %v\n%s", result.Code, outputs, result.Stdout)
	if result.Code != code || outputs["verdict"] != verdict {
		s.t.Fatalf("exit code %d and verdict %q, want %d and %q\n%s", result.Code, outputs["verdict"], code, verdict, result.Stderr)
	}
	if files, err := os.ReadDir(outputs["report"]); err != nil || len(files) == 0 {
		s.t.Errorf("nothing is in the report folder %q: %v", outputs["report"], err)
	}
	if shown, err := step.Summary(); err != nil || shown == "" {
		s.t.Errorf("the step has no summary: %v", err)
	}
	return outputs
}

func outputsOf(t *testing.T, step *runner.Step) map[string]string {
	t.Helper()
	outputs, err := step.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}
