package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const watchedRun = "20261122-120000-k7f3q"

// watching is an invocation that watches a run of the shop, and the tenure of
// who drives it. Time passes once everybody in the bubble of the test waits for
// it: who writes at the pace of this machine would fall silent meanwhile.
func watching(t *testing.T, state rollout.State) (call *invocation, server *fake.Clientset, bob *journal.Tenure, said func() string) {
	t.Helper()
	call, out, errOut, now := bench(t, nil)
	shop(t, call)
	service, err := call.connected.Kubernetes.CoreV1().Services("shop").Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, server := clustertest.New(service)
	client.Namespace, call.connected = "shop", client
	bob, err = journal.New(server, "shop", "shop", testingclock.NewFakeClock(noon())).
		Acquire(t.Context(), journal.AcquireOptions{Holder: "pod-1"}, journal.Run{ID: watchedRun, From: "blue", To: "green"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Save(t.Context(), state, string(state.Phase)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bob.Release(context.WithoutCancel(t.Context())) }) // where the run has not ended
	passes(t, now, statusInterval)
	return call, server, bob, func() string { return out.String() + errOut.String() }
}

func codeOf(err error) int {
	if err == nil {
		return ExitDone
	}
	var status *StatusError
	if errors.As(err, &status) {
		return status.Status
	}
	return -1
}

// A watch ends as the run ended that it watched, and prints the end's card.
func TestWatchEndsAsTheRunDid(t *testing.T) {
	for name, test := range map[string]struct {
		end  rollout.State
		want int
	}{
		"done":                     {rollout.State{Phase: rollout.Done}, ExitDone},
		"rolled back by itself":    {rollout.State{Phase: rollout.RolledBack, Reason: "errors"}, ExitRolledBack},
		"rolled back as asked":     {rollout.State{Phase: rollout.RolledBack, Requested: true}, ExitDone},
		"blocked":                  {rollout.State{Phase: rollout.Blocked, Reason: "a check"}, ExitBlocked},
		"held":                     {rollout.State{Phase: rollout.Held, Resume: rollout.Watch}, ExitHeld},
		"a rollback without proof": {rollout.State{Phase: rollout.Unproven}, ExitUnproven},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call, server, bob, said := watching(t, rollout.State{Phase: rollout.Watch, From: "blue", To: "green"})
				looks := 0
				server.PrependReactor("get", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
					if looks++; looks == 2 {
						go func() {
							err := bob.Save(t.Context(), test.end, string(test.end.Phase))
							if err == nil && test.end.Phase != rollout.Held && test.end.Phase != rollout.Unproven {
								err = bob.Finish(t.Context(), string(test.end.Phase))
							}
							if err != nil {
								t.Error(err)
							}
						}()
					}
					return false, nil, nil
				})
				err := call.status(t.Context(), &output{}, nil, true)
				if code := codeOf(err); code != test.want {
					t.Errorf("exit code %d (%v), want %d\n%s", code, err, test.want, said())
				}
				if !strings.Contains(said(), "phase      "+string(test.end.Phase)) || looks < 2 {
					t.Errorf("it says:\n%s", said())
				}
			})
		})
	}
}

// carrying is a Job of the run.
func carrying(id string, over batchv1.JobConditionType) *batchv1.Job {
	object := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", Namespace: "shop",
		Labels: map[string]string{"bluegreen.dev/release": "shop"}, Annotations: map[string]string{job.AnnotationRun: id}}}
	if over != "" {
		object.Status.Conditions = []batchv1.JobCondition{{Type: over, Status: corev1.ConditionTrue}}
	}
	return object
}

// A run that nobody drives ends the watch, unless a Job is there to go on with
// it: then its next pod is waited for, whatever the API server does meanwhile.
func TestWatchOutlivesAPod(t *testing.T) {
	for name, test := range map[string]struct {
		job  *batchv1.Job
		want int
	}{
		"no Job":                  {nil, ExitHeld},
		"a Job of another run":    {carrying("20261121-120000-other", ""), ExitHeld},
		"a Job that has given up": {carrying(watchedRun, batchv1.JobFailed), ExitHeld},
		"the Job that carries it": {carrying(watchedRun, ""), ExitRolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call, server, bob, said := watching(t, rollout.State{Phase: rollout.Watch, From: "blue", To: "green"})
				if err := bob.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
				if test.job != nil {
					if err := server.Tracker().Add(test.job); err != nil {
						t.Fatal(err)
					}
				}
				looks, next := 0, make(chan struct{})
				server.PrependReactor("list", "jobs", func(kubetesting.Action) (bool, runtime.Object, error) {
					if looks++; looks == 3 {
						close(next)
					}
					return false, nil, nil
				})
				away := 0
				server.PrependReactor("get", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
					away++
					return away == 2 || away == 3, nil, apierrors.NewServiceUnavailable("away")
				})
				go func() {
					<-next // the next pod comes
					if test.want == ExitHeld {
						return
					}
					pod, err := journal.New(server, "shop", "shop", testingclock.NewFakeClock(noon())).
						Acquire(t.Context(), journal.AcquireOptions{Holder: "pod-2"}, journal.Run{ID: watchedRun})
					if err == nil {
						err = errors.Join(pod.Save(t.Context(), rollout.State{Phase: rollout.RolledBack, Reason: "errors"}, "rolled-back"), pod.Finish(t.Context(), "rolled-back"))
					}
					if err != nil {
						t.Error(err)
					}
				}()
				err := call.status(t.Context(), &output{}, nil, true)
				if code := codeOf(err); code != test.want {
					t.Errorf("exit code %d (%v), want %d\n%s", code, err, test.want, said())
				}
				if test.want == ExitRolledBack && !strings.Contains(said(), "phase      rolled-back") {
					t.Errorf("it says:\n%s", said())
				}
				if test.want == ExitHeld {
					close(next)
				}
			})
		})
	}
}

// Whether somebody drives a run is told by what the watch itself sees of the lease:
// a holder whose clock differs is followed to its end, and one that is gone ends the
// watch, whatever its clock said.
func TestWatchGoesByItsOwnClock(t *testing.T) {
	for name, test := range map[string]struct {
		ahead time.Duration
		alive bool
		want  int
	}{
		"alive, by a clock behind": {-time.Hour, true, ExitDone},
		"alive, by a clock ahead":  {time.Hour, true, ExitDone},
		"gone, by a clock behind":  {-time.Hour, false, ExitHeld},
		"gone, by a clock ahead":   {time.Hour, false, ExitHeld},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call, server, bob, said := watching(t, rollout.State{Phase: rollout.Watch, From: "blue", To: "green"})
				ended := false
				changing(t, server, func(lease *coordinationv1.Lease, look int) {
					lease.Spec.RenewTime.Time = lease.Spec.RenewTime.Add(test.ahead)
					if test.alive {
						lease.Spec.RenewTime.Time = lease.Spec.RenewTime.Add(time.Duration(look) * time.Second)
					}
					if look == 20 && test.alive { // well past what a lease lasts for
						ended = true
						go func() {
							if err := bob.Save(t.Context(), rollout.State{Phase: rollout.Done}, string(rollout.Done)); err != nil {
								t.Error(err)
							}
						}()
					}
				})
				bounded, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // 200 looks
				defer cancel()
				err := call.status(bounded, &output{}, nil, true)
				if code := codeOf(err); code != test.want || ended != test.alive {
					t.Errorf("exit code %d (%v), want %d\n%s", code, err, test.want, said())
				}
			})
		})
	}
}
