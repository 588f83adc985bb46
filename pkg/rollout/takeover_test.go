package rollout

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// A takeover stamps the autoscaler about which a former process has left an
// intent: its change may still be on its way. One that nobody was about to
// change is left alone.
func TestTakeOverStampsAutoscalersLeftOpen(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), autoscaler("blue", 1, nil), autoscaler("green", 1, nil))
	leftBehind(t, runner, State{Phase: HoldFloor, From: "blue", To: "green", Moved: true, Started: start},
		journal.Entry{Kind: journal.Intent, Action: "floor", Object: autoscalerObject + "shop-blue"})
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	for color, want := range map[string]int64{"blue": outcome.Status.Epoch, "green": 0} {
		found, err := runner.Client.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(t.Context(), "shop-"+color, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if fence, err := cluster.FenceOf(found); err != nil || fence.Epoch != want {
			t.Errorf("%s carries %+v, %v; want epoch %d", found.Name, fence, err, want)
		}
	}
}

// A takeover stamps the objects that a former process was about to apply, as far
// as they exist: what it sent may still be on its way. What it was done with, and
// what it never named, are left alone.
func TestTakeOverStampsWhatWasBeingApplied(t *testing.T) {
	for name, test := range map[string]struct {
		entries []journal.Entry
		stamped bool
	}{
		"still open":  {[]journal.Entry{applyEntry(t, journal.Intent, "svc-green", "gone")}, true},
		"it was done": {[]journal.Entry{applyEntry(t, journal.Intent, "svc-green"), applyEntry(t, journal.Result)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			mapper := meta.NewDefaultRESTMapper(nil)
			mapper.Add(schema.FromAPIVersionAndKind("v1", "Service"), meta.RESTScopeNamespace)
			runner.Client.Mapper = mapper
			clustertest.Dynamic(runner.Client, serviceObject("svc-green"), serviceObject("another"))
			leftBehind(t, runner, State{Phase: Apply, From: "blue", To: "green", Started: start}, test.entries...)
			outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
			if err != nil || outcome.Code != CodeDone {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			for name, want := range map[string]bool{"svc-green": test.stamped, "another": false} {
				found, err := runner.Client.Dynamic.Resource(corev1.SchemeGroupVersion.WithResource("services")).Namespace("shop").Get(t.Context(), name, metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if fence, err := cluster.FenceOf(found); err != nil || (fence.Epoch == outcome.Status.Epoch) != want {
					t.Errorf("%s carries %+v, %v; stamped with epoch %d should be %v", name, fence, err, outcome.Status.Epoch, want)
				}
			}
		})
	}
}

// serviceObject is a Service as the dynamic client holds it.
func serviceObject(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name, "namespace": "shop"},
	}}
}

// applyEntry is what the record keeps of an apply of Services.
func applyEntry(t *testing.T, kind journal.Kind, names ...string) journal.Entry {
	t.Helper()
	var sent applying
	for _, name := range names {
		sent.Objects = append(sent.Objects, cluster.ReferenceOf(serviceObject(name)))
	}
	data, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	return journal.Entry{Kind: kind, Action: "apply", Object: "2 objects", Data: data}
}

// leftBehind is a run of another process that was killed, with what it had on
// record.
func leftBehind(t *testing.T, runner *Runner, state State, entries ...journal.Entry) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(t.Context(), state, string(state.Phase), entries...); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A preflight that only can't know something, for a reason that may pass, asks
// again for a moment; what is wrong, and what won't pass, blocks at once.
func TestPreflightAsksAgain(t *testing.T) {
	transient := preflight.Finding{ID: "BG-MON-02", Outcome: preflight.Unknown, Transient: true, Blocks: true}
	lasting, wrong := transient, transient
	lasting.Transient, wrong.Outcome = false, preflight.Fail
	for name, test := range map[string]struct {
		findings []preflight.Finding
		after    time.Duration
		want     Kind
	}{
		"may pass":            {[]preflight.Finding{transient}, 0, Waiting},
		"does not pass":       {[]preflight.Finding{transient}, askAgainFor, Failed},
		"can't be known":      {[]preflight.Finding{transient, lasting}, 0, Failed},
		"something is wrong":  {[]preflight.Finding{transient, wrong}, 0, Failed},
		"nothing is the case": {nil, 0, Succeeded},
	} {
		runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		clock := clocktesting.NewFakeClock(start)
		runner.Clock = clock
		runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
			report := &preflight.Report{Findings: test.findings}
			if len(test.findings) > 0 {
				report.Verdict, report.Blocking = preflight.VerdictBlocked, []string{"BG-MON-02"}
			}
			return report, nil
		}
		clock.Step(test.after)
		if got := runner.preflight(t.Context(), at(Preflight)); got.Kind != test.want {
			t.Errorf("%s: %+v, want %s", name, got, test.want)
		}
	}
}

// The checks begin once the controllers have seen the stamps; for a controller that
// never sees them they don't wait for ever, and say so.
func TestPreflightWaitsForControllers(t *testing.T) {
	for name, test := range map[string]struct {
		generation, observed int64
		after                time.Duration
		checked              bool
	}{
		"it has seen all":     {4, 4, 0, true},
		"it is behind":        {4, 3, 0, false},
		"it is behind so far": {4, 3, askAgainFor, true},
	} {
		green := deployment("green", 2)
		green.Generation, green.Status.ObservedGeneration = test.generation, test.observed
		runner, _, _ := newRunner(t, deployment("blue", 2), green, pod("blue"))
		clock := clocktesting.NewFakeClock(start)
		runner.Clock = clock
		checked := false
		runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
			checked = true
			return &preflight.Report{}, nil
		}
		clock.Step(test.after)
		if got := runner.preflight(t.Context(), at(Preflight)); checked != test.checked || (got.Kind == Succeeded) != test.checked {
			t.Errorf("%s: checked %v, %+v", name, checked, got)
		}
	}
}
