package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// route is a Router whose route is in memory.
type route struct {
	traffic.Route
	failure error
	// ready are the pods that it would select.
	ready map[string]int
	// asked is told of a stop, where somebody listens.
	asked chan string
	// reads and looked are called when the route is read, and when who would
	// receive is looked at.
	reads, looked func()
	// weighs: it can give each side a part.
	weighs bool
	// keeps: its proxy wants pods of both sides.
	keeps bool
}

func (r *route) Read(context.Context) (traffic.Route, error) {
	if r.reads != nil {
		r.reads()
	}
	return r.Route, r.failure
}

func (r *route) Plan(read traffic.Route, to traffic.Split, fence cluster.Fence) (traffic.Patch, error) {
	body, err := json.Marshal(fence)
	return traffic.Patch{Object: read.Object, Body: body, From: read.Split, To: to}, err
}

func (r *route) After(read traffic.Route, patch traffic.Patch) (traffic.Route, error) {
	read.Split, read.Preview = patch.To, patch.Preview
	return read, json.Unmarshal(patch.Body, &read.Fence)
}

// obeys marks a patch that takes a stop off.
const obeys types.PatchType = "obeys"

func (r *route) Obeyed(read traffic.Route, fence cluster.Fence) (traffic.Patch, error) {
	patch, err := r.Plan(read, read.Split, fence)
	patch.Type = obeys
	return patch, err
}

func (r *route) Write(_ context.Context, patch traffic.Patch, _ bool) (traffic.Route, error) {
	if patch.Type == obeys {
		r.Route.Stop = ""
	}
	if !r.Split.Equal(patch.To) {
		if origin := r.Split.Sole(); origin != "" {
			r.Origin = origin
		}
		r.Previous, r.Route.Stop = r.Split, ""
	}
	r.Split = patch.To
	return r.Route, json.Unmarshal(patch.Body, &r.Fence)
}

func (r *route) Prove(_ context.Context, split traffic.Split) (traffic.Proof, error) {
	return traffic.Proof{Proven: r.Split.Equal(split), Message: "as it is"}, nil
}

func (r *route) Stop(_ context.Context, reason string) error {
	r.Route.Stop = reason
	if r.asked != nil {
		r.asked <- reason
	}
	return nil
}

func (r *route) Receivers(_ context.Context, color string) (int, error) {
	if r.looked != nil {
		r.looked()
	}
	return r.ready[color], nil
}

func (r *route) Capabilities() traffic.Capabilities {
	return traffic.Capabilities{Weights: r.weighs, KeepsBothSides: r.keeps}
}
func (r *route) Undo(_ traffic.Route, color string) string { return "give everything to " + color }

// deployment is a colour's, with its pods ready.
func deployment(color string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"version": color}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color, Namespace: "shop"},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To(replicas), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}},
		Status: appsv1.DeploymentStatus{Replicas: replicas, ReadyReplicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: replicas},
	}
}

// pod is a ready pod of a colour.
func pod(color string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color + "-1", Namespace: "shop", Labels: map[string]string{"version": color}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

// newRunner is a runner over a cluster that is not there: blue has given
// everything to green.
func newRunner(t *testing.T, objects ...runtime.Object) (*Runner, *route, func(verb, resource string, react clienttesting.ReactionFunc)) {
	t.Helper()
	client, clientset := clustertest.New(objects...)
	client.Namespace = "shop"
	document := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{
		Colors: map[string]release.Color{
			"blue":  {Workloads: []release.Workload{{Kind: "deployment", Name: "shop-blue"}}, Selector: map[string]string{"version": "blue"}},
			"green": {Workloads: []release.Workload{{Kind: "deployment", Name: "shop-green"}}, Selector: map[string]string{"version": "green"}},
		},
		Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc"}, Drain: release.DrainNone},
	}}
	release.ApplyDefaults(document)
	production := &route{ready: map[string]int{"blue": 2, "green": 2}, Route: traffic.Route{Object: "service/svc", Namespace: "shop", Split: traffic.Whole("green"), Previous: traffic.Whole("blue"), Origin: "blue"}}
	return &Runner{
		Client: client, Release: document, Router: production, Clock: clock.RealClock{}, Holder: "ana@laptop/1",
		Journal: journal.New(client.Kubernetes, "shop", "shop", clock.RealClock{}),
	}, production, clientset.PrependReactor
}

func TestRollbackByTheLiveObjectsAlone(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if production.Split.Sole() != "blue" || production.Fence.Epoch == 0 {
		t.Errorf("route = %s at epoch %d, want blue, stamped", production.Split, production.Fence.Epoch)
	}
	green, err := runner.Client.Workload(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "shop-green"})
	if err != nil || green.Replicas != 0 || green.Object.GetAnnotations()[cluster.AnnotationReplicas] != "2" {
		t.Errorf("green has %d replicas, recorded %v, %v", green.Replicas, green.Object.GetAnnotations(), err)
	}
}

// Between two steps the split before the last write says no more who had
// everything: the route's origin does.
func TestRollbackBetweenStepsByTheLiveObjectsAlone(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	production.Split, production.Previous = traffic.Between("green", "blue", 50), traffic.Between("green", "blue", 25)
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}

	again, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	production.Split, production.Previous = traffic.Whole("blue"), traffic.Between("green", "blue", 50)
	if outcome, err := again.Rollback(t.Context(), RollbackRequest{}); err == nil || production.Split.Sole() != "blue" {
		t.Errorf("back from where it came from: outcome = %+v, route %s", outcome, production.Split)
	}
}

// The split before a rollback is the side that was found bad: a second
// rollback must not go there.
func TestSecondRollbackStaysWhereItIs(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	if outcome, err := runner.Rollback(t.Context(), RollbackRequest{}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("first rollback: %+v, %v", outcome, err)
	}
	again := &Runner{Client: runner.Client, Release: runner.Release, Router: production, Clock: runner.Clock, Holder: "bob@laptop/2", Journal: runner.Journal}
	outcome, err := again.Rollback(t.Context(), RollbackRequest{Force: true})
	if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, "already: blue") {
		t.Errorf("second rollback: %+v, %v", outcome, err)
	}
	if production.Split.Sole() != "blue" {
		t.Errorf("route = %s, want blue", production.Split)
	}
}

// A run that reaches its goal before it sees that it was asked to go back is
// rolled back by the process that asked.
func TestRollbackBesideARunThatIsDoneFirst(t *testing.T) {
	t.Parallel()
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(t.Context(), State{Phase: Drain, From: "blue", To: "green", Moved: true, Started: start}, string(Drain)); err != nil {
		t.Fatal(err)
	}
	production.asked = make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		<-production.asked
		ended <- errors.Join(
			tenure.Save(t.Context(), State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start}, string(Done)),
			tenure.Finish(t.Context(), string(Done)))
	}()
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
}

// A run that ends between the look at it and the lease is gone back from, or is
// nothing to resume.
func TestARunThatEndsMeanwhile(t *testing.T) {
	for _, test := range []struct {
		command   string
		end       State
		wantRoute string
		says      string
	}{
		{"rollback", State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start}, "blue", "blue serves"},
		{"rollback", State{Phase: RolledBack, From: "green", To: "blue", Moved: true, Started: start}, "green", "already: green"},
		{"resume", State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start}, "green", "nothing to resume"},
	} {
		t.Run(test.command+" after "+string(test.end.Phase), func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
			if err != nil {
				t.Fatal(err)
			}
			if err := tenure.Save(t.Context(), State{Phase: Held, Resume: Drain, From: "blue", To: "green", Moved: true, Started: start}, string(Held)); err != nil {
				t.Fatal(err)
			}
			finish := sync.OnceFunc(func() {
				if err := errors.Join(tenure.Save(t.Context(), test.end, string(test.end.Phase)), tenure.Finish(t.Context(), string(test.end.Phase))); err != nil {
					t.Error(err)
				}
			})
			var outcome Outcome
			if test.command == "resume" {
				production.reads = finish
				outcome, err = runner.Resume(t.Context())
			} else {
				production.looked = finish
				outcome, err = runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			}
			if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, test.says) || production.Split.Sole() != test.wantRoute {
				t.Errorf("outcome = %+v, %v with route %s, want %s and %q", outcome, err, production.Split, test.wantRoute, test.says)
			}
		})
	}
}

// A run that goes back already needs no stop, which would be left on the route
// in the way of the next shift.
func TestRollbackBesideARunThatGoesBack(t *testing.T) {
	t.Parallel()
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Revert, From: "blue", To: "green", Moved: true, Started: start, Because: broken.Because}
	if err := tenure.Save(t.Context(), state, string(Revert)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	runner.Progress = func(event Event) {
		if strings.Contains(event.Message, "goes back already") {
			state.Phase = RolledBack
			ended <- errors.Join(tenure.Save(t.Context(), state, string(RolledBack)), tenure.Finish(t.Context(), string(RolledBack)))
		}
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err != nil || outcome.Code != CodeRolledBack || production.Route.Stop != "" {
		t.Errorf("outcome = %+v, %v; stop %q", outcome, err, production.Route.Stop)
	}
}

func TestRollbackToNothingIsRefused(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
	production.ready = nil // whatever the Deployment says
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeBlocked || production.Split.Sole() != "green" {
		t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
}

// One refused write of the journal must not keep a run from going back.
func TestJournalThatFailsOnceIsWrittenAgain(t *testing.T) {
	t.Parallel()
	runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	updates := 0
	prepend("update", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		if updates++; updates%2 == 0 {
			return true, nil, apierrors.NewServiceUnavailable("just now")
		}
		return false, nil, nil
	})
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("route = %s after %d writes: %+v, %v", production.Split, updates, outcome, err)
	}
}

func TestGuard(t *testing.T) {
	for name, test := range map[string]struct {
		phase   Phase
		failure error
		want    Kind
	}{
		"a label is gone":                   {Watch, traffic.ErrNoColor, Rival},
		"the Service is gone":               {Watch, apierrors.NewNotFound(corev1.Resource("services"), "svc"), Rival},
		"the API server is away":            {Watch, apierrors.NewServiceUnavailable("away"), Waiting},
		"the way back tells its own errors": {Revert, errors.New("away"), Succeeded},
		"nothing is ended without a look":   {End, apierrors.NewServiceUnavailable("away"), Waiting},
		"the route is as this run left it":  {Watch, nil, Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tenure.Release(context.WithoutCancel(t.Context())) }()
			runner.tenure, runner.policy, production.failure = tenure, PolicyOf(runner.Release), test.failure
			production.Fence = tenure.Fence()
			state := State{Phase: test.phase, From: "blue", To: "green", Moved: true}
			if _, seen := runner.guard(t.Context(), state); seen.Kind != test.want {
				t.Errorf("guard = %s (%s), want %s", seen.Kind, seen.Message, test.want)
			}
		})
	}
}

// A record that can't be read keeps nobody from going back.
func TestRollbackPastADamagedRecord(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	if outcome, err := runner.Rollback(t.Context(), RollbackRequest{}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("first rollback: %+v, %v", outcome, err)
	}
	records := runner.Client.Kubernetes.CoreV1().ConfigMaps("shop")
	record, err := records.Get(t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for key := range record.Data {
		record.Data[key] = "{ damaged"
	}
	if _, err := records.Update(t.Context(), record, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	production.Split, production.Previous, production.Origin = traffic.Whole("green"), traffic.Whole("blue"), "blue"
	again := &Runner{Client: runner.Client, Release: runner.Release, Router: production, Clock: runner.Clock, Holder: "bob@laptop/2", Journal: runner.Journal}
	outcome, err := again.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
}

// How long others wait for a process that was killed is what it was told.
func TestLeaseLastsAsLongAsTheRunnerSays(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: journal.DefaultLeaseDuration, 4 * time.Second: 4 * time.Second} {
		runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		runner.LeaseDuration = given
		if outcome, err := runner.Rollback(t.Context(), RollbackRequest{}); err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		if beat, err := runner.Journal.Heartbeat(t.Context()); err != nil || beat.Duration != want {
			t.Errorf("a lease of %s, %v; want one of %s", beat.Duration, err, want)
		}
	}
}
