package rollout

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// gauges is a source that answers each signal with one reading.
type gauges map[measure.Signal]measure.Reading

func (g gauges) Name() string { return "gauges" }
func (g gauges) Answers(query measure.Query) bool {
	_, found := g[query.Signal]
	return found
}
func (g gauges) Read(_ context.Context, query measure.Query) measure.Reading { return g[query.Signal] }

// still is a side on which nothing remains that can be measured.
func still() gauges {
	return gauges{measure.ResidualRate: rate(0), measure.DatabaseSessions: rate(0), measure.OldestTransaction: rate(0)}
}

// but is the same with another reading of one signal; without it where the
// reading has no state.
func (g gauges) but(signal measure.Signal, reading measure.Reading) gauges {
	if g[signal] = reading; reading.State == "" {
		delete(g, signal)
	}
	return g
}

// connectionsSigned is the sign-off that every side with pods needs.
var connectionsSigned = map[string]string{"connections": "the balancer shows none"}

// newFinisher is a runner whose blue is idle and measured by a source, in a
// cluster whose controllers end the pods of what is scaled to zero or deleted.
func newFinisher(t *testing.T, source measure.Source, objects ...runtime.Object) (*Runner, *route) {
	t.Helper()
	objects = append([]runtime.Object{deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green")}, objects...)
	runner, production, prepend := newRunner(t, objects...)
	runner.Release.Spec.Databases = []release.Database{{Name: "main"}}
	runner.Release.Spec.Gates.Interval = release.Duration(5 * time.Millisecond)
	runner.Sources = []measure.Source{source}
	tracker := clientsetOf(t, runner).Tracker()
	empty := func(color string) bool {
		found, err := tracker.Get(appsv1.SchemeGroupVersion.WithResource("deployments"), "shop", "shop-"+color)
		workload, is := found.(*appsv1.Deployment)
		return err != nil || is && *workload.Spec.Replicas == 0
	}
	prepend("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		for _, color := range []string{"blue", "green"} {
			if empty(color) {
				_ = tracker.Delete(action.GetResource(), "shop", "shop-"+color+"-1") // it may be gone
			}
		}
		return false, nil, nil
	})
	prepend("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}, nil
	})
	production.looked = func() {
		for color := range production.ready {
			if empty(color) {
				production.ready[color] = 0
			}
		}
	}
	return runner, production
}

func clientsetOf(t *testing.T, runner *Runner) *fake.Clientset {
	t.Helper()
	clientset, is := runner.Client.Kubernetes.(*fake.Clientset)
	if !is {
		t.Fatal("the cluster is there")
	}
	return clientset
}

// another is a process of its own with the same release.
func another(runner *Runner) *Runner {
	return &Runner{Client: runner.Client, Release: runner.Release, Router: runner.Router, Clock: runner.Clock, Holder: "bob@laptop/2", Journal: runner.Journal, Sources: runner.Sources}
}

// exists reports whether an object is there.
func exists(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// written are the writes that the cluster saw, the record's and the lease's left
// out.
func written(t *testing.T, runner *Runner) []string {
	t.Helper()
	var found []string
	for _, action := range clientsetOf(t, runner).Actions() {
		resource := action.GetResource().Resource
		if action.GetVerb() != "get" && action.GetVerb() != "list" && resource != "configmaps" && resource != "leases" && resource != "selfsubjectaccessreviews" {
			found = append(found, action.GetVerb()+" "+resource+"/"+nameIn(action))
		}
	}
	return found
}

// A side on which nothing remains ends at zero, with its replicas recorded for
// the next shift; its run is in the history with who signed what off, and every
// write has its intent.
func TestFinish(t *testing.T) {
	runner, production := newFinisher(t, still())
	outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeDone || outcome.Next != "kubectl bluegreen shift --to blue" {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if want := "blue is decommissioned: deployment/shop-blue 2 → 0 replicas; green serves production"; !strings.HasPrefix(outcome.Message, want) {
		t.Errorf("message = %s", outcome.Message)
	}
	blue, err := runner.Client.Workload(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "shop-blue"})
	if err != nil || blue.Replicas != 0 || blue.RecordedReplicas() != 2 || replicas(t, runner, "green") != 2 {
		t.Errorf("blue wants %d, recorded %d, %v; green wants %d", blue.Replicas, blue.RecordedReplicas(), err, replicas(t, runner, "green"))
	}
	if production.Split.Sole() != "green" {
		t.Errorf("route = %s", production.Split)
	}
	run, err := runner.Journal.Current(t.Context())
	if err != nil || run.Outcome != string(Decommissioned) || run.From != "blue" || run.To != "green" {
		t.Fatalf("run = %+v, %v", run, err)
	}
	status, err := StatusOf(*run)
	if err != nil {
		t.Fatal(err)
	}
	var remains []string
	for _, remainder := range status.Finish.Remains {
		line := remainder.What + " " + string(remainder.Amount)
		if sign := remainder.SignOff; sign != nil {
			line += ", signed off by " + sign.By + ": " + sign.Reason
		}
		remains = append(remains, line)
	}
	want := []string{"requests zero", "sessions/main zero", "connections unknown, signed off by ana@laptop/1: the balancer shows none"}
	if diff := cmp.Diff(want, remains); diff != "" {
		t.Errorf("remains (-want +got):\n%s", diff)
	}
	if open := journal.Open(run.Entries); len(open) > 0 || !slices.ContainsFunc(run.Entries, func(entry journal.Entry) bool {
		return entry.Kind == journal.Intent && entry.Action == "scale" && entry.Object == "deployment/shop-blue"
	}) {
		t.Errorf("entries = %+v", run.Entries)
	}
}

// To finish again says so and writes nothing, and needs no sign-off: nothing is
// left to be asked about.
func TestFinishTwice(t *testing.T) {
	runner, _ := newFinisher(t, still())
	if outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	before := len(written(t, runner))
	outcome, err := another(runner).Finish(t.Context(), FinishRequest{})
	if err != nil || outcome.Code != CodeDone || !strings.HasPrefix(outcome.Message, "already: blue is decommissioned") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	if now := written(t, runner); len(now) != before {
		t.Errorf("written: %q", now[before:])
	}
}

// The way back after a finish is a shift, which gives the side its pods back;
// a rollback says so, and moves nothing.
func TestRollbackAfterFinish(t *testing.T) {
	runner, production := newFinisher(t, still())
	if outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	outcome, err := another(runner).Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeBlocked || outcome.Next != "kubectl bluegreen shift --to blue" || !strings.Contains(outcome.Message, "blue was scaled to zero or deleted") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	if production.Split.Sole() != "green" {
		t.Errorf("route = %s", production.Split)
	}
	targets, err := runner.workloads(t.Context(), "blue")
	if err != nil {
		t.Fatal(err)
	}
	if given := restorations(targets, 1); len(given) != 1 || given[0].replicas != 2 {
		t.Errorf("the next shift gives back %+v", given)
	}
}

// A bad side that a rollback left, and that is decommissioned then, is not what
// the next rollback goes to, whether or not the finish came to its end.
func TestRollbackAfterABadSideIsFinished(t *testing.T) {
	for name, signed := range map[string]map[string]string{"decommissioned": connectionsSigned, "kept": nil} {
		t.Run(name, func(t *testing.T) {
			runner, production := newFinisher(t, still())
			ran(t, runner, State{Phase: RolledBack, From: "green", To: "blue", Moved: true, Started: start, Reason: "blue is broken"})
			finished, err := runner.Finish(t.Context(), FinishRequest{SignOffs: signed})
			if err != nil || (finished.Code == CodeDone) != (signed != nil) {
				t.Fatalf("outcome = %+v, %v", finished, err)
			}
			outcome, err := another(runner).Rollback(t.Context(), RollbackRequest{Force: true})
			if err != nil || outcome.Code != CodeDone || !strings.HasPrefix(outcome.Message, "already: green serves") || production.Split.Sole() != "green" {
				t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
			}
		})
	}
}

// What remains keeps the side, and so does what can't be known: each is planted
// alone, and says what was read and what to type next.
func TestFinishKeepsASideThatIsInUse(t *testing.T) {
	in := rate(3)
	in.Detail = "sessions of blue: 3 by client_addr"
	busy := rate(12)
	busy.Detail = "the oldest is pid 7, idle in transaction"
	down := measure.Reading{State: measure.SourceDown, Detail: "connection refused"}
	dark := measure.Reading{State: measure.NoData, Detail: "no session can be attributed to blue; 4 are of no known colour"}
	partly := rate(0)
	partly.Detail = "1 pods of blue were not measured"
	const again = "kubectl bluegreen finish --sign-off "
	for name, test := range map[string]struct {
		source  gauges
		signed  map[string]string
		says    string
		next    string
		through map[string]string // sign-offs with which it ends all the same
	}{
		"requests":                   {still().but(measure.ResidualRate, rate(2)), connectionsSigned, "blue still gets 2.0 requests/s", "kubectl bluegreen finish --dry-run", nil},
		"requests, signed off":       {still().but(measure.ResidualRate, rate(2)), map[string]string{"connections": "none", "requests": "probes"}, "blue still gets 2.0 requests/s", "kubectl bluegreen finish --dry-run", nil},
		"requests are not measured":  {still().but(measure.ResidualRate, measure.Reading{}), connectionsSigned, "not declared: metrics", again + "requests=REASON --sign-off connections=REASON", map[string]string{"requests": "the log shows none"}},
		"requests can't be read":     {still().but(measure.ResidualRate, down), connectionsSigned, "what remains on blue can't be read: connection refused", again + "requests=REASON --sign-off connections=REASON", map[string]string{"requests": "the log shows none"}},
		"one pod is not measured":    {still().but(measure.ResidualRate, partly), connectionsSigned, "1 pods of blue were not measured", again + "requests=REASON --sign-off connections=REASON", map[string]string{"requests": "it is new"}},
		"sessions that rest":         {still().but(measure.DatabaseSessions, in), connectionsSigned, "blue holds 3 sessions in database main, none of them in a transaction", again + "sessions/main=REASON --sign-off connections=REASON", map[string]string{"sessions/main": "its pool"}},
		"sessions in a transaction":  {still().but(measure.DatabaseSessions, in).but(measure.OldestTransaction, busy), map[string]string{"connections": "none", "sessions/main": "its pool"}, "blue holds 3 sessions in database main (the oldest is pid 7", "kubectl bluegreen finish --dry-run", nil},
		"sessions of nobody known":   {still().but(measure.DatabaseSessions, dark), connectionsSigned, "which sessions blue holds in database main is unknown: no session can be attributed", again + "sessions/main=REASON --sign-off connections=REASON", map[string]string{"sessions/main": "they are the reports'"}},
		"the database is away":       {still().but(measure.DatabaseSessions, down), connectionsSigned, "is unknown: connection refused", again + "sessions/main=REASON --sign-off connections=REASON", map[string]string{"sessions/main": "asked psql"}},
		"connections can't be known": {still(), nil, "nothing outside a pod can count them", again + "connections=REASON", connectionsSigned},
		"a stream": {still().but(measure.OpenRequests, streams(1)), connectionsSigned,
			"1 request or stream is still open on blue (by http_requests_in_flight, pods): clients end them, or the pods within their grace period, with kubectl -n shop rollout restart deployment/shop-blue, and clients come back by the route",
			"kubectl bluegreen finish --dry-run", nil},
		"no stream": {still().but(measure.OpenRequests, streams(0)), nil,
			"0 requests or streams are open on blue (by http_requests_in_flight, pods); connections on which nothing is asked are not counted", again + "connections=REASON", connectionsSigned},
		"a question": {still().but(measure.OpenRequests, perhaps()), nil,
			"nothing outside a pod can count them; what is open on blue is unknown: it may be the very question", again + "connections=REASON", connectionsSigned},
		"no pod tells of streams": {still().but(measure.OpenRequests, unexported()), nil, "nothing outside a pod can count them", again + "connections=REASON", connectionsSigned},
		"nothing is declared":     {gauges{}, nil, "not declared: metrics", again + "requests=REASON --sign-off sessions/main=REASON --sign-off connections=REASON", map[string]string{"requests": "none", "sessions/main": "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production := newFinisher(t, test.source)
			outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: test.signed})
			if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, test.says) || outcome.Next != test.next {
				t.Errorf("outcome = %+v, %v; want %q, next %q", outcome, err, test.says, test.next)
			}
			if replicas(t, runner, "blue") != 2 || production.Split.Sole() != "green" {
				t.Errorf("blue wants %d, route %s", replicas(t, runner, "blue"), production.Split)
			}
			if test.through == nil {
				return
			}
			through := maps.Clone(connectionsSigned)
			maps.Copy(through, test.through)
			if outcome, err := another(runner).Finish(t.Context(), FinishRequest{SignOffs: through}); err != nil || outcome.Code != CodeDone || replicas(t, runner, "blue") != 0 {
				t.Errorf("signed off: outcome = %+v, %v", outcome, err)
			}
		})
	}
}

// Without a database declared, nobody looks for sessions, which is said, too.
func TestFinishWithoutADatabase(t *testing.T) {
	runner, _ := newFinisher(t, still())
	runner.Release.Spec.Databases = nil
	outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeBlocked || outcome.Next != "kubectl bluegreen finish --sign-off sessions=REASON --sign-off connections=REASON" {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
}

// A finish does not begin where a side is not idle, or is the only way out, or
// somebody else is at work.
func TestFinishDoesNotBegin(t *testing.T) {
	for name, test := range map[string]struct {
		plant func(*testing.T, *Runner, *route)
		says  string
		next  string
	}{
		"a split route": {func(_ *testing.T, _ *Runner, production *route) {
			production.Split = traffic.Between("green", "blue", 50)
		},
			"no side is idle", "kubectl bluegreen status"},
		"an emergency stop": {func(_ *testing.T, _ *Runner, production *route) { production.Route.Stop = "orders" },
			"carries an emergency stop: orders", "kubectl -n shop annotate service/svc bluegreen.dev/stop-"},
		"no pod of the live side": {func(_ *testing.T, _ *Runner, production *route) { production.ready["green"] = 0 },
			"no pod of green is ready, which has everything: blue is the only way out", "kubectl bluegreen rollback"},
		"a held run": {func(t *testing.T, runner *Runner, _ *route) {
			left(t, runner, State{Phase: Held, Resume: Drain, From: "blue", To: "green", Moved: true})
		}, "is not finished: blue→green in phase held", "kubectl bluegreen resume"},
		"an unproven rollback": {func(t *testing.T, runner *Runner, _ *route) {
			left(t, runner, State{Phase: Unproven, From: "blue", To: "green", Moved: true, Finish: &Finish{Idle: "blue", Live: "green"}})
		}, "is not finished", "kubectl bluegreen resume"},
		"a shift under way": {func(t *testing.T, runner *Runner, _ *route) {
			eveDrives(t, runner, State{Phase: Watch, From: "blue", To: "green", Moved: true})
		}, "is not finished: blue→green in phase watch", "kubectl bluegreen status -w"},
		"somebody who is alive": {func(t *testing.T, runner *Runner, _ *route) {
			eveDrives(t, runner, State{Phase: Quiet, From: "blue", To: "green", Finish: &Finish{Idle: "blue", Live: "green"}})
		}, "is held by eve@laptop/3", "kubectl bluegreen status -w"},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production := newFinisher(t, still())
			test.plant(t, runner, production)
			outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
			if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, test.says) || outcome.Next != test.next {
				t.Errorf("outcome = %+v, %v; want %q, next %q", outcome, err, test.says, test.next)
			}
			if found := written(t, runner); len(found) > 0 {
				t.Errorf("written: %q", found)
			}
		})
	}
}

// left leaves an unfinished run that nobody drives.
func left(t *testing.T, runner *Runner, state State) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q", From: state.From, To: state.To})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tenure.Save(t.Context(), state, string(state.Phase)), tenure.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// A record that lacks what a finish is about ends nothing.
func TestFinishWithoutItsRecord(t *testing.T) {
	runner, production := newFinisher(t, still())
	for _, phase := range []Phase{Quiet, Decommission} {
		if seen := runner.perform(t.Context(), at(phase), production.Route); seen.Kind != Failed {
			t.Errorf("%s: %s (%s)", phase, seen.Kind, seen.Message)
		}
	}
}

// What is signed off is named as finish names it.
func TestFinishKnowsWhatIsSignedOff(t *testing.T) {
	runner, _ := newFinisher(t, still())
	_, err := runner.Finish(t.Context(), FinishRequest{SignOffs: map[string]string{"session": "none"}})
	if err == nil || !strings.Contains(release.HintOf(err), "requests, connections, sessions/main") {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
}

// A finish that is cut off anywhere is completed by another one, by resume, and
// without another sign-off.
func TestFinishAfterOneThatWasCutOff(t *testing.T) {
	for name, goOn := range map[string]func(*Runner, context.Context) (Outcome, error){
		"finish": func(r *Runner, ctx context.Context) (Outcome, error) { return r.Finish(ctx, FinishRequest{}) },
		"resume": func(r *Runner, ctx context.Context) (Outcome, error) { return r.Resume(ctx) },
	} {
		for _, at := range []string{"reads whether requests", "scaled from 2 to 0"} {
			t.Run(name+" after: "+at, func(t *testing.T) {
				runner, _ := newFinisher(t, still())
				ctx, cut := context.WithCancel(t.Context())
				defer cut()
				runner.Progress = func(event Event) {
					if strings.Contains(event.Message, at) {
						cut()
					}
				}
				first, err := runner.Finish(ctx, FinishRequest{SignOffs: connectionsSigned})
				if err != nil || first.Code != CodeHeld || first.Next == "" {
					t.Fatalf("the first: %+v, %v", first, err)
				}
				outcome, err := goOn(another(runner), t.Context())
				if err != nil || outcome.Code != CodeDone || replicas(t, runner, "blue") != 0 || outcome.Status.Outcome != string(Decommissioned) {
					t.Errorf("the second: %+v, %v; blue wants %d", outcome, err, replicas(t, runner, "blue"))
				}
				if !strings.Contains(outcome.Message, "deployment/shop-blue 2 → 0 replicas") {
					t.Errorf("message = %s", outcome.Message)
				}
				if outcome.Status.ID != first.Status.ID {
					t.Errorf("run %s goes on as %s", first.Status.ID, outcome.Status.ID)
				}
			})
		}
	}
}

// What was true when a finish was cut off need not be now: it is read again.
func TestFinishReadsAgainAfterACut(t *testing.T) {
	runner, _ := newFinisher(t, still().but(measure.ResidualRate, rate(2)))
	left(t, runner, State{Phase: Held, Resume: Decommission, From: "blue", To: "green", Reason: "interrupted",
		Finish: &Finish{Idle: "blue", Live: "green", SignOffs: []SignOff{{What: "connections", Reason: "none"}}}})
	outcome, err := runner.Resume(t.Context())
	if err != nil || outcome.Code != CodeBlocked || replicas(t, runner, "blue") != 2 {
		t.Errorf("outcome = %+v, %v; blue wants %d", outcome, err, replicas(t, runner, "blue"))
	}
}

// A rollback wins over a finish that reads: the finish ends, and the side that
// it would have ended serves again.
func TestRollbackBesideAFinish(t *testing.T) {
	t.Parallel()
	runner, production := newFinisher(t, still())
	runner.Release.Spec.Gates.Interval = release.Duration(time.Second)
	reading := make(chan struct{}, 100)
	runner.Progress = func(event Event) {
		if strings.HasPrefix(event.Message, "reading what remains") {
			reading <- struct{}{}
		}
	}
	var finished Outcome
	ended := make(chan error, 1)
	go func() {
		var err error
		finished, err = runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
		ended <- err
	}()
	<-reading
	outcome, err := another(runner).Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err := <-ended; err != nil || finished.Code != CodeBlocked {
		t.Errorf("finish: %+v, %v", finished, err)
	}
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || replicas(t, runner, "blue") != 2 {
		t.Errorf("rollback: %+v, %v with route %s", outcome, err, production.Split)
	}
}

// Who is asked to end a side that somebody gives traffic in mid-run does not.
func TestFinishStopsWhereTheSideIsGivenTraffic(t *testing.T) {
	runner, production := newFinisher(t, still())
	runner.Progress = func(event Event) {
		if event.Phase == Quiet && event.Level == Success {
			production.Split = traffic.Whole("blue") // by hand
		}
	}
	outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeHeld || replicas(t, runner, "blue") != 2 {
		t.Errorf("outcome = %+v, %v; blue wants %d", outcome, err, replicas(t, runner, "blue"))
	}
}

// A dry run reads what a finish would, says how that would end, and writes
// nothing, the lease and the record included.
func TestFinishDryRun(t *testing.T) {
	for name, test := range map[string]struct {
		signed map[string]string
		code   int
		says   string
	}{
		"it may":  {connectionsSigned, CodeDone, "blue may be decommissioned"},
		"it must": {nil, CodeBlocked, "blue would stay, for its connections"},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production := newFinisher(t, still())
			outcome, err := runner.Finish(t.Context(), FinishRequest{DryRun: true, SignOffs: test.signed})
			if err != nil || outcome.Code != test.code || !strings.Contains(outcome.Message, test.says) {
				t.Errorf("outcome = %+v, %v", outcome, err)
			}
			finish := outcome.Status.Finish
			if len(finish.Remains) != 3 || len(finish.Objects) != 1 || finish.Objects[0].Change() != "2 → 0 replicas" {
				t.Errorf("finish = %+v", finish)
			}
			leases, err := runner.Client.Kubernetes.CoordinationV1().Leases("shop").List(t.Context(), metav1.ListOptions{})
			if found := written(t, runner); len(found) > 0 || err != nil || len(leases.Items) > 0 || production.Fence != (cluster.Fence{}) {
				t.Errorf("written: %q, %+v, %v", found, leases, err)
			}
		})
	}
}
