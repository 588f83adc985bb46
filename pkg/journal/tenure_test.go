package journal

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func TestSaveIsOneWrite(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	p.server.ClearActions()
	err := tenure.Save(p.context(), 1, "switch", Entry{Kind: Intent, Action: "switch", Object: "service/shop"}, Entry{Kind: Note, Message: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if actions := p.server.Actions(); len(actions) != 1 {
		t.Errorf("it took %v", actions)
	}
	current, err := p.journal().Current(p.context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Sequence: 1, Time: start, Kind: Intent, Action: "switch", Object: "service/shop"},
		{Sequence: 2, Time: start, Kind: Note, Message: "a"},
	}
	if diff := cmp.Diff(want, current.Entries); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(tenure.Run(), *current); diff != "" {
		t.Errorf("the tenure has another run than the cluster: %s", diff)
	}
}

// TestSaveMayBeRepeated: after an answer that got lost, the same call writes
// nothing twice.
func TestSaveMayBeRepeated(t *testing.T) {
	refuse := func(string, string) error { return apierrors.NewServerTimeout(schemaConfigMaps, "update", 1) }
	for name, fail := range map[string]func(*apiServer){
		"the request got lost": func(s *apiServer) { s.fail(refuse, nil) },
		"the answer got lost":  func(s *apiServer) { s.fail(nil, refuse) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			tenure := p.acquire("alice", run(1), 0)
			fail(p.server)
			if err := tenure.Save(p.context(), 1, "switch", Entry{Kind: Note, Message: "once"}); err == nil {
				t.Fatal("no error")
			}
			p.server.fail(nil, nil)
			if err := tenure.Save(p.context(), 1, "switch", Entry{Kind: Note, Message: "once"}); err != nil {
				t.Fatal(err)
			}
			if current, _ := p.journal().Current(p.context()); len(current.Entries) != 1 || current.LastSequence != 1 {
				t.Errorf("the entries are %v", current.Entries)
			}
		})
	}
}

// TestAStrangersLabelIsNoLoss: somebody labels the record; the next write goes
// through and keeps the label.
func TestAStrangersLabelIsNoLoss(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	object, _, err := p.journal().readCurrent(p.context())
	if err != nil {
		t.Fatal(err)
	}
	object.Labels["team"] = "shop"
	if _, err := p.server.CoreV1().ConfigMaps("shop-ns").Update(p.context(), object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(p.context(), 1, "switch"); err != nil {
		t.Fatal(err)
	}
	if object, _, _ = p.journal().readCurrent(p.context()); object.Labels["team"] != "shop" {
		t.Error("the label is gone")
	}
}

// TestAStaleHolderIsRefused: a holder that slept through a take-over changes
// nothing, neither by saving nor by finishing.
func TestAStaleHolderIsRefused(t *testing.T) {
	for name, write := range map[string]func(*Tenure, context.Context) error{
		"save":   func(t *Tenure, ctx context.Context) error { return t.Save(ctx, "stale", "stale") },
		"record": func(t *Tenure, ctx context.Context) error { return t.Record(ctx, Entry{Kind: Note}) },
		"finish": func(t *Tenure, ctx context.Context) error { return t.Finish(ctx, "stale") },
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			p := newPlace(t)
			stale := p.acquire("alice", run(1), 0)
			crash(stale)
			fresh, err := p.attempt(AcquireOptions{Holder: "bob"}, run(1), time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if err := fresh.Save(p.context(), "fresh", "hold"); err != nil {
				t.Fatal(err)
			}
			if err := write(stale, p.context()); !errors.Is(err, ErrLost) || !errors.Is(err, cluster.ErrFenced) {
				t.Errorf("got %v", err)
			}
			select {
			case <-stale.Context(context.Background()).Done():
			case <-time.After(time.Minute):
				t.Error("the stale holder's context lives on")
			}
			runs, err := p.journal().List(p.context())
			if err != nil || len(runs) != 1 || runs[0].Phase != "hold" || runs[0].Outcome != "" {
				t.Errorf("the cluster has %+v, %v", runs, err)
			}
		}))
	}
}

func TestTheLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		tenure := p.acquire("alice", run(1), 0)
		ctx := tenure.Context(context.Background())
		renewed := make(chan struct{})
		go func() {
			defer close(renewed)
			for {
				lease, err := p.journal().readLease(context.Background())
				if err != nil || lease.Spec.RenewTime.Time.Sub(start) > time.Minute {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		p.passTime(renewed, time.Second)
		if ctx.Err() != nil {
			t.Error(context.Cause(ctx))
		}
	})
}

// TestTheContextEndsWithTheLease plants each way of losing it.
func TestTheContextEndsWithTheLease(t *testing.T) {
	for name, lose := range map[string]func(p *place){
		"renewals fail": func(p *place) {
			p.server.fail(func(_, resource string) error {
				if resource == "leases" {
					return errors.New("no route to host")
				}
				return nil
			}, nil)
		},
		"somebody else has taken it": func(p *place) {
			lease, _ := p.journal().readLease(p.context())
			fence := cluster.Fence{Epoch: 9, Holder: "bob"}
			if _, err := p.journal().writeLease(p.context(), p.journal().claimed(lease, fence, "x", DefaultLeaseDuration)); err != nil {
				p.t.Fatal(err)
			}
		},
		"it was deleted": func(p *place) {
			if err := p.server.CoordinationV1().Leases("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
				p.t.Fatal(err)
			}
		},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			p := newPlace(t)
			tenure := p.acquire("alice", run(1), 0)
			ctx := tenure.Context(context.Background())
			lose(p)
			p.passTime(ctx.Done(), time.Second)
			if cause := context.Cause(ctx); !errors.Is(cause, ErrLost) {
				t.Errorf("the cause is %v", cause)
			}
			if took := p.clock.Since(start); took > DefaultLeaseDuration+time.Second {
				t.Errorf("it took %s", took)
			}
			if err := tenure.Save(p.context(), 1, "switch"); !errors.Is(err, ErrLost) {
				t.Errorf("a write after that gave %v", err)
			}
			if err := tenure.Release(p.context()); !errors.Is(err, ErrLost) {
				t.Errorf("the release after that gave %v", err)
			}
		}))
	}
}

// TestADeletedRecordIsWrittenAnew: while the lease carries its claim the holder
// says again what it knows, and whoever has another claim gets no record from it.
func TestADeletedRecordIsWrittenAnew(t *testing.T) {
	for name, test := range map[string]struct {
		lease func(p *place)
		lost  bool
	}{
		"the lease is ours": {func(*place) {}, false},
		"somebody else has it": {func(p *place) {
			lease, _ := p.journal().readLease(p.context())
			if _, err := p.journal().writeLease(p.context(), p.journal().claimed(lease, cluster.Fence{Epoch: 9, Holder: "bob"}, "x", DefaultLeaseDuration)); err != nil {
				p.t.Fatal(err)
			}
		}, true},
		"it was deleted too": {func(p *place) {
			if err := p.server.CoordinationV1().Leases("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
				p.t.Fatal(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			tenure := p.acquire("alice", run(1), 0)
			if err := tenure.Save(p.context(), 1, "watch", Entry{Kind: Note, Message: "before"}); err != nil {
				t.Fatal(err)
			}
			if err := p.server.CoreV1().ConfigMaps("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			test.lease(p)
			if err := tenure.Save(p.context(), 2, "confirm", Entry{Kind: Note, Message: "after"}); errors.Is(err, ErrLost) != test.lost || (err != nil) != test.lost {
				t.Fatalf("the write after that gave %v", err)
			}
			current, err := p.journal().Current(p.context())
			if err != nil || (current == nil) != test.lost {
				t.Fatalf("the record is %+v, %v", current, err)
			}
			if test.lost {
				return
			}
			if diff := cmp.Diff(tenure.Run(), *current); diff != "" || len(current.Entries) != 2 {
				t.Errorf("the record has %d entries, and beside what the holder knows: %s", len(current.Entries), diff)
			}
			if err := tenure.Finish(p.context(), "done"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestARecordMadeUnreadableIsWrittenAnew: so is one that somebody damages under its
// holder. It is kept as it was found, and the record says so.
func TestARecordMadeUnreadableIsWrittenAnew(t *testing.T) {
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			tenure := p.acquire("alice", run(1), 0)
			found := p.damage(damage)
			err := tenure.Save(p.context(), 2, "confirm", Entry{Kind: Note, Message: "after"})
			if stampOf(found) > tenure.Run().Epoch { // somebody newer, by what the record says
				if !errors.Is(err, ErrLost) {
					t.Fatalf("the write after that gave %v", err)
				}
				return
			}
			current, unread := p.journal().Current(p.context())
			kept := p.kept()
			if err != nil || unread != nil || len(kept) != 1 {
				t.Fatalf("the write after that gave %v, and the record %v, beside %d kept", err, unread, len(kept))
			}
			if diff := cmp.Diff(found.Data, kept[0].Data); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tenure.Run(), *current); diff != "" || len(current.Entries) != 2 || current.Entries[1].Action != ActionSetAside {
				t.Errorf("the record has the entries %+v, and beside what the holder knows: %s", current.Entries, diff)
			}
			if err := tenure.Finish(p.context(), "done"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAnUnreadableRecordOfAnothersIsLeft: who has lost the lease writes over nothing,
// and a copy that the cluster refuses keeps nobody from going on.
func TestAnUnreadableRecordOfAnothersIsLeft(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	p.damage(cut)
	p.server.PrependReactor("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, full("create", "configmaps")
	})
	if err := tenure.Record(p.context(), Entry{Kind: Note}); err != nil || tenure.Run().Entries[1].Action != ActionGivenUp {
		t.Errorf("without a copy: %v, %+v", err, tenure.Run().Entries)
	}
	found := p.damage(cut)
	lease, _ := p.journal().readLease(p.context())
	if _, err := p.journal().writeLease(p.context(), p.journal().claimed(lease, cluster.Fence{Epoch: 9, Holder: "bob"}, "x", DefaultLeaseDuration)); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Record(p.context(), Entry{Kind: Note}); !errors.Is(err, ErrLost) {
		t.Errorf("without the lease: %v", err)
	}
	if diff := cmp.Diff(found, p.configMap("bluegreen-shop")); diff != "" {
		t.Error(diff)
	}
}

// TestABlipIsNoLoss: renewals fail for less than the duration.
func TestABlipIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		tenure := p.acquire("alice", run(1), 0)
		ctx := tenure.Context(context.Background())
		failures := 0
		healed := make(chan struct{})
		p.server.fail(func(_, _ string) error {
			if failures++; failures <= 5 {
				return errors.New("blip")
			}
			if failures == 10 {
				close(healed)
			}
			return nil
		}, nil)
		p.passTime(healed, time.Second)
		if ctx.Err() != nil {
			t.Error(context.Cause(ctx))
		}
	})
}

func TestFinishKeepsTheRunAndFreesTheRelease(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	if err := tenure.Finish(p.context(), "done"); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Finish(p.context(), "again"); err != nil {
		t.Errorf("finishing twice gave %v", err)
	}
	current, err := p.journal().Current(p.context())
	if err != nil || current.Outcome != "done" || current.Finished.IsZero() || string(current.Document) != "kind: Release\n" {
		t.Errorf("the last run is %+v, %v", current, err)
	}
	p.acquire("bob", run(2), 0)
	past, err := p.journal().Get(p.context(), run(1).ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(current, past); diff != "" {
		t.Error(diff)
	}
}

// TestFinishMayBeRepeated kills the release of the lease, then the archive.
func TestFinishMayBeRepeated(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	for _, victim := range []struct{ verb, resource string }{{"update", "leases"}, {"create", "configmaps"}} {
		p.server.fail(func(verb, resource string) error {
			if verb == victim.verb && resource == victim.resource {
				return errors.New("no route to host")
			}
			return nil
		}, nil)
		if err := tenure.Finish(p.context(), "done"); err == nil {
			t.Fatalf("%s of %s did not fail", victim.verb, victim.resource)
		}
	}
	p.server.fail(nil, nil)
	if err := tenure.Finish(p.context(), "done"); err != nil {
		t.Fatal(err)
	}
	if lease, _ := p.journal().readLease(p.context()); holderOf(lease) != "" {
		t.Errorf("the lease is left to %s", holderOf(lease))
	}
	if runs, err := p.journal().List(p.context()); err != nil || len(runs) != 1 {
		t.Errorf("got %v, %v", runs, err)
	}
}

// full is a namespace whose quota takes no more ConfigMaps.
func full(verb, resource string) error {
	if verb == "create" && resource == "configmaps" {
		return apierrors.NewForbidden(schemaConfigMaps, "bluegreen-shop", errors.New("exceeded quota: objects"))
	}
	return nil
}

// TestARunThatCanNotBeArchivedHasEnded: its outcome is in the current record,
// nobody waits for its lease, and nothing of it is lost once there is room.
func TestARunThatCanNotBeArchivedHasEnded(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	p.server.fail(full, nil)
	var left *LeftoverError
	if err := tenure.Finish(p.context(), "done"); !errors.As(err, &left) || left.Run != run(1).ID || !apierrors.IsForbidden(err) {
		t.Fatalf("got %v", err)
	}
	if lease, _ := p.journal().readLease(p.context()); holderOf(lease) != "" {
		t.Errorf("the lease is left to %s", holderOf(lease))
	}
	current, err := p.journal().Current(p.context())
	if err != nil || current.Outcome != "done" || current.Finished.IsZero() {
		t.Errorf("the last run is %+v, %v", current, err)
	}
	if _, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob"}, run(2)); !apierrors.IsForbidden(err) {
		t.Errorf("a shift over a record that is nowhere else gave %v", err)
	}
	p.server.fail(nil, nil)
	p.acquire("bob", run(2), 0)
	if past, err := p.journal().Get(p.context(), run(1).ID); err != nil || past.Outcome != "done" {
		t.Errorf("the past run is %+v, %v", past, err)
	}
}

// TestARollbackBeginsOverARunThatCanNotBeArchived: what is in the way of the
// archive must not keep traffic where it is; what may pass is tried again.
func TestARollbackBeginsOverARunThatCanNotBeArchived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		if err := p.acquire("alice", run(1), 0).Finish(p.context(), "done"); err != nil {
			t.Fatal(err)
		}
		if err := p.server.CoreV1().ConfigMaps("shop-ns").Delete(p.context(), "bluegreen-shop-"+run(1).ID, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		tenure := beginsPast(t, p)
		defer crash(tenure)
		entries := tenure.Run().Entries
		if len(entries) != 1 {
			t.Fatalf("the entries are %+v", entries)
		}
		want := Entry{Sequence: 1, Time: entries[0].Time, Kind: Note, Action: ActionUnarchived, Object: "run/" + run(1).ID, Message: entries[0].Message}
		if diff := cmp.Diff(want, entries[0]); diff != "" || !strings.Contains(want.Message, "exceeded quota") {
			t.Errorf("the entry says %q, %s", want.Message, diff)
		}
	})
}

func TestAnIntentIsNeverCut(t *testing.T) {
	p := newPlace(t)
	tenure := p.acquire("alice", run(1), 0)
	large, _ := json.Marshal(make([]int, dataLimit))
	if err := tenure.Record(p.context(), Entry{Kind: Intent, Data: large}); err == nil {
		t.Error("an intent was accepted that has no room")
	}
	if err := tenure.Record(p.context(), Entry{Kind: Decision, Data: large}); err != nil {
		t.Error(err)
	}
	if got := string(tenure.Run().Entries[0].Data); got != `{"omittedBytes":65537}` {
		t.Errorf("the data is %s", got)
	}
}

// TestAnOutageIsNoLoss: the API server answers nobody for much longer than the
// lease lasts, so that nobody can take it.
func TestAnOutageIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		tenure := p.acquire("alice", run(1), 0)
		ctx := tenure.Context(context.Background())
		p.passTime(p.outage(10*DefaultLeaseDuration), time.Second)
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		renewed := make(chan struct{})
		p.server.fail(nil, func(_, resource string) error {
			if resource == "leases" {
				close(renewed)
			}
			return nil
		})
		p.passTime(renewed, time.Second)
		p.server.fail(nil, nil)
		if err := tenure.Save(p.context(), 1, "switch"); err != nil || ctx.Err() != nil {
			t.Errorf("a write after the outage gave %v, the lease %v", err, context.Cause(ctx))
		}
	})
}

// TestAnOutageForOneIsTold: the API server answers others, one of whom takes
// the lease. The first renewal that gets through tells.
func TestAnOutageForOneIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		tenure := p.acquire("alice", run(1), 0)
		ctx := tenure.Context(context.Background())
		p.passTime(p.outage(2*DefaultLeaseDuration), time.Second)
		p.server.fail(nil, nil)
		lease, _ := p.journal().readLease(p.context())
		fence := cluster.Fence{Epoch: 9, Holder: "bob"}
		if _, err := p.journal().writeLease(p.context(), p.journal().claimed(lease, fence, "x", DefaultLeaseDuration)); err != nil {
			t.Fatal(err)
		}
		p.passTime(ctx.Done(), time.Second)
		if cause := context.Cause(ctx); !errors.Is(cause, ErrLost) || !strings.Contains(cause.Error(), `held by "bob"`) {
			t.Errorf("the cause is %v, want that bob holds the lease", cause)
		}
	})
}

// outage makes every write fail, and returns what is closed once that has
// lasted.
func (p *place) outage(duration time.Duration) <-chan struct{} {
	lasted := make(chan struct{})
	var once sync.Once
	p.server.fail(func(_, _ string) error {
		if p.clock.Since(start) > duration {
			once.Do(func() { close(lasted) })
		}
		return apierrors.NewServiceUnavailable("the server is gone")
	}, nil)
	return lasted
}

// TestARunBeginsThroughAnOutage: the API server goes away as the record is
// written, before that has landed or after. The lease is taken by then, and the
// run begins once it answers again, once.
func TestARunBeginsThroughAnOutage(t *testing.T) {
	for name, landed := range map[string]bool{"before it has landed": false, "after it has landed": true} {
		t.Run(name, inBubble(func(t *testing.T) {
			p := newPlace(t)
			failures := 0
			cut := func(_, resource string) error {
				if failures++; resource == "configmaps" && failures < 6 {
					return apierrors.NewServiceUnavailable("the server is gone")
				}
				return nil
			}
			if landed {
				p.server.fail(nil, cut)
			} else {
				p.server.fail(cut, nil)
			}
			tenure, err := p.attempt(AcquireOptions{Holder: "alice"}, run(1), recordPause)
			if err != nil {
				t.Fatal(err)
			}
			defer crash(tenure)
			p.server.fail(nil, nil)
			current, err := p.journal().Current(p.context())
			if err != nil || current.ID != run(1).ID || current.Epoch != 1 || current.Holder != "alice" {
				t.Errorf("the record is %+v, %v", current, err)
			}
			if err := tenure.Save(p.context(), 1, "switch"); err != nil {
				t.Error(err)
			}
		}))
	}
}

// TestARenewalThatLandedUnheardLosesNothing: the outage begins in the midst of a
// renewal, which gets through without our hearing of it. The first one after the
// outage finds another version of the lease, and that it is ours.
func TestARenewalThatLandedUnheardLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		tenure := p.acquire("alice", run(1), 0)
		ctx := tenure.Context(context.Background())
		landed := make(chan struct{})
		p.server.fail(nil, func(_, resource string) error {
			if resource != "leases" {
				return nil
			}
			close(landed)
			return apierrors.NewServiceUnavailable("the answer is lost")
		})
		p.passTime(landed, time.Second)
		p.passTime(p.outage(2*DefaultLeaseDuration), time.Second)
		renewed := make(chan struct{})
		var once sync.Once
		p.server.fail(nil, func(_, resource string) error {
			if resource == "leases" {
				once.Do(func() { close(renewed) })
			}
			return nil
		})
		p.passTime(renewed, time.Second)
		p.server.fail(nil, nil)
		if err := tenure.Save(p.context(), 1, "switch"); err != nil || ctx.Err() != nil {
			t.Errorf("a write after the outage gave %v, the lease %v", err, context.Cause(ctx))
		}
	})
}
