package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// jobRate is how many jobs are put into the queue per second: half of what one pod
// can do.
const jobRate = 40

// work is a shop of workers whose queue is fed, and who watches its pods.
type work struct {
	*scenario
	queue *shop.Queue
	crew  *crewWatch
}

func openWork(t *testing.T, order string, green shop.Slot, change ...func(*release.Release)) *work {
	t.Helper()
	takes := shop.TakesJobs()
	slot := func(one shop.Slot) shop.Slot {
		environment := maps.Clone(takes)
		maps.Copy(environment, one.Env)
		one.Env = environment
		return one
	}
	s := open(t, shop.Options{Blue: slot(shop.Slot{}), Green: slot(green), Release: func(document *release.Release) {
		shop.Workers(order)(document)
		for _, one := range change {
			one(document)
		}
	}})
	queue, err := s.shop.Feed(t.Context(), jobRate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close(context.WithoutCancel(t.Context())) })
	return &work{scenario: s, queue: queue, crew: watchCrews(t, s.shop)}
}

// crewWatch looks at the pods of both colours all the time.
type crewWatch struct {
	mu sync.Mutex
	// least is the fewest ready workers that were seen, and at when.
	least int
	at    time.Time
	// together is when pods of both colours that had not ended were seen first.
	together time.Time
	looks    int
}

func watchCrews(t *testing.T, watched *shop.Shop) *crewWatch {
	t.Helper()
	w := &crewWatch{least: 1 << 30}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			w.look(ctx, watched)
			pause(ctx, 200*time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// look is one list of all pods, so that no pod is counted at two moments. What
// can't be read is not seen.
func (w *crewWatch) look(ctx context.Context, watched *shop.Shop) {
	pods, err := watched.Client().Pods(ctx, watched.Namespace, labels.SelectorFromSet(labels.Set{"app": "recommendation"}))
	if err != nil {
		return
	}
	ready, present := 0, map[string]bool{}
	for index := range pods {
		// One whose containers have all ended is there for a moment more.
		if !cluster.PodEnded(&pods[index]) {
			present[pods[index].Labels["version"]] = true
		}
		if cluster.PodReadiness(&pods[index]).Successful {
			ready++
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if ready < w.least {
		w.least, w.at = ready, time.Now()
	}
	if len(present) > 1 && w.together.IsZero() {
		w.together = time.Now()
	}
}

// neverIdle fails the test where no worker was ready at some moment.
func (w *work) neverIdle() {
	w.t.Helper()
	w.crew.mu.Lock()
	defer w.crew.mu.Unlock()
	w.t.Logf("%d looks, never fewer than %d ready workers", w.crew.looks, w.crew.least)
	if w.crew.least < 1 || w.crew.looks < 20 {
		w.t.Errorf("the queue had %d ready workers at %s, in %d looks", w.crew.least, w.crew.at.Format(time.TimeOnly), w.crew.looks)
	}
}

// everyJobOnce stops feeding, waits until the queue is empty, and fails the test
// where a job was lost or done twice.
func (w *work) everyJobOnce() shop.Tally {
	w.t.Helper()
	w.queue.Stop()
	tally, err := w.queue.Drained(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("%d jobs were put, done by %v", tally.Put, tally.ByColor)
	if len(tally.Lost) > 0 || len(tally.Twice) > 0 || tally.Put == 0 {
		w.t.Errorf("of %d jobs %v were lost, and %v done twice", tally.Put, tally.Lost, tally.Twice)
	}
	return tally
}

// takes fails the test unless a colour has so many replicas and the other none, and
// no pod of that is left.
func (w *work) takes(color string, want int) {
	w.t.Helper()
	other := map[string]string{shop.Blue: shop.Green, shop.Green: shop.Blue}[color]
	replicas, err := w.shop.Replicas(w.t.Context(), color)
	if err != nil || replicas != want {
		w.t.Errorf("%s wants %d pods, want %d, %v", color, replicas, want, err)
	}
	w.scaledToZero(other, want)
	pods, err := w.shop.PodNames(w.t.Context(), other)
	if err != nil || len(pods) > 0 {
		w.t.Errorf("pods of %s still run: %v, %v", other, pods, err)
	}
}

// onlyDoneBy fails the test unless the jobs of the next moment are all of a colour.
func (w *work) onlyDoneBy(color string) {
	w.t.Helper()
	before, err := w.queue.Tally(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	pause(w.t.Context(), 3*time.Second)
	after, err := w.queue.Tally(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range []string{shop.Blue, shop.Green} {
		if done := after.ByColor[one] - before.ByColor[one]; (done > 0) != (one == color) {
			w.t.Errorf("%s did %d jobs, and all are to be %s's", one, done, color)
		}
	}
}

// A healthy release of workers goes by half of the replicas to all of them, and
// back on request. There is a ready worker at every moment, and every job is done
// once.
func TestWorkersShiftLosesNoJob(t *testing.T) {
	w := openWork(t, release.NewFirst, shop.Slot{})
	status := w.status(w.run(rollout.CodeDone, "shift", "-o", "json"))
	w.drained(status)
	w.recorded(status.ID, "stamp", "apply", "switch")
	w.takes(shop.Green, 2)
	w.onlyDoneBy(shop.Green)

	finished := w.run(rollout.CodeDone, "finish")
	says(t, finished.Stdout+finished.Stderr, "already: blue is decommissioned")

	status = w.status(w.run(rollout.CodeDone, "rollback", "-o", "json"))
	w.recorded(status.ID, "revert")
	w.takes(shop.Blue, 2)
	w.onlyDoneBy(shop.Blue)
	w.neverIdle()
	if tally := w.everyJobOnce(); tally.ByColor[shop.Green] == 0 {
		t.Error("green did no job")
	}
}

// Where two versions must not take at once, no pod of one runs beside one of the
// other, those that are ending among them.
func TestWorkersThatNeverTakeTogether(t *testing.T) {
	w := openWork(t, release.OldFirst, shop.Slot{})
	w.run(rollout.CodeDone, "shift")
	w.takes(shop.Green, 2)
	w.run(rollout.CodeDone, "rollback")
	w.takes(shop.Blue, 2)
	w.everyJobOnce()
	w.crew.mu.Lock()
	defer w.crew.mu.Unlock()
	if !w.crew.together.IsZero() {
		t.Errorf("pods of both versions ran at %s", w.crew.together.Format(time.TimeOnly))
	}
}

// One job of green in twenty fails, and is in the queue again. The half that green
// gets tells: the run goes back from there by itself.
func TestWorkersThatFailJobsRollBack(t *testing.T) {
	w := openWork(t, release.NewFirst, shop.Slot{Env: map[string]string{"FAULT_ERROR_RATE": fmt.Sprint(badPart)}})
	result := w.run(rollout.CodeRolledBack, "shift", "-o", "json")
	status := w.status(result)
	w.because(result, status, []string{"rollback-error-ratio"})
	w.isGivenBack(status)
	w.neverIdle()
	w.everyJobOnce()
}

// isGivenBack fails the test unless blue takes everything again and green's logs
// were kept, though its pods were ended with the way back.
func (w *work) isGivenBack(status *rollout.RunStatus) {
	w.t.Helper()
	if status.Phase != rollout.RolledBack {
		w.t.Errorf("phase %s, want %s", status.Phase, rollout.RolledBack)
	}
	w.takes(shop.Blue, 2)
	w.onlyDoneBy(shop.Blue)
	if w.preserved(status.ID) == "" {
		w.t.Error("no log of green was kept")
	}
}

// Green leaks connections, until PostgreSQL has none left: not even for the pods of
// blue that are to come back. Green is ended all the same, and gives them back.
// For as long as blue then takes to start nobody may take a job, and none is lost.
func TestWorkersThatLeakConnectionsRollBack(t *testing.T) {
	w := openWork(t, release.NewFirst, shop.Slot{Env: map[string]string{"FAULT_LEAK_PER_SECOND": "5"}}, func(document *release.Release) {
		deadlines := &document.Spec.Traffic.Deadlines
		deadlines.Reroute, deadlines.Recover, deadlines.Rollback = release.Duration(2*time.Minute), release.Duration(2*time.Minute), release.Duration(2*time.Minute)
	})
	result := w.run(rollout.CodeRolledBack, "shift", "-o", "json")
	status := w.status(result)
	// Whoever sees it first says so: the gate, or the logs of a pod that starts late.
	if !strings.Contains(status.Reason, "53300") {
		w.because(result, status, []string{"rollback-database-connections"})
	}
	w.isGivenBack(status)
	w.everyJobOnce()
}

// A run is killed between its two writes, where both sides take jobs. Another goes
// on with it; or back, by the Deployments alone.
func TestKilledShiftOfWorkers(t *testing.T) {
	for name, command := range map[string]string{"resume": "resume", "rollback": "rollback"} {
		t.Run(name, func(t *testing.T) {
			w := openWork(t, release.NewFirst, shop.Slot{Env: map[string]string{"FAULT_SLOW_START": "6s"}})
			process := w.start("shift")
			for {
				replicas, err := w.shop.Replicas(t.Context(), shop.Green)
				if err == nil && replicas > 0 {
					break
				}
				select {
				case <-process.Done():
					t.Fatalf("the shift ended before green had a replica:\n%s", process.Stderr())
				case <-time.After(50 * time.Millisecond):
				}
			}
			if err := process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-process.Done()
			want := shop.Green
			if command == "rollback" {
				want = shop.Blue
			}
			w.run(rollout.CodeDone, command)
			w.takes(want, 2)
			w.neverIdle()
			w.everyJobOnce()
		})
	}
}
