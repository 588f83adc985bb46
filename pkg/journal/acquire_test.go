package journal

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestAcquireWritesWhoAndWhat(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 41)
	if diff := cmp.Diff(cluster.Fence{Epoch: 42, Holder: "alice"}, tenure.Fence()); diff != "" {
		t.Error(diff)
	}
	lease, err := p.journal().readLease(p.context())
	if err != nil {
		t.Fatal(err)
	}
	if holderOf(lease) != "alice" || lease.Annotations[cluster.AnnotationEpoch] != "42" || lease.Labels[cluster.LabelRelease] != "shop" {
		t.Errorf("the lease is %v", lease)
	}
	current, err := p.journal().Current(p.context())
	if err != nil {
		t.Fatal(err)
	}
	want := run(1)
	want.Release, want.Namespace, want.Holder, want.Epoch, want.Started = "shop", "shop-ns", "alice", 42, start
	if diff := cmp.Diff(want, *current); diff != "" {
		t.Error(diff)
	}
}

func TestCurrentIsNilWithoutARun(t *testing.T) {
	current, err := newPlace(t).journal().Current(context.Background())
	if current != nil || err != nil {
		t.Errorf("got %v, %v", current, err)
	}
}

func TestAcquireIsRefusedByALiveHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.acquire("alice", run(1), 0)
		before := p.clock.Now()
		_, err := p.attempt(AcquireOptions{Holder: "bob"}, run(2), 100*time.Millisecond)
		var held *HeldError
		if !errors.As(err, &held) {
			t.Fatalf("got %v", err)
		}
		if held.Holder != "alice" || held.Run != run(1).ID || !held.Since.Equal(start) || !held.Renewed.After(start) {
			t.Errorf("got %+v", held)
		}
		if took := p.clock.Since(before); took >= DefaultLeaseDuration {
			t.Errorf("a live holder was seen after %s only", took)
		}
		if release.HintOf(err) == "" {
			t.Error("no hint")
		}
	})
}

// TestAcquireWaitsOutASilentHolder: the times in the lease say nothing, for
// they may be far off; only what the observer sees counts.
func TestAcquireWaitsOutASilentHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		crash(p.acquire("alice", run(1), 0))
		p.clock.Step(time.Hour)
		before := p.clock.Now()
		tenure, err := p.attempt(AcquireOptions{Holder: "bob"}, run(1), 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if took := p.clock.Since(before); took < DefaultLeaseDuration {
			t.Errorf("taken over after %s", took)
		}
		if diff := cmp.Diff(cluster.Fence{Epoch: 2, Holder: "bob"}, tenure.Fence()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAcquireTakesOverAtOnceWhenTold(t *testing.T) {
	p := newPlace(t)
	alice := p.acquire("alice", run(1), 0)
	bob, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", TakeOver: true}, run(1))
	if err != nil {
		t.Fatal(err)
	}
	defer crash(bob)
	if err := alice.Save(p.context(), "state", "switch"); !errors.Is(err, ErrLost) || !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("the old holder's write gave %v", err)
	}
	if current, _ := p.journal().Current(p.context()); current.Holder != "bob" || current.Phase != "preflight" {
		t.Errorf("the record is %+v", current)
	}
}

func TestAcquireRefusesANewRunWhileOneIsUnfinished(t *testing.T) {
	p := newPlace(t)
	if err := p.acquire("alice", run(1), 0).Release(p.context()); err != nil {
		t.Fatal(err)
	}
	_, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, run(2))
	var unfinished *UnfinishedError
	if !errors.As(err, &unfinished) || unfinished.Run != run(1).ID || unfinished.Holder != "alice" || release.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	if lease, _ := p.journal().readLease(p.context()); holderOf(lease) != "" {
		t.Errorf("the lease was taken all the same, by %s", holderOf(lease))
	}
}

// TestResumeContinuesWhatIsRecorded: the record counts, not what the caller
// believes, and a clean hand-over needs no wait.
func TestResumeContinuesWhatIsRecorded(t *testing.T) {
	p := newPlace(t)
	alice := p.acquire("alice", run(1), 0)
	if err := alice.Save(p.context(), map[string]int{"step": 2}, "hold", Entry{Kind: Intent, Action: "switch", Object: "service/shop"}); err != nil {
		t.Fatal(err)
	}
	if err := alice.Release(p.context()); err != nil {
		t.Fatal(err)
	}
	bob := p.acquire("bob", run(1), 0)
	got := bob.Run()
	if got.Phase != "hold" || string(got.State) != `{"step":2}` || got.Epoch != 2 || got.Holder != "bob" || len(Open(got.Entries)) != 1 {
		t.Errorf("got %+v", got)
	}
	if err := alice.Record(p.context(), Entry{Kind: Note}); err == nil {
		t.Error("a holder that gave the release back still writes")
	}
}

func TestEpochsOnlyGrow(t *testing.T) {
	p := newPlace(t)
	first := p.acquire("alice", run(1), 7)
	if err := first.Finish(p.context(), "done"); err != nil {
		t.Fatal(err)
	}
	// Without the lease the record still knows.
	if err := p.server.CoordinationV1().Leases("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	second := p.acquire("bob", run(2), 0)
	if first.Fence().Epoch != 8 || second.Fence().Epoch != 9 {
		t.Errorf("epochs %d and %d", first.Fence().Epoch, second.Fence().Epoch)
	}
}

func TestAcquireRefusesAFinishedRun(t *testing.T) {
	p := newPlace(t)
	if err := p.acquire("alice", run(1), 0).Finish(p.context(), "done"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, run(1)); err == nil {
		t.Error("a run that has ended was continued")
	}
	if lease, _ := p.journal().readLease(p.context()); holderOf(lease) != "" {
		t.Errorf("the lease is left to %s", holderOf(lease))
	}
}

func TestAcquireRefusesWhatItCannotUse(t *testing.T) {
	p := newPlace(t)
	for name, attempt := range map[string]struct {
		options AcquireOptions
		run     Run
	}{
		"no holder":     {AcquireOptions{}, run(1)},
		"no run":        {AcquireOptions{Holder: "alice"}, Run{}},
		"a short lease": {AcquireOptions{Holder: "alice", Duration: time.Millisecond}, run(1)},
	} {
		if _, err := p.journal().Acquire(p.context(), attempt.options, attempt.run); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestOneOfManyAcquires lets many race for a free release, again and again:
// exactly one gets it, and every other is told who.
func TestOneOfManyAcquires(t *testing.T) {
	for range 20 {
		synctest.Test(t, oneOfManyAcquires)
	}
}

func oneOfManyAcquires(t *testing.T) {
	p := newPlace(t)
	const racers = 8
	var wait sync.WaitGroup
	tenures, faults := make([]*Tenure, racers), make([]error, racers)
	done := make(chan struct{})
	for i := range racers {
		wait.Go(func() {
			holder := string(rune('a' + i))
			tenures[i], faults[i] = p.journal().Acquire(p.context(), AcquireOptions{Holder: holder}, run(i))
		})
	}
	go func() { wait.Wait(); close(done) }()
	p.passTime(done, 500*time.Millisecond)
	winner := ""
	for i, tenure := range tenures {
		if tenure == nil {
			continue
		}
		if winner != "" {
			t.Fatal("two have acquired")
		}
		winner = string(rune('a' + i))
		crash(tenure)
	}
	if winner == "" {
		t.Fatalf("nobody has acquired: %v", errors.Join(faults...))
	}
	for _, err := range faults {
		var held *HeldError
		if err != nil && (!errors.As(err, &held) || held.Holder != winner) {
			t.Errorf("%s has won, and another was told: %v", winner, err)
		}
	}
}

// TestALeaseWithoutAnEpochIsRestamped: somebody has edited the lease. A rollback
// takes it, above every epoch that something else tells of; a shift does not, and
// where nothing tells nobody does.
func TestALeaseWithoutAnEpochIsRestamped(t *testing.T) {
	for name, test := range map[string]struct {
		options AcquireOptions
		record  bool
		want    int64
	}{
		"by the record":        {AcquireOptions{Restamp: true}, true, 6},
		"by the objects":       {AcquireOptions{Restamp: true, Floor: 8}, false, 9},
		"by what is newer":     {AcquireOptions{Restamp: true, Floor: 8}, true, 9},
		"nothing tells":        {AcquireOptions{Restamp: true}, false, 0},
		"on the way forward":   {AcquireOptions{Floor: 8}, true, 0},
		"a record beside that": {AcquireOptions{Floor: 8, SetAside: true}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := left(t)
			if !test.record {
				if err := p.server.CoreV1().ConfigMaps("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			lease, err := p.journal().readLease(p.context())
			if err != nil {
				t.Fatal(err)
			}
			lease.Annotations[cluster.AnnotationEpoch] = "five"
			if lease, err = p.journal().writeLease(p.context(), lease); err != nil {
				t.Fatal(err)
			}
			test.options.Holder = "bob"
			tenure, err := p.journal().Acquire(p.context(), test.options, run(1))
			if test.want == 0 {
				left, _ := p.journal().readLease(p.context())
				if diff := cmp.Diff(lease, left); err == nil || diff != "" {
					t.Errorf("got %v, and the lease: %s", err, diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer crash(tenure)
			if diff := cmp.Diff(cluster.Fence{Epoch: test.want, Holder: "bob"}, tenure.Fence()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
