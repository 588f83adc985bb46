package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// meter is a source that answers the residual rate with one reading, and tells
// pods apart.
type meter struct {
	reading measure.Reading
	byPod   func() map[string]float64
}

func (m *meter) Name() string                                        { return "meter" }
func (m *meter) Answers(query measure.Query) bool                    { return query.Signal == measure.ResidualRate }
func (m *meter) Read(context.Context, measure.Query) measure.Reading { return m.reading }
func (m *meter) ResidualByPod(context.Context, string) (map[string]float64, measure.Reading) {
	return m.byPod(), m.reading
}

// rate is a reading of requests per second.
func rate(value float64) measure.Reading {
	return measure.Reading{State: measure.OK, Value: value, Source: "meter"}
}

// driving gives a runner the lease, as begin does, and a drain policy.
func driving(t *testing.T, runner *Runner, drain release.Drain, sources ...measure.Source) *Runner {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tenure.Release(context.WithoutCancel(t.Context())) })
	runner.tenure, runner.policy, runner.Sources = tenure, PolicyOf(runner.Release), sources
	runner.Release.Spec.Traffic.Drain = drain
	return runner
}

// named is a ready pod of a colour under a name and UID of its own.
func named(color, name string) *corev1.Pod {
	found := pod(color)
	found.Name, found.UID = name, types.UID("uid-"+name)
	return found
}

// long ago enough for every window to have passed.
func longAgo(state State) State {
	state.Entered = time.Now().Add(-time.Hour)
	return state
}

// A side is drained when every pod was measured and none counted a request.
func TestDrained(t *testing.T) {
	partly := rate(0)
	partly.Detail = "1 pods of blue were not measured"
	remains := rate(2)
	down := measure.Reading{State: measure.SourceDown, Detail: "away"}
	for name, test := range map[string]struct {
		drain   release.Drain
		sources []measure.Source
		entered time.Duration
		want    Kind
		says    string
		state   measure.State
	}{
		"nothing counted":               {release.DrainWait, []measure.Source{&meter{reading: rate(0)}}, time.Hour, Succeeded, "is drained", measure.OK},
		"requests remain":               {release.DrainWait, []measure.Source{&meter{reading: remains}}, time.Hour, Waiting, "2.0 requests/s remain", measure.OK},
		"one pod was not read yet":      {release.DrainWait, []measure.Source{&meter{reading: partly}}, 20 * time.Second, Waiting, "reading what remains", ""},
		"one pod can't be read":         {release.DrainWait, []measure.Source{&meter{reading: partly}}, time.Hour, Succeeded, "unknown: no request was counted where it was measured, but 1 pods", measure.NoData},
		"nothing is declared":           {release.DrainWait, nil, 0, Succeeded, "not declared: metrics", measure.NoData},
		"not waited for":                {release.DrainNone, []measure.Source{&meter{reading: remains}}, time.Hour, Succeeded, "not waited for (traffic.drain: none): 2.0 requests/s remain", measure.OK},
		"not waited for, source down":   {release.DrainNone, []measure.Source{&meter{reading: down}}, time.Hour, Succeeded, "can't be read", measure.SourceDown},
		"not waited for, not declared":  {release.DrainNone, nil, 0, Succeeded, "not declared: metrics", measure.NoData},
		"not waited for, one not read":  {release.DrainNone, []measure.Source{&meter{reading: partly}}, time.Hour, Succeeded, "unknown", measure.NoData},
		"not waited for, nothing there": {release.DrainNone, []measure.Source{&meter{reading: rate(0)}}, time.Hour, Succeeded, "is drained", measure.OK},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			driving(t, runner, test.drain, test.sources...)
			state := at(Drain, moved)
			state.Entered = time.Now().Add(-test.entered)
			seen := runner.drain(t.Context(), state)
			if seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
				t.Errorf("drain = %s (%s), want %s (%s)", seen.Kind, seen.Message, test.want, test.says)
			}
			if seen.Learned != nil {
				seen.Learned(&state)
			}
			if got := learnt(state); got != test.state {
				t.Errorf("residual = %+v, want state %q", state.Residual, test.state)
			}
			if seen.Kind == Succeeded && drained(state) == "" {
				t.Error("the outcome says nothing of what remains")
			}
		})
	}
}

func learnt(state State) measure.State {
	if state.Residual == nil {
		return ""
	}
	return state.Residual.State
}

// Where the metrics can't tell probes apart, every pod counts some for ever:
// each old pod is recycled once, a fresh one never.
func TestRecycleEndsWhenOnlyFreshPodsCountRequests(t *testing.T) {
	t.Parallel()
	runner, _, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), named("blue", "blue-a"), named("blue", "blue-b"))
	clientset, ok := runner.Client.Kubernetes.(*fake.Clientset)
	if !ok {
		t.Fatal("the cluster is there")
	}
	pods, tracker := clientset.CoreV1().Pods("shop"), clientset.Tracker()
	probed := &meter{reading: rate(0.4), byPod: func() map[string]float64 {
		found, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: "version=blue"})
		if err != nil {
			t.Error(err)
		}
		rates := map[string]float64{}
		for _, pod := range found.Items {
			rates[pod.Name] = 0.2
		}
		return rates
	}}
	driving(t, runner, release.DrainRecycle, probed)
	var evicted []string
	prepend("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, ok := action.(clienttesting.CreateAction)
		if !ok || create.GetSubresource() != "eviction" {
			return false, nil, nil
		}
		eviction, ok := create.GetObject().(*policyv1.Eviction)
		if !ok {
			return false, nil, nil
		}
		// A ReplicaSet's answer to an eviction.
		evicted = append(evicted, eviction.Name)
		fresh := named("blue", fmt.Sprintf("blue-fresh-%d", len(evicted)))
		err := errors.Join(tracker.Delete(create.GetResource(), "shop", eviction.Name), tracker.Add(fresh))
		return true, nil, err
	})
	production, ok := runner.Router.(*route)
	if !ok {
		t.Fatal("the route is another")
	}
	production.Fence, production.Split = runner.fence(), traffic.Whole("green")

	state, kinds := longAgo(at(Drain, moved)), []Kind{}
	for range 4 {
		runner.recycled = time.Time{} // the window has passed
		seen := runner.drain(t.Context(), state)
		kinds = append(kinds, seen.Kind)
		seen.Learned(&state)
		if seen.Kind == Succeeded {
			break
		}
	}
	if diff := cmp.Diff([]string{"blue-a", "blue-b"}, evicted); diff != "" {
		t.Errorf("evicted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Kind{Waiting, Succeeded}, kinds); diff != "" {
		t.Errorf("drain (-want +got):\n%s", diff)
	}
	if learnt(state) != measure.NoData || !strings.Contains(drained(state), "is unknown: pods that were started after the switch count 0.4 requests/s too") {
		t.Errorf("residual = %+v: %s", state.Residual, drained(state))
	}
}
