package rollout

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// spare is a pod that a killed trial has left.
func spare(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: "1", Labels: map[string]string{traffic.LabelPurpose: traffic.PurposeTermination}}}
}

// killedIn leaves an unfinished run whose process has died in a phase, in the
// midst of everything that it could do.
func killedIn(t *testing.T, runner *Runner, phase Phase) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	var intents []journal.Entry
	for _, subject := range [][2]string{{"trial", "deployment/shop-blue"}, {"switch", "service/svc"}, {"scale", "deployment/shop-green"}, {"recycle", "deployment/shop-blue"}} {
		intents = append(intents, journal.Entry{Kind: journal.Intent, Action: subject[0], Object: subject[1]})
	}
	if err := tenure.Save(t.Context(), State{Phase: phase, From: "blue", To: "green", Moved: true, Started: start}, string(phase), intents...); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// line names an entry.
func line(entry journal.Entry) string {
	return strings.TrimSpace(string(entry.Kind) + " " + entry.Action + " " + entry.Object)
}

// What a killed process has announced and not answered is answered with what is
// found, and its spare pod is removed; at once where the run goes on, and after
// traffic where it goes back.
func TestWhatWasLeftOpenIsSettled(t *testing.T) {
	for name, test := range map[string]struct {
		phase        Phase
		drive        func(*Runner) (Outcome, error)
		before       string // an entry that comes after the settling
		after        string // one that comes before it
		live, scaled string
	}{
		"resumed": {Confirm, func(r *Runner) (Outcome, error) { return r.Resume(t.Context()) },
			"transition confirm → drain", "result stamp deployment/shop-green", "service/svc has green=100", "deployment/shop-green wants 2 replicas"},
		"rolled back": {Confirm, func(r *Runner) (Outcome, error) { return r.Rollback(t.Context(), RollbackRequest{}) },
			"", "transition restore → rolled-back", "service/svc has blue=100", ""},
	} {
		t.Run(name, func(t *testing.T) {
			others := []runtime.Object{spare("shop-green-spare-aaaaa"), spare("shop-blue-spare-b-ccccc"), pod("blue")}
			runner, _, _ := newRunner(t, append(others, deployment("blue", 2), deployment("green", 2), spare("shop-blue-spare-bbbbb"))...)
			killedIn(t, runner, test.phase)
			if outcome, err := test.drive(runner); err != nil || outcome.Code != CodeDone {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			run, err := runner.Journal.Current(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if open := journal.Open(run.Entries); len(open) != 0 {
				t.Errorf("left open: %+v", open)
			}
			found := map[string]string{}
			var lines []string
			for _, entry := range run.Entries {
				lines = append(lines, line(entry))
				if message, left := strings.CutPrefix(entry.Message, "left without a result, found: "); left {
					found[line(entry)] = message
				}
			}
			want := map[string]string{
				"result trial deployment/shop-blue": "1 spare pods, which were removed", "result switch service/svc": test.live,
				"result recycle deployment/shop-blue": "what it did is read from the objects where it matters",
			}
			if test.scaled != "" { // a rollback has scaled it itself
				want["result scale deployment/shop-green"] = test.scaled
			}
			if difference := cmp.Diff(want, found); difference != "" {
				t.Errorf("settled (-want +got):\n%s", difference)
			}
			at := slices.Index(lines, "result switch service/svc")
			if !slices.Contains(lines, test.after) || slices.Index(lines, test.after) > at || test.before != "" && slices.Index(lines, test.before) < at {
				t.Errorf("settled at the wrong time: %q", lines)
			}
			pods, err := runner.Client.Kubernetes.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: traffic.LabelPurpose})
			if err != nil || len(pods.Items) != 2 || slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool { return pod.Name == "shop-blue-spare-bbbbb" }) {
				t.Errorf("spare pods that are left: %d, %v", len(pods.Items), err)
			}
		})
	}
}

// A trial that is made again on the way back removes what the killed one has left
// first: once it has its own result, nothing tells of the other any more.
func TestATrialThatIsMadeAgainSweepsFirst(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), spare("shop-blue-spare-bbbbb"), spare("shop-green-spare-ccccc"))
	driving(t, runner, release.DrainNone)
	if err := runner.tenure.Record(t.Context(), journal.Entry{Kind: journal.Intent, Action: "trial", Object: "deployment/shop-blue"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shop-blue", "shop-green"} {
		runner.sweepBefore(t.Context(), release.Workload{Kind: "deployment", Name: name})
	}
	left, err := runner.Client.Kubernetes.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: traffic.LabelPurpose})
	if err != nil || len(left.Items) != 1 || left.Items[0].Name != "shop-green-spare-ccccc" {
		t.Errorf("spare pods that are left: %+v, %v; want green's, of which nothing was left open", left.Items, err)
	}
}

// What can't be looked at, or removed, keeps nobody from going on.
func TestSettlingWithoutRights(t *testing.T) {
	runner, _, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), spare("shop-blue-spare-bbbbb"))
	killedIn(t, runner, Confirm)
	prepend("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("pods"), "shop-blue-spare-bbbbb", nil)
	})
	if outcome, err := runner.Resume(t.Context()); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	run, err := runner.Journal.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if open := journal.Open(run.Entries); len(open) != 0 {
		t.Errorf("left open: %+v", open)
	}
	told := slices.ContainsFunc(run.Entries, func(entry journal.Entry) bool {
		return entry.Action == "trial" && entry.Kind == journal.Result && strings.Contains(entry.Message, "1 spare pods, which end by themselves: ")
	})
	if !told {
		t.Errorf("nothing says that the spare pod is there: %+v", run.Entries)
	}
}

// A run that nobody was killed in writes nothing more than it did.
func TestNothingToSettle(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	if outcome, err := runner.Rollback(t.Context(), RollbackRequest{}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	run, err := runner.Journal.Current(t.Context())
	if err != nil || slices.ContainsFunc(run.Entries, func(entry journal.Entry) bool { return strings.Contains(entry.Message, "left without") }) {
		t.Errorf("settled: %+v, %v", run.Entries, err)
	}
}
