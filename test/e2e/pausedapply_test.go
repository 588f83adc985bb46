package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A process that sleeps in the midst of applying the target's manifests, while
// another takes the run over, changes nothing of it when it wakes. Its one write
// that was on its way creates what nobody has created meanwhile, and is refused
// over everything else.
func TestPausedApplyIsFenced(t *testing.T) {
	for name, test := range map[string]struct {
		// deployed: green's objects are there already.
		deployed bool
		// goes is how the other one goes on, and serves what it leads to.
		goes   []string
		serves string
		lands  bool
	}{
		"nothing is there, and it is ended":    {false, []string{"rollback", "--force"}, shop.Blue, true},
		"nothing is there, and it is gone on":  {false, []string{"resume"}, shop.Green, false},
		"everything is there, and it is ended": {true, []string{"rollback", "--force"}, shop.Blue, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, shop.Options{Release: crash.Driver{}.Quick(release.DrainNone)})
			if test.deployed {
				if err := errors.Join(s.shop.Deploy(t.Context(), shop.Green), s.shop.AwaitReady(t.Context(), shop.Green)); err != nil {
					t.Fatal(err)
				}
			}
			s.production(keepAliveClients/2, freshClients/2)
			ledger := crash.NewLedger(s.shop.Namespace, shop.Release)
			p := &paused{scenario: s, first: openWire(t, s, ledger), second: openWire(t, s, ledger)}
			applied := p.pauseApply(test.goes)
			before := p.ofGreen()
			p.wakeApply(applied, test.lands)
			if difference := cmp.Diff(before, p.ofGreen()); difference != "" && !test.lands {
				t.Errorf("%sthe sleeper changed what green consists of:\n%s", promise.Broken, difference)
			}
			if !test.deployed && test.serves == shop.Blue && p.ofGreen()["Deployment"] != "" {
				t.Error(promise.Broken + "the sleeper applied the Deployment of green")
			}
			s.serves(test.serves)
			// What was left behind is in nobody's way.
			s.run(rollout.CodeDone, "shift", "--to", shop.Green)
			s.serves(shop.Green)
		})
	}
}

// pauseApply stops a shift as it writes the first object of green's manifests,
// while another process goes on with its run.
func (p *paused) pauseApply(goes []string) sleeper {
	p.t.Helper()
	hold := p.first.holdAt(crash.Point{Kind: crash.Write, What: "apply patch services/svc-green"})
	first := p.start(p.first, "shift", "--to", shop.Green)
	p.awaits(hold, first)
	if err := first.Signal(syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	p.ended(p.start(p.second, goes...), rollout.CodeDone)
	return sleeper{process: first, hold: hold}
}

// wakeApply lets the write go, and then wakes its process.
func (p *paused) wakeApply(first sleeper, lands bool) {
	p.t.Helper()
	close(first.hold.release)
	select {
	case status := <-first.hold.answered:
		if landed := status < http.StatusMultipleChoices; landed != lands {
			p.t.Errorf("%sthe write of the paused process was answered with %d; that it lands should be %v", promise.Broken, status, lands)
		}
	case <-time.After(hang):
		p.t.Fatal("the write of the paused process was never answered")
	}
	if err := first.process.Signal(syscall.SIGCONT); err != nil {
		p.t.Fatal(err)
	}
	result := p.ended(first.process, rollout.CodeHeld)
	if said := result.Stdout + result.Stderr; !strings.Contains(said, "taken over") && !strings.Contains(said, "lost") {
		p.t.Errorf("nothing says that the run was taken over:\n%s", said)
	}
}

// ofGreen are, by kind, the generation and the stamp of what green consists of,
// "" for what does not exist.
func (p *paused) ofGreen() map[string]string {
	p.t.Helper()
	ctx, clientset := context.WithoutCancel(p.t.Context()), place(p.t).Client.Kubernetes
	service, missing := clientset.CoreV1().Services(p.shop.Namespace).Get(ctx, "svc-green", metav1.GetOptions{})
	deployment, absent := clientset.AppsV1().Deployments(p.shop.Namespace).Get(ctx, shop.Deployment(shop.Green), metav1.GetOptions{})
	found := map[string]string{}
	for kind, read := range map[string]struct {
		object metav1.Object
		err    error
	}{"Service": {service, missing}, "Deployment": {deployment, absent}} {
		switch {
		case apierrors.IsNotFound(read.err):
			found[kind] = ""
		case read.err != nil:
			p.t.Fatal(read.err)
		default:
			found[kind] = fmt.Sprintf("generation %d, epoch %s", read.object.GetGeneration(), read.object.GetAnnotations()[cluster.AnnotationEpoch])
		}
	}
	return found
}
