package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Each bad release below is one that its health checks call healthy. That the
// same rules let a good one pass is what TestHealthyShiftLosesNothing shows.

func TestErrorsRollBack(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: map[string]string{"FAULT_ERROR_RATE": "0.05"}}})
	s.rollsBack(s.production(keepAliveClients, freshClients), nil, "rollback-error-ratio")
}

func TestSlowAnswersRollBack(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: map[string]string{"FAULT_LATENCY": "2s"}}})
	s.rollsBack(s.production(keepAliveClients, freshClients), nil, "rollback-latency-p95")
}

// Every pod crashes as soon as it is up, once production is on it.
func TestCrashesRollBack(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: shop.FaultsEnabled()}})
	crash := func(ctx context.Context) {
		for ctx.Err() == nil {
			// A pod that is down already can't be told to crash.
			_ = s.shop.Fault(ctx, shop.Green, `{"crashAfter": "0s"}`)
			pause(ctx, time.Second)
		}
	}
	s.rollsBack(s.production(keepAliveClients, freshClients), crash, "rollback-restarts", "rollback-ready-ratio")
}

// Every request leaks connections, until PostgreSQL has none left: sooner than a gate
// can see them come.
func TestLeakedConnectionsRollBack(t *testing.T) {
	s := open(t, shop.Options{Green: shop.Slot{Env: map[string]string{"FAULT_LEAK_PER_REQUEST": "8"}}})
	refused := make(chan string, 1)
	try := func(ctx context.Context) {
		for ctx.Err() == nil {
			conn, err := s.shop.Dial(ctx)
			var refusal *pgconn.PgError
			if errors.As(err, &refusal) {
				refused <- refusal.Code
				return
			}
			if err == nil {
				_ = conn.Close(ctx)
			}
			pause(ctx, 100*time.Millisecond)
		}
	}
	status := s.rollsBack(s.production(keepAliveClients, freshClients), try, "rollback-database-connections")
	select {
	case code := <-refused:
		if code != "53300" {
			t.Errorf("PostgreSQL refused a connection with %s, want 53300", code)
		}
	default:
		t.Error("PostgreSQL never refused a connection: the fault was not planted")
	}
	if logs := s.preserved(status.ID); !strings.Contains(logs, `"sqlstate":"53300"`) {
		t.Error("the logs that were kept of green do not hold SQLSTATE 53300")
	}
}

// One pod holds a transaction that has updated every row, so writers wait.
func TestHeldLocksRollBack(t *testing.T) {
	s := open(t, shop.Options{
		Env:   map[string]string{"REQUEST_TIMEOUT": "60s"},
		Green: shop.Slot{Env: shop.FaultsEnabled()},
	})
	writers := startClients(t, clients.Options{
		URL: s.url(), Method: "POST", Body: []byte(`{"user":"anna","item":"moka pot","score":0.6}`),
		Header: map[string][]string{"Content-Type": {"application/json"}},
		Rate:   4, KeepAlive: 1, Fresh: 1, Timeout: 90 * time.Second, Strict: true,
	})
	s.rollsBack(s.production(keepAliveClients, freshClients), s.holdTransaction, "rollback-blocked-sessions")
	s.awaitRequests(writers, 4)
	t.Logf("writers: %+v", writers.Stop().Tally)
}

// The same transaction where nobody writes: nobody waits for it, and it is its age
// alone that tells.
func TestALongTransactionRollsBack(t *testing.T) {
	const rule = "rollback-oldest-transaction"
	s := open(t, shop.Options{Green: shop.Slot{Env: shop.FaultsEnabled()}, Release: func(document *release.Release) {
		watching(time.Minute)(document)
		gates := &document.Spec.Gates
		gates.Rules = append(gates.Rules, release.RuleOverride{ID: rule, Threshold: ptr.To(10.0)})
	}})
	status := s.rollsBack(s.production(keepAliveClients, freshClients), s.holdTransaction, rule)
	for _, fired := range status.Because {
		if fired.Rule.ID != rule {
			t.Errorf("%s fired too: %s", fired.Rule.ID, fired.Message)
		}
		if !strings.Contains(fired.Reading.Detail, "idle in transaction") {
			t.Errorf("%s does not tell which session it is: %s", fired.Rule.ID, fired.Reading.Detail)
		}
	}
}

// holdTransaction lets one pod of green hold a transaction that has updated every
// row.
func (s *scenario) holdTransaction(ctx context.Context) {
	pods, err := s.shop.Pods(ctx, shop.Green)
	if err == nil {
		err = s.shop.FaultPod(ctx, pods[0], `{"lockFor": "5m"}`)
	}
	if err != nil {
		s.t.Error(err)
	}
}

// stop is obeyed by a shift that is watching a healthy release.
func TestStopRollsBack(t *testing.T) {
	s := open(t, shop.Options{Release: func(document *release.Release) {
		document.Spec.Traffic.Watch = release.Duration(hang)
		document.Spec.Traffic.Deadlines.Total = release.Duration(2 * hang)
	}})
	run := s.production(keepAliveClients, freshClients)
	process := s.start("shift", "-o", "json")
	s.await("production selects green", func(ctx context.Context) error { return s.shop.AwaitLive(ctx, shop.Green) })
	s.awaitRequests(run, 300)
	asked := time.Now()
	s.run(rollout.CodeDone, "stop", "orders", "are", "doubled")
	status := s.status(s.ended(process, rollout.CodeRolledBack))
	if !strings.Contains(status.Reason, "orders are doubled") || len(status.Because) != 0 {
		t.Errorf("reason %q because of %v, want what was said to stop, and no rule", status.Reason, status.Because)
	}
	s.isBack(run, status)
	s.lostNothing("shift and emergency stop", run.Stop())
	for _, entry := range status.Entries {
		if strings.HasSuffix(entry.Action, "→ revert") {
			t.Logf("stop was obeyed %s after it was asked for", entry.Time.Sub(asked).Round(time.Millisecond))
		}
	}
}

// rollsBack shifts to a green that is bad, or goes bad by a fault once
// production is on it, and fails the test unless the run goes back by itself
// because of one of the rules, says so, and leaves everything on blue.
func (s *scenario) rollsBack(run *clients.Run, fault func(context.Context), rules ...string) *rollout.RunStatus {
	s.t.Helper()
	before := run.Counts()
	process := s.start("shift", "-o", "json")
	faulting, stop := context.WithCancel(s.t.Context())
	defer stop()
	if fault != nil {
		s.await("production selects green", func(ctx context.Context) error { return s.shop.AwaitLive(ctx, shop.Green) })
		go fault(faulting)
	}
	result := s.ended(process, rollout.CodeRolledBack)
	stop()
	status := s.status(result)
	s.because(result, status, rules)
	s.isBack(run, status)
	counts := run.Stop().Since(before)
	s.t.Logf("the bad release cost %d of %d requests, by version %v, slowest %s; the run took %s",
		counts.Failed, counts.Requests, counts.ByVersion, counts.Slowest.Round(time.Millisecond), result.Took.Round(100*time.Millisecond))
	return status
}

// because fails the test unless one of the rules fired, with what it read and
// by what query, and the progress names it.
func (s *scenario) because(result shop.Result, status *rollout.RunStatus, rules []string) {
	s.t.Helper()
	fired := slices.IndexFunc(status.Because, func(result gate.Result) bool { return slices.Contains(rules, result.Rule.ID) })
	if fired < 0 {
		s.t.Fatalf("rolled back because of %+v, want one of %v", status.Because, rules)
	}
	why := status.Because[fired]
	s.t.Logf("fired: %s: %s\n  query %s\n  value %v, %v samples, from %s; %s", why.Rule.ID, why.Message,
		why.Reading.Expression, why.Reading.Value, why.Reading.Samples, why.Reading.Source, why.Reading.Detail)
	if why.Verdict != gate.Fail || why.Reading.Expression == "" || why.Reading.Samples <= 0 || why.Reading.Source == "" {
		s.t.Errorf("the verdict lacks its query or samples: %+v", why)
	}
	if !strings.Contains(result.Stderr, why.Rule.ID) || !strings.Contains(status.Reason, why.Rule.ID) {
		s.t.Errorf("neither the progress nor the reason may leave out %s", why.Rule.ID)
	}
}

// isBack fails the test unless everything is on blue again: the selector, the
// EndpointSlices, every answer on a fresh connection. Green is ended, and its
// logs are kept.
func (s *scenario) isBack(run *clients.Run, status *rollout.RunStatus) {
	s.t.Helper()
	if status.Phase != rollout.RolledBack {
		s.t.Errorf("phase %s, want %s", status.Phase, rollout.RolledBack)
	}
	s.serves(shop.Blue)
	s.onlyVersion(run, "v2.4.0")
	s.scaledToZero(shop.Green, 2)
	if s.preserved(status.ID) == "" {
		s.t.Error("no log of green was kept")
	}
}

// preserved are the logs that a run kept of green.
func (s *scenario) preserved(id string) string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.shop.Folder, "bluegreen-runs", id, shop.Green, "*.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	var logs strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		logs.Write(text)
	}
	return logs.String()
}

// await fails the test when what it waits for does not come.
func (s *scenario) await(what string, wait func(context.Context) error) {
	s.t.Helper()
	if err := wait(s.t.Context()); err != nil {
		s.t.Fatalf("wait until %s: %v", what, err)
	}
}

// pause waits, or returns when ctx ends.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
