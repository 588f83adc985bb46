package journal

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// configMap reads one ConfigMap of the place, or fails the test.
func (p *place) configMap(name string) *corev1.ConfigMap {
	p.t.Helper()
	object, err := p.server.CoreV1().ConfigMaps("shop-ns").Get(p.context(), name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return object
}

// damage changes the current record and returns it as it is then.
func (p *place) damage(change func(*corev1.ConfigMap)) *corev1.ConfigMap {
	p.t.Helper()
	object := p.configMap("bluegreen-shop")
	change(object)
	if _, err := p.server.CoreV1().ConfigMaps("shop-ns").Update(p.context(), object, metav1.UpdateOptions{}); err != nil {
		p.t.Fatal(err)
	}
	return p.configMap("bluegreen-shop")
}

// kept are the records that were set aside.
func (p *place) kept() []corev1.ConfigMap {
	p.t.Helper()
	objects, err := p.journal().selected(p.context())
	if err != nil {
		p.t.Fatal(err)
	}
	var found []corev1.ConfigMap
	for _, object := range objects {
		if strings.HasPrefix(object.Name, "bluegreen-shop-unreadable-") {
			found = append(found, object)
		}
	}
	return found
}

// left is a place where alice has left an unfinished run.
func left(t *testing.T) *place {
	p := newPlace(t)
	if err := p.acquire("alice", run(1), 4).Release(p.context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnUnreadableRecordIsSetAside: whatever is wrong with the record, it is
// kept as it was, and a new run begins and ends like any other.
func TestAnUnreadableRecordIsSetAside(t *testing.T) {
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			p := left(t)
			found := p.damage(func(c *corev1.ConfigMap) {
				c.BinaryData = map[string][]byte{"more": {1}}
				damage(c)
			})
			tenure, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true}, run(2))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { tenure.stop() })
			kept := p.kept()
			if len(kept) != 1 {
				t.Fatalf("%d records are kept", len(kept))
			}
			for what, pair := range map[string][2]any{
				"data": {found.Data, kept[0].Data}, "binary data": {found.BinaryData, kept[0].BinaryData}, "annotations": {found.Annotations, kept[0].Annotations},
			} {
				if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
			if got := p.configMap("bluegreen-shop"); len(got.BinaryData) != 0 {
				t.Errorf("the new record has %v of the old one", got.BinaryData)
			}
			begun := tenure.Run()
			if begun.ID != run(2).ID || begun.Epoch <= 5 || begun.Phase != "preflight" {
				t.Errorf("the run is %+v", begun)
			}
			want := Entry{Sequence: 1, Time: start, Kind: Note, Action: ActionSetAside, Object: "configmap/" + kept[0].Name, Message: begun.Entries[0].Message}
			if diff := cmp.Diff([]Entry{want}, begun.Entries); diff != "" || !strings.HasPrefix(want.Message, "read configmap shop-ns/bluegreen-shop: it") {
				t.Errorf("the entry says %q, %s", want.Message, diff)
			}
			if err := tenure.Finish(p.context(), "rolled-back"); err != nil {
				t.Fatal(err)
			}
			if runs, err := p.journal().List(p.context()); err != nil || len(runs) != 1 || runs[0].Outcome != "rolled-back" {
				t.Errorf("listed %+v, %v", runs, err)
			}
		})
	}
}

// TestWhatCanBeReadIsNotSetAside: an unfinished run stays in the way, and one
// that is continued is continued.
func TestWhatCanBeReadIsNotSetAside(t *testing.T) {
	p := left(t)
	var unfinished *UnfinishedError
	if _, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true}, run(2)); !errors.As(err, &unfinished) {
		t.Errorf("got %v", err)
	}
	tenure, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true}, Run{ID: run(1).ID})
	if err != nil {
		t.Fatal(err)
	}
	defer crash(tenure)
	if got := tenure.Run(); got.From != "blue" || len(got.Entries) != 0 {
		t.Errorf("got %+v", got)
	}
	if kept := p.kept(); len(kept) != 0 {
		t.Errorf("%d records are kept", len(kept))
	}
}

// TestTheEpochOfAnUnreadableRecordCounts: where nothing else says what the
// last epoch was, its annotation does.
func TestTheEpochOfAnUnreadableRecordCounts(t *testing.T) {
	p := left(t)
	p.damage(func(c *corev1.ConfigMap) { c.Data[keyVersion], c.Annotations[cluster.AnnotationEpoch] = "2", "99" })
	if err := p.server.CoordinationV1().Leases("shop-ns").Delete(p.context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	tenure, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true}, run(2))
	if err != nil {
		t.Fatal(err)
	}
	defer crash(tenure)
	if got := tenure.Fence().Epoch; got != 100 {
		t.Errorf("the epoch is %d", got)
	}
}

// TestAHolderThatLivesKeepsItsRecord: a newer version of the tool drives the
// run. It is asked to stop, not robbed; and once it is robbed it is fenced.
func TestAHolderThatLivesKeepsItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		alice := p.acquire("alice", run(1), 0)
		p.damage(func(c *corev1.ConfigMap) { c.Data[keyVersion] = "2" })
		var held *HeldError
		if _, err := p.attempt(AcquireOptions{Holder: "bob", SetAside: true}, run(2), 100*time.Millisecond); !errors.As(err, &held) || held.Run != run(1).ID {
			t.Errorf("got %v", err)
		}
		if kept := p.kept(); len(kept) != 0 {
			t.Errorf("%d records are kept", len(kept))
		}
		bob, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true, TakeOver: true}, run(2))
		if err != nil {
			t.Fatal(err)
		}
		defer crash(bob)
		if err := alice.Save(p.context(), 1, "switch"); !errors.Is(err, ErrLost) {
			t.Errorf("the old holder's write gave %v", err)
		}
	})
}

// rewrite puts another current record there, past the fake's checks, as
// somebody does who is faster. It may be called from a hook.
func (p *place) rewrite(object *corev1.ConfigMap, resourceVersion string) error {
	next := object.DeepCopy()
	next.ResourceVersion = resourceVersion
	return p.server.Tracker().Update(corev1.SchemeGroupVersion.WithResource("configmaps"), next, "shop-ns")
}

// TestARaceForAnUnreadableRecordIsLost: somebody writes the record after bob
// has read it. Theirs stays, whether bob can read it or not, and the lease is
// given back.
func TestARaceForAnUnreadableRecordIsLost(t *testing.T) {
	var unfinished *UnfinishedError
	for name, test := range map[string]struct {
		verb, resource string
		faster         func(good *corev1.ConfigMap) *corev1.ConfigMap
		want           func(error) bool
	}{
		"a newer holder, once the lease is taken": {"update", "leases", func(good *corev1.ConfigMap) *corev1.ConfigMap {
			good.Data[keyVersion], good.Annotations[cluster.AnnotationEpoch] = "2", "50"
			return good
		}, func(err error) bool { return errors.Is(err, ErrLost) }},
		"a newer holder, once the copy is made": {"create", "configmaps", func(good *corev1.ConfigMap) *corev1.ConfigMap {
			good.Data[keyVersion], good.Annotations[cluster.AnnotationEpoch] = "2", "50"
			return good
		}, func(err error) bool { return errors.Is(err, ErrLost) }},
		"it is mended, once the copy is made": {"create", "configmaps", func(good *corev1.ConfigMap) *corev1.ConfigMap {
			return good
		}, func(err error) bool { return errors.As(err, &unfinished) }},
	} {
		t.Run(name, func(t *testing.T) {
			p := left(t)
			theirs := test.faster(p.configMap("bluegreen-shop"))
			p.damage(cut)
			p.server.fail(nil, func(verb, resource string) error {
				if verb != test.verb || resource != test.resource {
					return nil
				}
				p.server.after = nil
				return p.rewrite(theirs, "faster")
			})
			_, err := p.journal().Acquire(p.context(), AcquireOptions{Holder: "bob", SetAside: true}, run(2))
			if !test.want(err) {
				t.Errorf("got %v", err)
			}
			got := p.configMap("bluegreen-shop")
			if diff := cmp.Diff(theirs.Data, got.Data); diff != "" || got.ResourceVersion != "faster" {
				t.Errorf("their record was written over: %s", diff)
			}
			if lease, _ := p.journal().readLease(p.context()); holderOf(lease) != "" {
				t.Errorf("the lease is left to %s", holderOf(lease))
			}
		})
	}
}

// TestSettingAsideMayBeRepeated: the copy was made, the write of the new
// record failed. The next attempt makes no second copy.
func TestSettingAsideMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := left(t)
		p.damage(cut)
		p.server.fail(func(verb, resource string) error {
			if verb == "update" && resource == "configmaps" {
				return apierrors.NewServerTimeout(schemaConfigMaps, verb, 1)
			}
			return nil
		}, nil)
		options := AcquireOptions{Holder: "bob", SetAside: true}
		if _, err := p.attempt(options, run(2), recordPatience/4); err == nil {
			t.Fatal("no error")
		}
		p.server.fail(nil, nil)
		tenure, err := p.journal().Acquire(p.context(), options, run(3))
		if err != nil {
			t.Fatal(err)
		}
		defer crash(tenure)
		if kept := p.kept(); len(kept) != 1 {
			t.Errorf("%d records are kept", len(kept))
		}
	})
}

// beginsPast begins a run where a ConfigMap can't be made, and fails the test where
// one begins while what is in the way may pass.
func beginsPast(t *testing.T, p *place) *Tenure {
	t.Helper()
	options := AcquireOptions{Holder: "bob", SetAside: true}
	p.server.fail(func(verb, resource string) error {
		if full(verb, resource) != nil {
			return apierrors.NewServerTimeout(schemaConfigMaps, verb, 1)
		}
		return nil
	}, nil)
	if _, err := p.attempt(options, run(2), recordPatience/4); err == nil {
		t.Error("a record was given up for what may pass")
	}
	p.server.fail(full, nil)
	tenure, err := p.journal().Acquire(p.context(), options, run(2))
	if err != nil {
		t.Fatal(err)
	}
	return tenure
}

// TestARecordThatCanNotBeKeptIsGivenUp: what is in the way of the copy must not
// keep traffic where it is; what may pass is tried again.
func TestARecordThatCanNotBeKeptIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := left(t)
		p.damage(cut)
		tenure := beginsPast(t, p)
		defer crash(tenure)
		begun := tenure.Run()
		if len(begun.Entries) != 1 || begun.ID != run(2).ID || begun.Epoch <= 5 || len(p.kept()) != 0 {
			t.Fatalf("the run is %+v", begun)
		}
		want := Entry{Sequence: 1, Time: begun.Entries[0].Time, Kind: Note, Action: ActionGivenUp, Object: "configmap/bluegreen-shop", Message: begun.Entries[0].Message}
		if diff := cmp.Diff(want, begun.Entries[0]); diff != "" || !strings.HasPrefix(want.Message, "read configmap") || !strings.Contains(want.Message, "exceeded quota") {
			t.Errorf("the entry says %q, %s", want.Message, diff)
		}
	})
}

// TestOneOfManySetsAside: of many that find the same unreadable record one
// begins a run.
func TestOneOfManySetsAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := left(t)
		p.damage(cut)
		const racers = 6
		var wait sync.WaitGroup
		tenures, faults := make([]*Tenure, racers), make([]error, racers)
		done := make(chan struct{})
		for i := range racers {
			wait.Go(func() {
				tenures[i], faults[i] = p.journal().Acquire(p.context(), AcquireOptions{Holder: string(rune('a' + i)), SetAside: true}, run(2+i))
			})
		}
		go func() { wait.Wait(); close(done) }()
		p.passTime(done, 500*time.Millisecond)
		won := 0
		for i, tenure := range tenures {
			var held *HeldError
			switch {
			case tenure != nil:
				won++
				crash(tenure)
			case !errors.As(faults[i], &held):
				t.Errorf("a loser was told: %v", faults[i])
			}
		}
		if kept := p.kept(); won != 1 || len(kept) != 1 {
			t.Errorf("%d have begun, %d records are kept", won, len(kept))
		}
	})
}
