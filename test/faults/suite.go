package faults

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/canary"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/e2e/watcher"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Setting is what a suite works on.
type Setting struct {
	// Shop is open, with the Release that Quick makes and with blue in
	// production; Place is where it stands.
	Shop  *shop.Shop
	Place *shop.Place
	// Lab is whose API server is killed; nil where none may be.
	Lab *lab.Lab
	// Load is sent to production all the time.
	Load *clients.Run
	// Logf is told what happens.
	Logf func(format string, args ...any)
}

// Suite is a shop whose program reaches one dependency by ways that break.
type Suite struct {
	setting    Setting
	proxy      *interpose.Proxy
	server     *link
	prometheus *link
	postgresql *link
	liar       *faultproxy.Proxy
	kubeconfig string
	closers    []func()
	// passwords are those of the database.
	passwords []string

	mutex sync.Mutex
	trap  *trap
}

// patience is how long requests may take to follow.
const patience = release.Duration(2 * time.Minute)

// Quick is the Release of a shop whose runs are many: a watch just long enough
// for the gate to see something, and a short patience with what is silent. The
// old side is not waited for, for what remains there is tested elsewhere. Requests
// have long to follow a switch: after a restart of the API server the controllers
// and kube-proxy come back when they like.
func Quick(document *release.Release) {
	spec := &document.Spec
	spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(3 * time.Second)}}
	spec.Traffic.Watch = release.Duration(6 * time.Second)
	spec.Traffic.Drain = release.DrainNone
	spec.Traffic.Deadlines.Validation = release.Duration(15 * time.Second)
	spec.Traffic.Deadlines.Reroute = patience
	spec.Traffic.Deadlines.Rollback = max(patience, spec.Traffic.Deadlines.Rollback)
	spec.Gates.SourceDown.Deadline = release.Duration(6 * time.Second)
	for index := range spec.Gates.Rules {
		rule := &spec.Gates.Rules[index]
		if rule.Window != nil {
			rule.Window = ptr.To(release.Duration(5 * time.Second))
		}
		if rule.MinimumSamples != nil {
			rule.MinimumSamples = ptr.To(10.0)
		}
	}
	if len(spec.Databases) > 0 {
		spec.Databases[0].Observe.Via = release.ViaPortForward
	}
}

// Rate is the requests per second that a shop is to get: enough for the gate to
// judge by, for several stand side by side.
const Rate = 20

// Environment is that of the services of a shop: small pools, for several shops
// share one PostgreSQL.
func Environment() map[string]string { return map[string]string{"DB_POOL_SIZE": "2"} }

// Open makes the program reach a dependency, and the API server, by ways that
// can be broken, until ctx ends or the suite is closed.
func Open(ctx context.Context, dependency Dependency, setting Setting) (*Suite, error) {
	suite := &Suite{setting: setting}
	err := suite.openServer(ctx)
	switch {
	case err != nil:
	case dependency == Prometheus:
		err = suite.openPrometheus(ctx)
	case dependency == PostgreSQL:
		err = suite.openPostgreSQL(ctx)
	}
	if err == nil {
		err = suite.awaitReady(ctx)
	}
	if err == nil {
		suite.passwords, err = setting.Shop.Passwords(ctx)
	}
	if err != nil {
		suite.Close()
		return nil, err
	}
	return suite, nil
}

// awaitReady waits until the program would begin a shift: in a shop that has
// just been opened nothing has counted its requests yet.
func (s *Suite) awaitReady(ctx context.Context) error {
	said := ""
	err := wait.PollUntilContextTimeout(ctx, time.Second, hang, true, func(ctx context.Context) (bool, error) {
		result, err := s.setting.Shop.Run(ctx, "check")
		said = result.Stdout + result.Stderr
		return result.Code == 0, err
	})
	if err != nil {
		return fmt.Errorf("wait until check passes: %w\n%s", err, said)
	}
	return nil
}

// Close ends the ways.
func (s *Suite) Close() {
	for _, end := range slices.Backward(s.closers) {
		end()
	}
}

// openServer opens the way to the API server: a link, and behind it a proxy
// that speaks HTTP.
func (s *Suite) openServer(ctx context.Context) error {
	proxy, err := interpose.Start(ctx, s.setting.Place.Kubeconfig, s.setting.Shop.Folder)
	if err != nil {
		return err
	}
	s.proxy = proxy
	s.closers = append(s.closers, proxy.Close)
	proxy.Use(s.see)
	config, err := clientcmd.LoadFromFile(proxy.Kubeconfig())
	if err != nil {
		return fmt.Errorf("open the way to the API server: %w", err)
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	server, err := url.Parse(cluster.Server)
	if err != nil {
		return fmt.Errorf("open the way to the API server: %w", err)
	}
	if s.server, err = newLink("api server", server.Host); err != nil {
		return err
	}
	s.closers = append(s.closers, s.server.close)
	cluster.Server = "https://" + s.server.address()
	s.kubeconfig = filepath.Join(s.setting.Shop.Folder, "linked.kubeconfig")
	if err := clientcmd.WriteToFile(*config, s.kubeconfig); err != nil {
		return fmt.Errorf("open the way to the API server: %w", err)
	}
	return nil
}

// Outcome is what came of a case.
type Outcome struct {
	Case Case
	Took time.Duration
	// Refused: one new connection was refused, which is no error by itself.
	Refused bool
	Err     error
}

// Try carries out one case.
func (s *Suite) Try(ctx context.Context, found Case) Outcome {
	began := time.Now()
	s.setting.Logf("--- %s", found.Name())
	err := s.home(ctx, found)
	refused := false
	if err == nil {
		refused, err = s.watched(ctx, found)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", found.Name(), err)
	}
	outcome := Outcome{Case: found, Took: time.Since(began), Refused: refused, Err: err}
	s.setting.Logf("    took %s", outcome.Took.Round(time.Second))
	return outcome
}

// watched meets a fault while the route and the clients are watched. What harms
// everybody blinds whoever watches the route as well: after it the clients alone
// tell whether anybody was there.
func (s *Suite) watched(ctx context.Context, found Case) (refused bool, err error) {
	check := func() error { return nil }
	if !found.Fault.Everybody {
		watch, err := watcher.Start(ctx, s.setting.Place.Client.Kubernetes, s.setting.Shop.Namespace, watcher.Service(shop.Service))
		if err != nil {
			return false, err
		}
		defer watch.Stop()
		check = func() error { return watch.Check(ctx) }
	}
	before := s.setting.Load.Counts()
	err = s.meet(ctx, found)
	counts := s.setting.Load.Counts().Since(before)
	return crash.OneRefused(counts), errors.Join(err, check(), crash.Lost(counts))
}

// home brings the shop to where a case begins: no run is unfinished, and for a
// rollback the last one has moved traffic.
func (s *Suite) home(ctx context.Context, found Case) error {
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	if status.ID != "" && status.Finished.IsZero() {
		if err := s.well(ctx, "rollback", "--force=ready-endpoints"); err != nil {
			return fmt.Errorf("end run %s: %w", status.ID, err)
		}
		if status, err = s.status(ctx); err != nil {
			return err
		}
	}
	if found.Phase.Reverse() && !shifted(status) {
		if err := s.well(ctx, "shift"); err != nil {
			return fmt.Errorf("move traffic, to have it moved back: %w", err)
		}
	}
	if found.Fault.Everybody {
		// The case before struck the controllers too, which preflight sees.
		return errors.Join(s.awaitReady(ctx), s.setting.Shop.AwaitControllers(ctx))
	}
	return nil
}

// meet runs the command that meets the fault, then the one that goes on.
func (s *Suite) meet(ctx context.Context, found Case) error {
	sides, err := s.sides(ctx, found)
	if err != nil {
		return err
	}
	result, err := s.broken(ctx, found)
	if err != nil {
		return err
	}
	said := result.Stdout + result.Stderr
	err = errors.Join(s.ended(ctx, result, found.Row.Ends, sides), s.discreet(result))
	if wanted := sides.named(found.Row.Says); !strings.Contains(said, wanted) {
		err = errors.Join(err, fmt.Errorf("nothing says %q", wanted))
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", found.Command(), err, said)
	}
	if found.Row.Then == "" {
		return nil
	}
	result, err = s.run(ctx, strings.Fields(found.Row.Then)...)
	if err == nil {
		err = errors.Join(s.ended(ctx, result, found.Row.After, sides), s.discreet(result))
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", found.Row.Then, err, result.Stdout+result.Stderr)
	}
	return nil
}

// discreet returns an error where a password of the database was printed: a server
// that answers with nonsense, or refuses the password, is no reason to.
func (s *Suite) discreet(result shop.Result) error {
	if found := canary.Find(result.Stdout+result.Stderr, s.passwords); len(found) > 0 {
		return fmt.Errorf("%spasswords %d were printed", promise.Broken, found)
	}
	return nil
}
