package rollout

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// inBubble is a test whose clock stands still while anything in it has something
// to do: how slow this machine is decides nothing.
func inBubble(test func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// workshop is a release of workers in a cluster that is not there, and whose
// controllers act all the same, a moment later.
type workshop struct {
	*Runner
	t         *testing.T
	clientset *fake.Clientset

	mu sync.Mutex
	// failing is the share of its jobs that a colour fails, and stuck the colours
	// whose pods don't come up.
	failing map[string]float64
	stuck   string
	// idle is set once no worker was ready, and both once two versions had pods.
	idle, both bool
}

func newWorkshop(t *testing.T, order string, blue, green int32) *workshop {
	t.Helper()
	var objects []runtime.Object
	for color, replicas := range map[string]int32{"blue": blue, "green": green} {
		deployment := routertest.Workers(color, replicas)
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "worker"}}
		objects = append(objects, deployment)
	}
	client, clientset := clustertest.New(objects...)
	client.Namespace = routertest.Namespace
	rel := routertest.WorkersRelease(order)
	rel.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(200 * time.Millisecond)}}
	rel.Spec.Traffic.Watch = release.Duration(400 * time.Millisecond)
	rel.Spec.Gates.Interval = release.Duration(50 * time.Millisecond)
	rel.Spec.Gates.Rules = []release.RuleOverride{
		{ID: "rollback-error-ratio", For: ptr.To(release.Duration(100 * time.Millisecond))},
		{ID: "advance-error-ratio-baseline", Disabled: true},
	}
	release.ApplyDefaults(rel)
	s := &workshop{t: t, clientset: clientset, failing: map[string]float64{}}
	s.Runner = &Runner{
		Client: client, Release: rel, Clock: clock.RealClock{}, Holder: "ana@laptop/1", Artefacts: t.TempDir(),
		Journal: journal.New(client.Kubernetes, "shop", "shop", clock.RealClock{}), Sources: []measure.Source{s},
		Preflight: func(context.Context, string) (*preflight.Report, error) { return &preflight.Report{}, nil },
	}
	var err error
	if s.Router, err = traffic.NewRouter(client, rel, clock.RealClock{}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			s.settle()
			time.Sleep(10 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// settle is what controllers do, and what is looked at after it.
func (s *workshop) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck == "" {
		_ = routertest.Settle(s.clientset, routertest.Namespace) // what is written in between is settled next time
	}
	pods := map[string]int{}
	list, err := s.clientset.CoreV1().Pods("shop").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return
	}
	for _, pod := range list.Items {
		pods[pod.Labels["version"]]++
	}
	s.idle = s.idle || len(pods) == 0
	s.both = s.both || len(pods) == 2
}

func (s *workshop) Name() string                     { return "jobs" }
func (s *workshop) Answers(query measure.Query) bool { return query.Signal == measure.ErrorRatio }

func (s *workshop) Read(_ context.Context, query measure.Query) measure.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	return measure.Reading{Query: query, State: measure.OK, Time: time.Now(), Source: "jobs", Samples: 1000, Value: s.failing[query.Color]}
}

// fails makes a colour fail a share of its jobs.
func (s *workshop) fails(color string, share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[color] = share
}

// again is another process over the same cluster.
func (s *workshop) again() *Runner {
	return &Runner{Client: s.Client, Release: s.Release, Router: s.Router, Clock: s.Clock, Holder: "carl@desk/3", Journal: s.Journal, Sources: s.Sources, Preflight: s.Preflight}
}

// first writes the first part of a move to green, as a run that is killed then.
func (s *workshop) first() {
	s.t.Helper()
	state := State{Phase: Switch, From: "blue", To: "green", Moved: true, Started: s.Clock.Now(), Entered: s.Clock.Now()}
	tenure, err := s.Journal.Acquire(s.t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		s.t.Fatal(err)
	}
	open := journal.Entry{Kind: journal.Intent, Action: "switch", Object: "deployment/orders-blue + deployment/orders-green"}
	if err := tenure.Save(s.t.Context(), state, string(Switch), open); err != nil {
		s.t.Fatal(err)
	}
	for written := false; !written; time.Sleep(5 * time.Millisecond) {
		route, err := s.Router.Read(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		patch, err := s.Router.Plan(route, traffic.Whole("green"), tenure.Fence())
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = s.Router.Write(s.t.Context(), patch, false)
		written = err == nil
	}
	if err := tenure.Release(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// want fails the test unless the two have so many replicas, and unless there was a
// worker at all times, or never two versions.
func (s *workshop) want(blue, green int32) {
	s.t.Helper()
	for color, want := range map[string]int32{"blue": blue, "green": green} {
		workload, err := s.Client.Workload(context.Background(), "shop", release.Workload{Kind: "deployment", Name: "orders-" + color})
		if err != nil || workload.Replicas != want {
			s.t.Errorf("%s has %d replicas, want %d, %v", color, workload.Replicas, want, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Release.Spec.Traffic.Workers.Order == release.NewFirst && s.idle {
		s.t.Error("no worker was ready for a moment")
	}
	if s.Release.Spec.Traffic.Workers.Order == release.OldFirst && s.both {
		s.t.Error("two versions took jobs at once")
	}
}

// A shift scales, in its order, by parts too; a second goes back to where the first
// came from, and a finish has nothing to do.
func TestWorkersAreSwitchedByScaling(t *testing.T) {
	for _, order := range []string{release.NewFirst, release.OldFirst} {
		t.Run(order, inBubble(func(t *testing.T) {
			s := newWorkshop(t, order, 4, 0)
			if order == release.NewFirst {
				s.Release.Spec.Traffic.Steps = []release.Step{{Weight: 50, Hold: release.Duration(150 * time.Millisecond)}, s.Release.Spec.Traffic.Steps[0]}
			}
			outcome, err := s.Shift(t.Context(), ShiftRequest{})
			if err != nil || outcome.Code != CodeDone {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			s.want(0, 4)
			if outcome.Status.To != "green" || outcome.Status.Phase != Done || !strings.Contains(outcome.Message, "green serves production, blue is drained") {
				t.Errorf("outcome = %+v, status = %+v", outcome, outcome.Status)
			}
			run, err := s.Journal.Current(t.Context())
			if err != nil || run != nil && len(journal.Open(run.Entries)) != 0 {
				t.Errorf("left open: %+v, %v", run, err)
			}
			if outcome, err := s.again().Shift(t.Context(), ShiftRequest{To: "green"}); err != nil || !strings.Contains(outcome.Message, "already: green") {
				t.Errorf("again: %+v, %v", outcome, err)
			}
			if outcome, err := s.again().Finish(t.Context(), FinishRequest{}); err != nil || !strings.Contains(outcome.Message, "already: blue is decommissioned") {
				t.Errorf("finish: %+v, %v", outcome, err)
			}
			outcome, err = s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			if err != nil || outcome.Code != CodeDone {
				t.Fatalf("rollback = %+v, %v", outcome, err)
			}
			s.want(4, 0)
		}))
	}
}

// What fails its jobs goes back, and what it leaves is kept before its pods are
// gone.
func TestWorkersThatFailGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.fails("green", 0.05)
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeRolledBack {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.want(2, 0)
		if !strings.Contains(outcome.Status.Reason, "rollback-error-ratio") {
			t.Errorf("reason %q", outcome.Status.Reason)
		}
		var specs []string
		_ = filepath.WalkDir(s.Artefacts, func(path string, entry os.DirEntry, _ error) error {
			if strings.HasPrefix(entry.Name(), "orders-green-") {
				specs = append(specs, path)
			}
			return nil
		})
		if len(specs) == 0 {
			t.Error("nothing of green is kept")
		}
	})
}

// What is looked at before the switch elsewhere is looked at once the workers run,
// and sends them back.
func TestWorkersThatStartBadlyGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.Release.Spec.Validation.Logs = &release.LogRule{Forbid: []string{"fake logs"}}
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeRolledBack || !strings.Contains(outcome.Status.Reason, "logged at start-up: fake logs") {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.want(2, 0)
	})
}

// A stop is obeyed while the target starts, and is off both Deployments then.
func TestWorkersObeyAStopWhileTheyStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.mu.Lock()
		s.stuck = "green"
		s.mu.Unlock()
		go func() {
			for range 3000 {
				time.Sleep(20 * time.Millisecond)
				if route, err := s.Router.Read(context.Background()); err == nil && len(route.Split) == 2 {
					_ = s.Router.Stop(context.Background(), "orders are doubled")
					return
				}
			}
		}()
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Status.Reason != "emergency stop: orders are doubled" {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.want(2, 0)
		if route, err := s.Router.Read(t.Context()); err != nil || route.Stop != "" {
			t.Errorf("stop %q, %v", route.Stop, err)
		}
	})
}

// A target that does not come up leaves the old side as it is.
func TestWorkersThatDoNotComeUpGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.Release.Spec.Traffic.Deadlines.Reroute = release.Duration(2 * time.Second)
		s.mu.Lock()
		s.stuck = "green"
		s.mu.Unlock()
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeRolledBack || !strings.Contains(outcome.Status.Reason, "0/2 replicas") {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.want(2, 0)
	})
}

// A run that was killed between the two writes goes on, and goes back, with a record
// and by the live objects alone.
func TestWorkersThatWereLeftInTheMidst(t *testing.T) {
	for name, test := range map[string]struct {
		forget      bool
		act         func(context.Context, *Runner) (Outcome, error)
		code        int
		blue, green int32
	}{
		"resume":                    {false, func(ctx context.Context, r *Runner) (Outcome, error) { return r.Resume(ctx) }, CodeDone, 0, 3},
		"rollback":                  {false, func(ctx context.Context, r *Runner) (Outcome, error) { return r.Rollback(ctx, RollbackRequest{}) }, CodeDone, 3, 0},
		"rollback without a record": {true, func(ctx context.Context, r *Runner) (Outcome, error) { return r.Rollback(ctx, RollbackRequest{}) }, CodeDone, 3, 0},
	} {
		for _, order := range []string{release.NewFirst, release.OldFirst} {
			t.Run(name+" "+order, inBubble(func(t *testing.T) {
				s := newWorkshop(t, order, 3, 0)
				s.first()
				if test.forget {
					if err := s.clientset.CoreV1().ConfigMaps("shop").Delete(t.Context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
						t.Fatal(err)
					}
				}
				outcome, err := test.act(t.Context(), s.again())
				if err != nil || outcome.Code != test.code {
					t.Fatalf("outcome = %+v, %v", outcome, err)
				}
				s.want(test.blue, test.green)
			}))
		}
	}
}

// A side that somebody starts while the other takes everything is seen, and who it
// was is named.
func TestWorkersThatSomebodyStartsAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.Release.Spec.Traffic.Watch = release.Duration(time.Minute)
		go func() {
			for range 3000 {
				time.Sleep(20 * time.Millisecond)
				route, err := s.Router.Read(context.Background())
				if err != nil || route.Split.Sole() != "green" {
					continue
				}
				patch := []byte(`{"spec":{"replicas":1}}`)
				_, _ = s.clientset.AppsV1().Deployments("shop").Patch(context.Background(), "orders-blue", "application/merge-patch+json", patch, metav1.PatchOptions{FieldManager: "keda"})
				return
			}
		}()
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, "while this run had given it green=100") {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
	})
}

// A target that is deleted while it takes everything is gone back from.
func TestWorkersThatAreDeletedMeanwhileGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		s.Release.Spec.Traffic.Watch = release.Duration(time.Minute)
		go func() {
			for range 3000 {
				time.Sleep(20 * time.Millisecond)
				if route, err := s.Router.Read(context.Background()); err == nil && route.Split.Sole() == "green" {
					time.Sleep(500 * time.Millisecond) // the watch has begun
					_ = s.clientset.AppsV1().Deployments("shop").Delete(context.Background(), "orders-green", metav1.DeleteOptions{})
					return
				}
			}
		}()
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeRolledBack || !strings.Contains(outcome.Status.Reason, "deployment/orders-green was deleted while it was given traffic") {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		blue, err := s.Client.Workload(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "orders-blue"})
		if err != nil || blue.Replicas != 2 {
			t.Errorf("blue has %d replicas, want 2, %v", blue.Replicas, err)
		}
	})
}

// Workers that somebody deployed with replicas take jobs already: nothing is begun.
func TestWorkersThatBothTakeAlreadyAreNoShift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 3)
		_, err := s.Shift(t.Context(), ShiftRequest{})
		if err == nil || !strings.Contains(err.Error(), "is split blue=40,green=60 and no run is recorded") {
			t.Fatalf("err = %v", err)
		}
		if hint := release.HintOf(err); !strings.Contains(hint, "blue: kubectl -n shop scale deployment/orders-blue --replicas=2") {
			t.Errorf("hint %q", hint)
		}
	})
}

// Old workers that can't come back, because the bad ones hold what they need, are
// waited for half of the time; then the bad ones are ended.
func TestBadWorkersAreEndedThoughTheOthersAreNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 0, 2)
		s.Release.Spec.Traffic.Deadlines.Rollback = release.Duration(6 * time.Second)
		s.cameFromBlue(t)
		s.mu.Lock()
		s.stuck = "blue"
		s.mu.Unlock()
		released := make(chan struct{})
		go func() { // once green is ended, blue has what it needs
			defer close(released)
			for range 3000 {
				time.Sleep(10 * time.Millisecond)
				green, err := s.Client.Workload(context.Background(), "shop", release.Workload{Kind: "deployment", Name: "orders-green"})
				if err == nil && green.Replicas == 0 {
					s.mu.Lock()
					s.stuck = ""
					s.mu.Unlock()
					return
				}
			}
		}()
		outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
		<-released
		if err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		for color, want := range map[string]int32{"blue": 2, "green": 0} {
			workload, err := s.Client.Workload(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "orders-" + color})
			if err != nil || workload.Replicas != want {
				t.Errorf("%s has %d replicas, want %d, %v", color, workload.Replicas, want, err)
			}
		}
	})
}

// cameFromBlue says on the Deployments that blue took everything before.
func (s *workshop) cameFromBlue(t *testing.T) {
	t.Helper()
	for _, name := range []string{"orders-blue", "orders-green"} {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
			cluster.AnnotationPrevious: "blue=100", cluster.AnnotationOrigin: "blue", cluster.AnnotationReplicas: "2"}}})
		if err == nil {
			_, err = s.clientset.AppsV1().Deployments("shop").Patch(t.Context(), name, "application/merge-patch+json", patch, metav1.PatchOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A Deployment that was deleted is no way back, and nothing is written.
func TestWorkersThatWereDeletedAreNoWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 0, 2)
		s.cameFromBlue(t)
		if err := s.clientset.AppsV1().Deployments("shop").Delete(t.Context(), "orders-blue", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if outcome, err := s.again().Rollback(t.Context(), RollbackRequest{}); err == nil || !strings.Contains(err.Error(), "deployment/orders-blue does not exist, so there is no way back") {
			t.Errorf("outcome = %+v, %v", outcome, err)
		}
	})
}

// The plan lists what is scaled, in its order and from what the step before leaves,
// and no spare pod and no eviction.
func TestPlanOfWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 4, 0)
		plan, err := s.DryRun(t.Context(), ShiftRequest{}, true)
		if err != nil {
			t.Fatal(err)
		}
		written := func(plan *Plan) (lines []string) {
			for _, write := range plan.Writes {
				lines = append(lines, strings.TrimSpace(strings.Join([]string{string(write.Phase), write.Object, write.From, write.To}, " ")))
			}
			return lines
		}
		want := []string{
			"preflight deployment/orders-blue  stamped with epoch 1",
			"preflight deployment/orders-green  stamped with epoch 1",
			"switch deployment/orders-blue  the move is recorded on it",
			"switch deployment/orders-green 0 replicas 4 replicas",
			"switch deployment/orders-blue 4 replicas 0 replicas",
		}
		if diff := cmp.Diff(want, written(plan)); diff != "" {
			t.Error(diff)
		}
		s.Release.Spec.Traffic.Steps = []release.Step{{Weight: 25}, {Weight: 100}}
		steps, err := s.again().DryRun(t.Context(), ShiftRequest{}, true)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want[:3:3],
			"switch deployment/orders-green 0 replicas 1 replica",
			"switch deployment/orders-blue 4 replicas 3 replicas",
			"switch deployment/orders-blue  the move is recorded on it",
			"switch deployment/orders-green 1 replica 4 replicas",
			"switch deployment/orders-blue 3 replicas 0 replicas")
		if diff := cmp.Diff(want, written(steps)); diff != "" {
			t.Errorf("in two steps: %s", diff)
		}
		if want := "kubectl -n shop scale deployment/orders-blue --replicas=4 && kubectl -n shop rollout status deployment/orders-blue && kubectl -n shop scale deployment/orders-green --replicas=0"; plan.Undo != want {
			t.Errorf("undo: %s", plan.Undo)
		}
	})
}

// Manifests of workers start none: their replicas are kept for the switch.
func TestManifestsOfWorkersStartNone(t *testing.T) {
	manifest := func(text string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatal(err)
		}
		return object
	}
	live := func(replicas int32, recorded string) *cluster.Workload {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		if recorded != "" {
			object.SetAnnotations(map[string]string{cluster.AnnotationReplicas: recorded})
		}
		return &cluster.Workload{Replicas: replicas, Object: object}
	}
	for name, test := range map[string]struct {
		text     string
		live     *cluster.Workload
		replicas int64
		recorded string
	}{
		"new":                        {"{kind: Deployment, spec: {replicas: 3}}", nil, 0, "3"},
		"new, without a count":       {"{kind: Deployment, spec: {}}", nil, 0, ""},
		"there":                      {"{kind: Deployment, spec: {replicas: 3}}", live(0, "5"), 0, "3"},
		"there, without a count":     {"{kind: Deployment, spec: {}}", live(0, "5"), 0, "5"},
		"there, with a count of 0":   {"{kind: Deployment, spec: {replicas: 0}}", live(0, "5"), 0, "5"},
		"there, and it takes a part": {"{kind: Deployment, spec: {replicas: 3}}", live(2, "5"), 2, "3"},
	} {
		kept, err := keptAt(manifest(test.text), test.live)
		if err != nil {
			t.Fatal(err)
		}
		replicas, _, _ := unstructured.NestedInt64(kept.Object, "spec", "replicas")
		if recorded := kept.GetAnnotations()[cluster.AnnotationReplicas]; replicas != test.replicas || recorded != test.recorded {
			t.Errorf("%s: %d replicas, %q recorded; want %d, %q", name, replicas, recorded, test.replicas, test.recorded)
		}
	}
}

// Nothing of an idle side is looked at, or made: a spare pod would take jobs.
func TestWorkersNeedASideThatIsDeployed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWorkshop(t, release.NewFirst, 2, 0)
		if err := s.clientset.AppsV1().Deployments("shop").Delete(t.Context(), "orders-green", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		s.clientset.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource("pods"), "", nil)
		})
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Status.Reason, "deploy it first, with replicas: 0") {
			t.Errorf("outcome = %+v, %v", outcome, err)
		}
	})
}
