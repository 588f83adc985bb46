package journal

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Who was watched through the whole of its silence is not waited out again.
func TestAcquireFromAHolderThatWasWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		crash(p.acquire("alice", run(1), 0))
		beat, err := p.journal().Heartbeat(p.context())
		if err != nil {
			t.Fatal(err)
		}
		before := p.clock.Now()
		tenure, err := p.attempt(AcquireOptions{Holder: "guard", Silent: beat}, run(1), 100*time.Millisecond)
		if err != nil || p.clock.Since(before) != 0 {
			t.Fatalf("taken after %s, %v", p.clock.Since(before), err)
		}
		crash(tenure)
	})
}

// The holder that was watched, and no other: one that has stirred since, or
// has come since, is waited for like any holder.
func TestAcquireFromAnotherHolderThanWasWatched(t *testing.T) {
	for name, holder := range map[string]string{"it stirred": "alice", "another came": "bob"} {
		t.Run(name, inBubble(func(t *testing.T) {
			p := newPlace(t)
			crash(p.acquire("alice", run(1), 0))
			beat, err := p.journal().Heartbeat(p.context())
			if err != nil {
				t.Fatal(err)
			}
			lease, err := p.journal().readLease(p.context())
			if err != nil {
				t.Fatal(err)
			}
			lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, &metav1.MicroTime{Time: start.Add(time.Minute)}
			if _, err := p.journal().writeLease(p.context(), lease); err != nil {
				t.Fatal(err)
			}
			before := p.clock.Now()
			tenure, err := p.attempt(AcquireOptions{Holder: "guard", Silent: beat}, run(1), 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			defer crash(tenure)
			if took := p.clock.Since(before); took < DefaultLeaseDuration {
				t.Errorf("taken after %s", took)
			}
		}))
	}
}

// A guard says that it watches, goes on to say so, and takes it back.
func TestKeepVigil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		if vigil, err := p.journal().Vigil(p.context()); err != nil || vigil != (Vigil{}) {
			t.Errorf("before: %+v, %v", vigil, err)
		}
		stop, err := p.journal().KeepVigil(p.context(), "guard-pod", "run-1")
		if err != nil {
			t.Fatal(err)
		}
		if vigil, err := p.journal().Vigil(p.context()); err != nil || vigil != (Vigil{Holder: "guard-pod", Run: "run-1"}) {
			t.Errorf("vigil = %+v, %v", vigil, err)
		}
		renewed := func() time.Time {
			lease, err := p.server.CoordinationV1().Leases("shop-ns").Get(p.context(), "bluegreen-shop-guard", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(lease.Labels) != 0 {
				t.Errorf("labels %v make it that of a release", lease.Labels)
			}
			return lease.Spec.RenewTime.Time
		}
		first, later := renewed(), make(chan struct{})
		go func() {
			defer close(later)
			for !renewed().After(first) && p.context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
		}()
		p.passTime(later, vigilEvery)
		stop()
		if vigil, err := p.journal().Vigil(p.context()); err != nil || vigil.Holder != "" {
			t.Errorf("after: %+v, %v", vigil, err)
		}
		// The next guard takes it over at once, whoever held it.
		stop, err = p.journal().KeepVigil(p.context(), "guard-pod-2", "run-2")
		if err != nil {
			t.Fatal(err)
		}
		stop()
	})
}

// A release may be called like another one's guard.
func TestKeepVigilLeavesAReleasesLeaseAlone(t *testing.T) {
	p := newPlace(t)
	other := New(p.server, "shop-ns", "shop-guard", p.clock)
	tenure, err := other.Acquire(p.context(), AcquireOptions{Holder: "alice"}, run(1))
	if err != nil {
		t.Fatal(err)
	}
	defer crash(tenure)
	if _, err := p.journal().KeepVigil(p.context(), "guard-pod", "run-1"); err == nil || !strings.Contains(err.Error(), "is that of release shop-guard") {
		t.Errorf("err = %v", err)
	}
	if err := tenure.Record(p.context()); err != nil {
		t.Errorf("alice: %v", err)
	}
	if lease, err := other.readLease(p.context()); err != nil || holderOf(lease) != "alice" || lease.Labels[cluster.LabelRelease] != "shop-guard" {
		t.Errorf("lease of %s, %v", holderOf(lease), err)
	}
}
