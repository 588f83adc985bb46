package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A process that sleeps between its read of the route and its write, while
// another takes the run over and has stamped the route but not written its
// split yet, has its write refused by the API server when it wakes. It says
// that it lost the run, and writes nothing more.
func TestPausedHolderIsFenced(t *testing.T) {
	t.Run("by a resume", func(t *testing.T) {
		p := openPaused(t)
		first := p.sleepsAtSwitch()

		// The second waits until the lease has run out, and stops before it
		// writes the split that the first one is about to write.
		hold := p.second.holdAt(crash.Point{Kind: crash.Write, What: switchesRoute})
		second := p.start(p.second, "resume", "-o", "json")
		p.awaits(hold, second)
		p.wakes(first)

		close(hold.release)
		status := p.status(p.ended(second, rollout.CodeDone))
		if status.Phase != rollout.Done {
			t.Errorf("the second ended in phase %s, want done", status.Phase)
		}
		p.serves(shop.Green)
	})
	t.Run("by a forced rollback", func(t *testing.T) {
		p := openPaused(t)
		first := p.sleepsAtSwitch()

		// The second waits for nobody. The split that it wants is there, so
		// that its stamp is all that stands in the way of the first.
		hold := p.second.holdAt(crash.Point{Kind: crash.Result, What: "stamp " + routeObject})
		second := p.start(p.second, "rollback", "--force", "-o", "json")
		p.awaits(hold, second)
		p.wakes(first)

		close(hold.release)
		status := p.status(p.ended(second, rollout.CodeDone))
		if status.Phase != rollout.RolledBack {
			t.Errorf("the second ended in phase %s, want rolled back", status.Phase)
		}
		p.serves(shop.Blue)
	})
}

const (
	// routeObject is the production Service as the record names it.
	routeObject = "service/" + shop.Service
	// switchesRoute is the write of a shift's split.
	switchesRoute = "switch patch services/" + shop.Service
	// pausedLease is how long the process that is put to sleep may be silent.
	pausedLease = "3s"
)

// paused is a shop with two ways to its API server, one for each process.
type paused struct {
	*scenario
	first, second *wire
}

func openPaused(t *testing.T) *paused {
	t.Helper()
	s := open(t, shop.Options{GreenByHand: true, Release: crash.Driver{}.Quick(release.DrainNone)})
	s.production(keepAliveClients/2, freshClients/2)
	ledger := crash.NewLedger(s.shop.Namespace, shop.Release)
	p := &paused{scenario: s, first: openWire(t, s, ledger), second: openWire(t, s, ledger)}
	t.Cleanup(func() {
		if found := ledger.Unannounced(); len(found) > 0 {
			t.Errorf("%swrites without an intent: %q", promise.Broken, found)
		}
	})
	return p
}

// start starts the program behind a wire.
func (p *paused) start(behind *wire, args ...string) *shop.Process {
	p.t.Helper()
	args = append(args, "--kubeconfig", behind.proxy.Kubeconfig(), "--lease-duration", pausedLease)
	process := p.scenario.start(args...)
	// One that sleeps hears no other signal.
	p.t.Cleanup(func() { _ = process.Signal(syscall.SIGCONT) })
	return process
}

// sleeper is a process that was put to sleep at its write of the route.
type sleeper struct {
	process *shop.Process
	hold    *hold
}

// sleepsAtSwitch starts a shift and puts it to sleep once its write of the
// route is on its way.
func (p *paused) sleepsAtSwitch() sleeper {
	p.t.Helper()
	found := sleeper{hold: p.first.holdAt(crash.Point{Kind: crash.Write, What: switchesRoute})}
	found.process = p.start(p.first, "shift", "--to", shop.Green)
	p.awaits(found.hold, found.process)
	if err := found.process.Signal(syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	return found
}

// awaits waits until a write of a process is held.
func (p *paused) awaits(hold *hold, process *shop.Process) {
	p.t.Helper()
	select {
	case <-hold.held:
	case <-process.Done():
		p.t.Fatalf("the process ended before it wrote that:\n%s", process.Stderr())
	}
}

// wakes lets the write of a process that sleeps go, and wakes it. The second
// one holds the run by then, and its stamp is on the route.
func (p *paused) wakes(first sleeper) {
	p.t.Helper()
	before := p.route()
	stamp, err := cluster.FenceOf(before)
	if err != nil {
		p.t.Fatal(err)
	}
	if before.Spec.Selector["version"] != shop.Blue || strings.HasSuffix(stamp.Holder, fmt.Sprintf("/%d", first.process.PID())) {
		p.t.Errorf("before the first one wakes production selects %v and is stamped by %s", before.Spec.Selector, stamp.Holder)
	}
	p.first.forget()
	close(first.hold.release)
	select {
	case status := <-first.hold.answered:
		p.t.Logf("the write of the paused process was answered with %d", status)
		if status != http.StatusConflict && status != http.StatusUnprocessableEntity {
			p.t.Errorf("%sthe write of the paused process was answered with %d, want a refusal", promise.Broken, status)
		}
	case <-time.After(hang):
		p.t.Fatal("the write of the paused process was never answered")
	}
	if after := p.route(); after.ResourceVersion != before.ResourceVersion {
		p.t.Errorf("%sproduction was changed: selector %v, annotations %v", promise.Broken, after.Spec.Selector, after.Annotations)
	}
	if err := first.process.Signal(syscall.SIGCONT); err != nil {
		p.t.Fatal(err)
	}
	result := p.ended(first.process, rollout.CodeHeld)
	says(p.t, result.Stdout+result.Stderr, "lost", "nothing more was written")
	if wrote := p.first.wrote(); len(wrote) > 0 {
		p.t.Errorf("%safter it woke the first process wrote %q", promise.Broken, wrote)
	}
	if after := p.route(); after.ResourceVersion != before.ResourceVersion {
		p.t.Errorf("%sproduction was changed: selector %v, annotations %v", promise.Broken, after.Spec.Selector, after.Annotations)
	}
}

func (p *paused) route() *corev1.Service {
	p.t.Helper()
	service, err := place(p.t).Client.Kubernetes.CoreV1().Services(p.shop.Namespace).Get(p.t.Context(), shop.Service, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return service
}

// wire is one process's way to the API server.
type wire struct {
	proxy  *interpose.Proxy
	ledger *crash.Ledger

	mutex sync.Mutex
	// holds are those that wait for their write, under those whose write has
	// come.
	holds  map[crash.Point]*hold
	under  map[*interpose.Exchange]*hold
	writes []string
}

// hold is a write that waits until it is released.
type hold struct {
	// held is closed when the write has arrived, answered tells the status of
	// the API server's answer to it.
	held, release chan struct{}
	answered      chan int
}

func openWire(t *testing.T, s *scenario, ledger *crash.Ledger) *wire {
	t.Helper()
	proxy, err := interpose.Start(t.Context(), place(t).Kubeconfig, s.shop.Folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	opened := &wire{proxy: proxy, ledger: ledger, holds: map[crash.Point]*hold{}, under: map[*interpose.Exchange]*hold{}}
	proxy.Use(opened.see)
	return opened
}

// holdAt holds the first write of that kind.
func (w *wire) holdAt(point crash.Point) *hold {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	found := &hold{held: make(chan struct{}), release: make(chan struct{}), answered: make(chan int, 1)}
	w.holds[point] = found
	return found
}

// see is the hook of the wire.
func (w *wire) see(ctx context.Context, exchange *interpose.Exchange) interpose.Reaction {
	point, _ := w.ledger.See(exchange)
	found := w.holdOf(point, exchange)
	switch {
	case found == nil:
	case exchange.Stage == interpose.Answered:
		found.answered <- exchange.Status
	default:
		close(found.held)
		select {
		case <-found.release:
		case <-ctx.Done():
			return interpose.Drop()
		}
	}
	return interpose.Pass()
}

// holdOf is the hold of an exchange, nil where it has none. It notes what was
// written.
func (w *wire) holdOf(point crash.Point, exchange *interpose.Exchange) *hold {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if exchange.Wrote() {
		w.writes = append(w.writes, exchange.String())
	}
	if found := w.holds[point]; found != nil && exchange.Stage == interpose.Arriving {
		delete(w.holds, point)
		w.under[exchange] = found
	}
	return w.under[exchange]
}

// forget forgets what was written so far; wrote is what was written since.
func (w *wire) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.writes = nil
}

func (w *wire) wrote() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.writes)
}
