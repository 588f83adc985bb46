package e2e

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// blueVersion and greenVersion are what the colours of a new shop answer with.
const blueVersion, greenVersion = "v2.4.0", "v2.5.0"

// standardErrors is how far a measured share may be from what it should be,
// in standard errors of a binomial count: by chance alone it is farther off
// once in 16,000 times.
const standardErrors = 4

// A healthy release goes by half of the requests to all of them, and back on
// request, and no client notices. At the half each side answers its half.
func TestWeightedShiftLosesNothing(t *testing.T) {
	s := open(t, shop.Options{Route: shop.HTTPRoute})
	s.movesAndReturns(s.production(keepAliveClients, freshClients))
}

// One answer of green in twenty is an error. The half that it gets tells: the
// run goes back from there by itself, and nobody else's requests failed.
func TestWeightedErrorsRollBack(t *testing.T) {
	s := open(t, shop.Options{Route: shop.HTTPRoute, Green: faulty()})
	s.fallsBackFromTheHalf(s.production(keepAliveClients, freshClients))
}

// badPart is the part of its answers that a bad green makes errors.
const badPart = 0.05

// faulty is a slot with such a green.
func faulty() shop.Slot {
	return shop.Slot{Env: map[string]string{"FAULT_ERROR_RATE": fmt.Sprint(badPart)}}
}

// movesAndReturns shifts to green by the half, and goes back on request.
func (s *scenario) movesAndReturns(run *clients.Run, flags ...string) {
	s.t.Helper()
	before, seen := run.Counts(), s.listen(run)
	process := s.start(append([]string{"shift", "-o", "json"}, flags...)...)
	s.shares(greenVersion, s.during(process, run, 50), 0.5)
	result := s.ended(process, rollout.CodeDone)
	status := s.status(result)
	s.onlyVersion(run, greenVersion)
	s.lostNothing("shift by 50 % to "+greenVersion, run.Counts().Since(before))
	s.drained(status)
	s.judged(status, measure.ErrorRatio, measure.LatencyP95, measure.Restarts, measure.ReadyRatio,
		measure.DatabaseConnections, measure.BlockedSessions, measure.OldestTransaction)
	s.serves(shop.Green)
	s.recorded(status.ID, "stamp", "apply", "switch")
	says(s.t, result.Stderr, "and its weight is 50")
	s.obeyed("50 % to green", written(s.t, status, "switch", 0), seen.first(greenVersion))
	s.obeyed("everything to green", written(s.t, status, "switch", 1), seen.last(blueVersion))

	before = run.Counts()
	status = s.status(s.run(rollout.CodeDone, "rollback", "-o", "json"))
	s.onlyVersion(run, blueVersion)
	s.lostNothing("rollback to "+blueVersion, run.Counts().Since(before))
	s.drained(status)
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.recorded(status.ID, "revert")
	s.obeyed("everything back to blue", written(s.t, status, "revert", 0), seen.last(greenVersion))
}

// fallsBackFromTheHalf shifts to a green that is [faulty], and sees the run go
// back, at the cost of green's own errors alone.
func (s *scenario) fallsBackFromTheHalf(run *clients.Run, flags ...string) {
	s.t.Helper()
	before := run.Counts()
	process := s.start(append([]string{"shift", "-o", "json"}, flags...)...)
	s.shares(greenVersion, s.during(process, run, 50), 0.5)
	result := s.ended(process, rollout.CodeRolledBack)
	status := s.status(result)
	s.because(result, status, []string{"rollback-error-ratio"})
	s.isBack(run, status)
	if writes := intents(status, "switch"); len(writes) != 1 {
		s.t.Errorf("green was given more %d times, want the half alone", len(writes))
	}
	counts := run.Counts().Since(before)
	for _, failure := range counts.Failures {
		if failure.Version != greenVersion {
			s.t.Errorf("a request failed that was not green's: %+v", failure)
		}
	}
	answers := counts.ByVersion[greenVersion]
	s.t.Logf("the bad release cost %d of %d requests, %d of which green answered; the run took %s", counts.Failed, counts.Requests, answers, result.Took.Round(100*time.Millisecond))
	s.near("failed answers of green", counts.Failed, answers, badPart)
}

// A rule of another route takes the requests, for its match is the more exact
// one. The weight of green says 50 and it gets none: nothing advances, and
// nothing goes back, since nothing is wrong with the release, whatever its
// policy. Once the rule is gone the run is resumed and ends well.
func TestShadowedWeightHolds(t *testing.T) {
	s := open(t, shop.Options{Route: shop.HTTPRoute, Release: shortOfPatience})
	s.applies(fmt.Sprintf(shadowManifest, s.shop.Header().Get("Host")))
	run := s.production(keepAliveClients, freshClients)
	s.holdsWithoutRequests(run)

	before := run.Counts()
	s.byHand("delete", "httproute", "shadow")
	s.resumes(rollout.Done, shop.Green)
	s.onlyVersion(run, greenVersion)
	s.lostNothing("shadowed no more, and resumed", run.Counts().Since(before))
}

// holdsWithoutRequests shifts, and sees the run hold at the half, of which green
// gets nothing.
func (s *scenario) holdsWithoutRequests(run *clients.Run, flags ...string) {
	s.t.Helper()
	before := run.Counts()
	result := s.run(rollout.CodeHeld, append([]string{"shift", "-o", "json"}, flags...)...)
	status := s.status(result)
	counts := run.Counts().Since(before)
	if counts.ByVersion[greenVersion] != 0 {
		s.t.Errorf("green answered %d requests: the fault was not planted", counts.ByVersion[greenVersion])
	}
	const symptom = "another rule takes them, its port is not served, or clients are tied to a side"
	s.t.Logf("held: %s", status.Reason)
	says(s.t, status.Reason, "green gets ", "and its weight is 50: "+symptom)
	says(s.t, result.Stderr, symptom)
	if status.DataPlane.Following != rollout.NotFollowed || slices.ContainsFunc(status.Entries, isRevert) {
		s.t.Errorf("the data plane is known as %+v after %+v", status.DataPlane, status.Entries)
	}
	if share, err := s.shop.Share(s.t.Context(), shop.Green); err != nil || share != 50 {
		s.t.Errorf("production gives %g %% to green, %v; want what it was held at, 50", share, err)
	}
	s.lostNothing("the half that green does not get", counts)
}

// shadowManifest is a route of the same host that leads a part of it to blue.
const shadowManifest = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shadow}
spec:
  parentRefs: [{name: public, namespace: gateway}]
  hostnames: [%s]
  rules:
  - matches: [{path: {type: PathPrefix, value: /recommendations}}]
    backendRefs: [{name: svc-blue, port: 80}]
`

// shortOfPatience waits as little for requests to follow as for anything else,
// and would roll back for what it can't see.
func shortOfPatience(document *release.Release) {
	document.Spec.Traffic.Steps[0].Hold = release.Duration(6 * time.Second)
	document.Spec.Traffic.Watch = release.Duration(10 * time.Second)
	document.Spec.Traffic.Deadlines.Reroute = release.Duration(10 * time.Second)
	silenceLasts(8*time.Second, release.PolicyRollback)(document)
}

// applies applies a manifest in the shop's namespace.
func (s *scenario) applies(manifest string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.byHand("apply", "-f", file)
}

// during counts what is answered while production gives green a part, in
// percent: from the first answer after the gateway has begun to follow, until
// the object says otherwise.
func (s *scenario) during(process *shop.Process, run *clients.Run, percent float64) clients.Counts {
	s.t.Helper()
	var begun, counted clients.Counts
	before := run.Counts().ByVersion[greenVersion]
	for began := false; ; {
		now := run.Counts()
		share, err := s.shop.Share(s.t.Context(), shop.Green)
		switch {
		case err != nil:
			s.t.Fatal(err)
		case !began && share == percent && now.ByVersion[greenVersion] > before:
			began, begun, counted = true, now, now
		case began && share == percent:
			counted = now
		case began:
			return counted.Since(begun)
		}
		select {
		case <-process.Done():
			s.t.Fatalf("the run ended before green had answered at %g %%:\n%s", percent, process.Stderr())
		default:
		}
	}
}

// shares fails the test unless a version gave its part of the answers.
func (s *scenario) shares(version string, counts clients.Counts, part float64) {
	s.t.Helper()
	answers := 0
	for _, count := range counts.ByVersion {
		answers += count
	}
	s.near("answers of "+version, counts.ByVersion[version], answers, part)
}

// near fails the test unless a count is the part of a total that it should be,
// within the error of sampling. Too few to tell anything are an error too.
func (s *scenario) near(what string, count, total int, part float64) {
	s.t.Helper()
	bound := standardErrors * math.Sqrt(part*(1-part)/float64(max(total, 1)))
	got := float64(count) / float64(max(total, 1))
	s.t.Logf("%s: %d of %d, %.1f %%; want %.0f %% ± %.1f", what, count, total, 100*got, 100*part, 100*bound)
	if total < 50 || math.Abs(got-part) > bound {
		s.t.Errorf("%s are %.1f %% of %d, want %.0f %% ± %.1f", what, 100*got, total, 100*part, 100*bound)
	}
}

// obeyed tells how long a gateway took to follow a write, and fails the test
// where it did not.
func (s *scenario) obeyed(what string, written, followed time.Time) {
	s.t.Helper()
	if followed.IsZero() {
		s.t.Errorf("%s: no answer tells that the gateway followed", what)
		return
	}
	s.t.Logf("%s: the gateway had followed %s after the write", what, followed.Sub(written).Round(10*time.Millisecond))
}

// intents are when a run was about to do something, in order.
func intents(status *rollout.RunStatus, action string) []time.Time {
	var times []time.Time
	for _, entry := range status.Entries {
		if entry.Kind == journal.Intent && entry.Action == action {
			times = append(times, entry.Time)
		}
	}
	return times
}

// written is when a run was about to do something for the nth time, from 0.
func written(t *testing.T, status *rollout.RunStatus, action string, nth int) time.Time {
	t.Helper()
	times := intents(status, action)
	if len(times) <= nth {
		t.Fatalf("the run intended to %s %d times", action, len(times))
	}
	return times[nth]
}

func isRevert(entry journal.Entry) bool { return strings.HasSuffix(entry.Action, "→ revert") }

// A port of green's that leads nowhere never gets to the end. One that its
// Service does not have the gateway tells of before anything is written. One on
// which nobody listens is known by the requests that are missing: the run goes
// back, though no pod of green has seen one fail.
func TestPortThatLeadsNowhere(t *testing.T) {
	s := open(t, shop.Options{Route: shop.HTTPRoute, Release: shortOfPatience})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()
	s.greenPort(81)
	result := s.run(rollout.CodeBlocked, "shift")
	says(t, result.Stderr, "BG-COL-05", "ResolvedRefs=False", "port 81 not found")
	s.serves(shop.Blue)
	s.lostNothing("a port that the Service lacks", run.Counts().Since(before))

	s.greenPort(80)
	s.rewrite(filepath.Join("deploy", shop.Green, "service.yaml"), "targetPort: http", "targetPort: 9999")
	process := s.start("shift")
	result, err := process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exit code %d after %s\n%s", result.Code, result.Took, result.Stderr)
	says(t, result.Stderr, "green gets 0.0 % of", "and its weight is 50", "rollback-requests-lost", "the rest reaches nobody")
	counts := run.Counts().Since(before)
	t.Logf("nobody listens: %d of %d requests failed, by version %v", counts.Failed, counts.Requests, counts.ByVersion)
	if counts.ByVersion[greenVersion] != 0 || counts.Failed == 0 {
		t.Error("somebody listens: the fault was not planted")
	}
	if result.Code != rollout.CodeRolledBack {
		t.Errorf("exit code %d, want %d", result.Code, rollout.CodeRolledBack)
	}
	s.serves(shop.Blue)
	s.onlyVersion(run, blueVersion)
}

// greenPort is the port of green's Service that the route leads to.
func (s *scenario) greenPort(port int) {
	s.t.Helper()
	s.byHand("patch", "httproute", "production", "--type=json", "-p", fmt.Sprintf(`[{"op":"replace","path":"/spec/rules/0/backendRefs/1/port","value":%d}]`, port))
}

// rewrite changes a manifest in the shop's folder, and applies it.
func (s *scenario) rewrite(file, from, to string) {
	s.t.Helper()
	path := filepath.Join(s.shop.Folder, file)
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.byHand("apply", "-f", file)
}
