package race

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/audit"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Setting is where races are held.
type Setting struct {
	// Lab writes an audit log.
	Lab *lab.Lab
	// Driver is the kind of the shop's route.
	Driver crash.Driver
	// Shop is open. Nobody else works on it.
	Shop *shop.Shop
	// Load is sent to production all the time.
	Load *clients.Run
	// Logf is told what happens.
	Logf func(format string, args ...any)
}

// Arena is a shop that processes race for.
type Arena struct {
	Setting
	// proxy is the way of the process that sleeps to the API server, and
	// accounts the kubeconfigs of the others.
	proxy    *interpose.Proxy
	accounts map[role]string
	// usual is a shift without a rival.
	usual length
	// others is how many processes of those who take over are running.
	others atomic.Int32

	mutex sync.Mutex
	// asleep is the sleeper of the race that is held.
	asleep *sleeper
}

// role is what somebody does in a race. Each logs in as somebody else.
type role string

const (
	sleeping role = "sleeper"
	first    role = "first"
	second   role = "second"
	// bystander brings to an end what the others leave.
	bystander role = "bystander"
)

// Open makes the accounts, and shifts once without a rival. Each account may do
// everything: what they may do is not what the race is about.
func Open(ctx context.Context, setting Setting) (*Arena, error) {
	arena := &Arena{Setting: setting, accounts: map[role]string{}}
	everything := []rbacv1.PolicyRule{
		{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
		{Verbs: []string{"get"}, NonResourceURLs: []string{"*"}},
	}
	for _, who := range []role{sleeping, first, second, bystander} {
		kubeconfig, err := setting.Lab.KubeconfigFor(ctx, setting.Shop.Namespace+"-"+string(who), everything)
		if err != nil {
			return nil, err
		}
		arena.accounts[who] = kubeconfig
	}
	proxy, err := interpose.Start(ctx, arena.accounts[sleeping], setting.Shop.Folder)
	if err != nil {
		return nil, err
	}
	arena.proxy, arena.accounts[sleeping] = proxy, proxy.Kubeconfig()
	proxy.Use(arena.see)
	if err := arena.learn(ctx); err != nil {
		arena.Close()
		return nil, err
	}
	return arena, nil
}

// use takes a process as the one that may be put to sleep.
func (a *Arena) use(next *sleeper) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.asleep = next
}

// Close ends the proxy.
func (a *Arena) Close() { a.proxy.Close() }

// start starts the program as somebody.
func (a *Arena) start(ctx context.Context, who role, args ...string) (*shop.Process, error) {
	return a.Shop.Start(ctx, append(args, "--kubeconfig", a.accounts[who], "--lease-duration", lease.String())...)
}

// journal is the release's.
func (a *Arena) journal() *journal.Journal {
	return journal.New(a.Shop.Client().Kubernetes, a.Shop.Namespace, shop.Release, clock.RealClock{})
}

// record is the current run, nil where there is none.
func (a *Arena) record(ctx context.Context) (*journal.Run, error) { return a.journal().Current(ctx) }

// judged reads what the log says of a race that began at an offset, once it
// holds all that the cluster does.
func (a *Arena) judged(ctx context.Context, offset int64) (audit.Verdict, error) {
	resource, name := a.Shop.Object()
	release := audit.Release{Name: shop.Release, Route: resource.Resource + "/" + name, AtLeast: fewest}
	var err error
	if release.Live, err = a.live(ctx, release); err != nil {
		return audit.Verdict{}, err
	}
	// What was answered is in the log a moment later.
	if err := pause(ctx, settling); err != nil {
		return audit.Verdict{}, err
	}
	writes, err := audit.ReadFrom(a.Lab.AuditLog(), offset, a.Shop.Namespace)
	if err != nil {
		return audit.Verdict{}, err
	}
	return audit.Judge(writes, release), nil
}

// live are the revisions of what must be the last in the log.
func (a *Arena) live(ctx context.Context, release audit.Release) (map[string]int64, error) {
	client, namespace := a.Shop.Client().Kubernetes, a.Shop.Namespace
	lease, err := client.CoordinationV1().Leases(namespace).Get(ctx, journal.Name(shop.Release), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read lease: %w", err)
	}
	record, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, journal.Name(shop.Release), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	route, err := a.Shop.Production(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	var failures []error
	for name, object := range map[string]metav1.Object{release.Lease(): lease, release.Record(): record, release.Route: route} {
		found[name], err = audit.Revision(object.GetResourceVersion())
		failures = append(failures, err)
	}
	return found, errors.Join(failures...)
}

// harmless returns an error where a stop is left on the route that would keep
// the next shift from beginning, until a person lifts it. One by which a rollback
// has asked a run that ended before it saw it is for that run alone.
func (a *Arena) harmless(ctx context.Context) error {
	route, err := a.Shop.Production(ctx)
	if err != nil {
		return err
	}
	stop, set := route.GetAnnotations()[cluster.AnnotationStop]
	if set && (stop == "" || rollout.StopFor(traffic.Route{Stop: stop}, "") != "") {
		return fmt.Errorf("a stop is left that keeps the next shift from beginning: %q", stop)
	}
	return nil
}
