package journal

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Whose run a stamp is of, by what has become of that run: the release cart
// shares an object with shop, which asks.
func TestOther(t *testing.T) {
	for name, test := range map[string]struct {
		// becomes is done to cart's run, whose stamp this is.
		becomes func(p *place, cart *Tenure) error
		// asked changes the stamp that is asked about.
		asked func(stamp cluster.Fence) cluster.Fence
		named bool
	}{
		"under way":        {named: true},
		"its process died": {becomes: func(_ *place, cart *Tenure) error { crash(cart); return nil }, named: true},
		"held":             {becomes: func(p *place, cart *Tenure) error { return cart.Release(p.context()) }},
		"ended":            {becomes: func(p *place, cart *Tenure) error { return cart.Finish(p.context(), "done") }},
		"ended, and its lease was left": {becomes: func(p *place, cart *Tenure) error {
			crash(cart)
			return cart.write(p.context(), func(run *Run) error { run.Finished = start; return nil }, nil)
		}},
		"its record is damaged": {becomes: func(p *place, _ *Tenure) error {
			return p.change(Name("cart"), func(record *corev1.ConfigMap) { record.Data = map[string]string{"version": "none"} })
		}, named: true},
		"its record is gone": {becomes: func(p *place, _ *Tenure) error {
			return p.server.CoreV1().ConfigMaps("shop-ns").Delete(p.context(), Name("cart"), metav1.DeleteOptions{})
		}, named: true},
		"taken over since": {becomes: func(p *place, _ *Tenure) error {
			taken, err := p.cart().Acquire(p.context(), AcquireOptions{Holder: "carol", TakeOver: true}, run(1))
			if err == nil {
				crash(taken)
			}
			return err
		}},
		"another holder": {asked: func(stamp cluster.Fence) cluster.Fence { return cluster.Fence{Epoch: stamp.Epoch, Holder: "carol"} }},
		"another epoch": {asked: func(stamp cluster.Fence) cluster.Fence {
			return cluster.Fence{Epoch: stamp.Epoch - 1, Holder: stamp.Holder}
		}},
		"no holder": {asked: func(stamp cluster.Fence) cluster.Fence { return cluster.Fence{Epoch: stamp.Epoch} }},
		"no stamp":  {asked: func(cluster.Fence) cluster.Fence { return cluster.Fence{} }},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			cart, err := p.cart().Acquire(p.context(), AcquireOptions{Holder: "bob", Floor: 6}, run(1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cart.stop() })
			// Shop's own run has the same number.
			p.acquire("alice", run(2), 6)
			stamp := cart.Fence()
			if test.becomes != nil {
				if err := test.becomes(p, cart); err != nil {
					t.Fatal(err)
				}
			}
			if test.asked != nil {
				stamp = test.asked(stamp)
			}
			held, err := p.journal().Other(p.context(), stamp)
			if err != nil || (held != nil) != test.named {
				t.Fatalf("the stamp %+v is of %v, %v; want one to be named: %v", stamp, held, err, test.named)
			}
			if held != nil && (held.Release != "cart" || held.Run != run(1).ID || held.Holder != "bob" || !held.Renewed.Equal(start)) {
				t.Errorf("it is of %+v", held)
			}
		})
	}
}

// A stamp of this release's own last run takes no right to list leases; where
// they can't be listed, whose any other is stays unknown.
func TestOtherAsksForWhatIsNotItsOwn(t *testing.T) {
	p := newPlace(t)
	own := p.acquire("alice", run(1), 6).Fence()
	p.server.PrependReactor("list", "leases", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("leases"), "", errors.New("no"))
	})
	if held, err := p.journal().Other(p.context(), own); held != nil || err != nil {
		t.Errorf("its own stamp is of %v, %v", held, err)
	}
	if held, err := p.journal().Other(p.context(), cluster.Fence{Epoch: own.Epoch, Holder: "bob"}); held != nil || !apierrors.IsForbidden(err) {
		t.Errorf("another's is of %v, %v; want it to be forbidden", held, err)
	}
}

// cart is the journal of another release of the same namespace.
func (p *place) cart() *Journal { return New(p.server, "shop-ns", "cart", p.clock) }

// change changes a record as a person does.
func (p *place) change(name string, change func(*corev1.ConfigMap)) error {
	records := p.server.CoreV1().ConfigMaps("shop-ns")
	record, err := records.Get(p.context(), name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	change(record)
	_, err = records.Update(p.context(), record, metav1.UpdateOptions{})
	return err
}
