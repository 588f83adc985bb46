package e2e

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// silence is how long a source may be silent in these tests, and the watch in
// which it falls silent.
const silence = 10 * time.Second

// However Prometheus fails in mid-watch, the release has not failed: nothing
// advances, the split stays where it is, and once Prometheus answers again
// the run goes on and ends well.
func TestPrometheusOutageHolds(t *testing.T) {
	s := openWatchedByPrometheus(t, "hold")
	s.production(keepAliveClients, freshClients)
	s.awaitSeries()
	s.healthy(s.run(rollout.CodeDone, "shift", "-o", "json"), shop.Green)

	target, idle := shop.Blue, shop.Green
	for _, mode := range []faultproxy.Mode{faultproxy.Refuse, faultproxy.Slow, faultproxy.Empty, faultproxy.Nonsense} {
		t.Logf("Prometheus in mid-watch: %s", mode)
		status := s.outage(mode, target, rollout.CodeHeld)
		if status.Phase != rollout.Held {
			t.Errorf("%s: the run is %s, want held", mode, status.Phase)
		}
		if now := s.status(s.run(rollout.CodeDone, "status", "-o", "json")); now.Live != target+"=100" {
			t.Errorf("%s: the route gives %s, want %s=100", mode, now.Live, target)
		}
		s.serves(target)
		s.promise(mode, status)

		prometheus(t, faultproxy.Pass)
		s.healthy(s.run(rollout.CodeDone, "resume", "-o", "json"), target)
		target, idle = idle, target
	}
}

// Where the policy says so, the outage sends the release back, and that is
// told as what it is.
func TestPrometheusOutageRollsBack(t *testing.T) {
	s := openWatchedByPrometheus(t, "rollback")
	s.production(keepAliveClients, freshClients)
	s.awaitSeries()
	status := s.outage(faultproxy.Refuse, shop.Green, rollout.CodeRolledBack)
	if status.Phase != rollout.RolledBack {
		t.Errorf("the run is %s, want rolled back", status.Phase)
	}
	s.serves(shop.Blue)
	s.promise(faultproxy.Refuse, status)
	s.scaledToZero(shop.Green, 2)
}

// openWatchedByPrometheus opens a shop whose signals come from a Prometheus
// that can be made to fail.
func openWatchedByPrometheus(t *testing.T, policy string) *scenario {
	t.Helper()
	prometheus(t, faultproxy.Pass)
	t.Cleanup(func() { prometheus(t, faultproxy.Pass) })
	return open(t, shop.Options{GreenByHand: true, Release: func(document *release.Release) {
		document.Spec.Metrics.Prometheus = &release.Prometheus{Service: "monitoring/prometheus-faulty:9090"}
		document.Spec.Gates.SourceDown = release.SourceDown{Deadline: release.Duration(silence), Policy: policy}
	}})
}

// awaitSeries waits until Prometheus has enough of both colours for check to
// pass: a pod that has just started was not scraped twice yet.
func (s *scenario) awaitSeries() {
	s.t.Helper()
	report := &preflight.Report{}
	err := wait.PollUntilContextTimeout(s.t.Context(), time.Second, hang, true, func(context.Context) (bool, error) {
		result, err := s.shop.Run(s.t.Context(), "check", "-o", "json")
		if err != nil {
			return false, err
		}
		report = &preflight.Report{}
		return result.Code == rollout.CodeDone, json.Unmarshal([]byte(result.Stdout), report)
	})
	if err != nil {
		s.t.Fatalf("wait for the series of both colours: %v, blocked by %v", err, report.Blocking)
	}
}

// prometheus sets how the Prometheus of these tests behaves.
func prometheus(t *testing.T, mode faultproxy.Mode) {
	t.Helper()
	if err := lab.Current(t).SetPrometheusFault(context.WithoutCancel(t.Context()), mode); err != nil {
		t.Fatal(err)
	}
}

// outage shifts to a colour, makes Prometheus fail in mid-watch, and returns
// what became of the run.
func (s *scenario) outage(mode faultproxy.Mode, to string, code int) *rollout.RunStatus {
	s.t.Helper()
	process := s.inWatch(to, "shift", "-o", "json")
	prometheus(s.t, mode)
	return s.status(s.ended(process, code))
}

// promise fails the test unless the reason is what could not be read, and no
// rule is said to have failed.
func (s *scenario) promise(mode faultproxy.Mode, status *rollout.RunStatus) {
	s.t.Helper()
	says(s.t, status.Reason, "the gate did not open within "+silence.String())
	wanted := gate.SourceDown
	if mode == faultproxy.Empty {
		wanted = gate.NoData
	}
	seen := false
	for _, result := range status.Because {
		seen = seen || result.Verdict == wanted
		if result.Verdict == gate.Fail {
			s.t.Errorf("%s: %s is said to have failed: %s", mode, result.ID, result.Message)
		}
	}
	if !seen {
		s.t.Errorf("%s: no result is %s in %+v", mode, wanted, status.Because)
	}
}

// healthy fails the test unless a run is done, by what Prometheus said.
func (s *scenario) healthy(result shop.Result, color string) {
	s.t.Helper()
	status := s.status(result)
	if status.Phase != rollout.Done {
		s.t.Errorf("the run is %s, want done", status.Phase)
	}
	s.serves(color)
}
