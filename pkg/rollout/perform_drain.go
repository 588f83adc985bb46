package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// residualWindow is, in readings, the time for which the old side must have
// counted no request.
const residualWindow = 3

// residual reads the requests per second that still reach a colour.
func (r *Runner) residual(ctx context.Context, color string) measure.Reading {
	query := measure.Query{Signal: measure.ResidualRate, Color: color, Window: residualWindow * r.Release.Spec.Gates.Interval.Std()}
	return measure.Observe(ctx, r.Sources, []measure.Query{query})[0]
}

// drain ends when the old side has no residual requests, and nothing open as far
// as its pods tell: keep-alive connections stay with the pods that they were
// opened to, whatever the route says. It recycles the old pods only where that is known to lose
// nothing, or was asked for.
func (r *Runner) drain(ctx context.Context, state State) Observation {
	if r.scales() {
		return r.drainWorkers(ctx, state)
	}
	reading := r.residual(ctx, state.From)
	if r.settling(state, reading) {
		return waiting("reading what remains on %s", state.From)
	}
	reading = whole(reading)
	seen := r.drained(reading, state.From)
	if seen.Kind == Waiting && r.mayRecycle(state) && reading.State == measure.OK {
		seen, reading = r.shed(ctx, state, reading)
	}
	open := r.stillOpen(ctx, state.From)
	seen = r.withOpen(seen, open, state.From)
	if r.Release.Spec.Traffic.Drain == release.DrainNone && seen.Kind == Waiting {
		seen = succeeded("not waited for (traffic.drain: none): %s", seen.Message)
	}
	seen.Learned = both(both(seen.Learned, learnResidual(seen.Kind, reading)), learnOpen(open))
	return seen
}

// both learns two things, either of which may be missing.
func both(first, second func(*State)) func(*State) {
	if first == nil {
		return second
	}
	if second == nil {
		return first
	}
	return func(s *State) {
		first(s)
		second(s)
	}
}

// settling reports whether a whole window has not passed yet since this
// process began to look, or replaced pods: what was counted before the switch
// is in the reading still, or a new pod is not in it yet. A reading that not
// every pod is in gets another window for the others to answer.
func (r *Runner) settling(state State, reading measure.Reading) bool {
	window := residualWindow * r.Release.Spec.Gates.Interval.Std()
	if whole(reading).State != reading.State {
		window *= 2
	}
	return measure.Answerable(r.Sources, reading.Query) && r.Clock.Since(latest(state.Entered, r.recycled)) < window
}

// whole takes a count of 0 for none only where every pod was measured: what
// the others get is unknown.
func whole(reading measure.Reading) measure.Reading {
	if reading.State == measure.OK && reading.Value == 0 && reading.Detail != "" {
		reading.State, reading.Detail = measure.NoData, "no request was counted where it was measured, but "+reading.Detail
	}
	return reading
}

// learnResidual keeps the last reading with the run.
func learnResidual(kind Kind, reading measure.Reading) func(*State) {
	if kind == Waiting && reading.State != measure.OK {
		return nil
	}
	return func(s *State) { s.Residual = &reading }
}

// drained judges one reading of the residual rate.
func (r *Runner) drained(reading measure.Reading, color string) Observation {
	switch {
	case !measure.Answerable(r.Sources, reading.Query):
		return succeeded("not declared: metrics, so what remains on %s is unknown", color)
	case reading.State == measure.SourceDown:
		return waiting("what remains on %s can't be read: %s", color, reading.Detail)
	case reading.State == measure.NoData:
		return succeeded("what remains on %s is unknown: %s", color, reading.Detail)
	case reading.Value == 0:
		return succeeded("%s is drained: 0 requests in %s (%s)", color, reading.Window, reading.Source)
	}
	return waiting("%.1f requests/s remain on %s over connections that were open before the switch", reading.Value, color)
}

// mayRecycle reports whether restarting the old pods is safe or asked for.
func (r *Runner) mayRecycle(state State) bool {
	if state.Unshed != "" {
		return false
	}
	switch r.Release.Spec.Traffic.Drain {
	case release.DrainRecycle:
		return true
	case release.DrainAuto:
		return state.Termination != nil && state.Termination.Graceful
	}
	return false
}

// shed recycles the pods that were there before any was recycled. A pod that
// started after the switch holds no older connection: what it counts are the
// kubelet's probes, where the metrics have no path to tell them by, or clients
// that go past the route. To recycle it would change nothing, ever again.
func (r *Runner) shed(ctx context.Context, state State, reading measure.Reading) (Observation, measure.Reading) {
	pods, err := r.pods(ctx, state.From)
	if err != nil {
		return waiting("%v", err), reading
	}
	byPod, each := r.residualByPod(ctx, state.From)
	if each.State != measure.OK {
		return waiting("what remains on each pod of %s can't be read: %s", state.From, each.Detail), reading
	}
	first := len(state.Old) == 0
	old, left := slices.Clone(state.Old), 0
	for _, pod := range pods {
		switch {
		case first:
			old = append(old, pod.UID)
		case slices.Contains(old, pod.UID):
			left++
		default:
			delete(byPod, pod.Name)
		}
	}
	if !first && left == 0 {
		reading.Detail = fmt.Sprintf("pods that were started after the switch count %.1f requests/s too: the kubelet's probes, or clients that go past the route", reading.Value)
		reading.State, reading.Value = measure.NoData, 0
		return succeeded("what remains on %s is unknown: %s", state.From, reading.Detail), reading
	}
	seen := r.recycle(ctx, state, byPod, each)
	seen.Learned = both(func(s *State) { s.Old = old }, seen.Learned)
	return seen, reading
}

// recycle evicts the old pods that still have traffic, one at a time.
func (r *Runner) recycle(ctx context.Context, state State, byPod map[string]float64, reading measure.Reading) Observation {
	workloads, err := r.workloads(ctx, state.From)
	if err != nil {
		return waiting("%v", err)
	}
	for _, workload := range workloads {
		busy, err := r.busy(ctx, workload, byPod)
		switch {
		case err != nil:
			return waiting("%v", err)
		case !busy:
			continue
		case workload.Replicas < 2:
			return waiting("%.1f requests/s remain on %s, whose one pod is the only way back: it is not recycled", reading.Value, workload.Ref)
		}
		var report traffic.RecycleReport
		err = r.intend(ctx, "recycle", workload.Ref.String(), byPod, func() (err error) {
			report, err = traffic.Recycle(ctx, r.Client, traffic.RecycleRequest{
				Namespace: r.Release.Metadata.Namespace, Workload: workload, Residual: byPod,
				Floor: int(workload.Replicas) - 1, Fence: r.fence(), CheckStamp: r.checkStamp, Clock: r.Clock,
			})
			return err
		})
		r.recycled = r.Clock.Now()
		r.tell(Drain, Info, "%s", report.Message)
		switch {
		case errors.Is(err, errStopped), errors.Is(err, cluster.ErrFenced), errors.Is(err, context.DeadlineExceeded), err != nil && cluster.Transient(err):
			// The next look at the route says what it means.
			return waiting("%s", report.Message)
		case err != nil:
			return failed("recycle %s: %v", workload.Ref, err)
		case report.Stopped != "":
			seen := waiting("%s", report.Message)
			seen.Learned = func(s *State) { s.Unshed = report.Stopped }
			return seen
		}
	}
	return waiting("the pods of %s were recycled, reading what remains", state.From)
}

// busy reports whether a pod of a workload still has traffic.
func (r *Runner) busy(ctx context.Context, workload *cluster.Workload, byPod map[string]float64) (bool, error) {
	pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
	return slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return byPod[pod.Name] > 0 }), err
}

// residualByPod reads the residual rate of each pod from the source that can
// tell pods apart.
func (r *Runner) residualByPod(ctx context.Context, color string) (map[string]float64, measure.Reading) {
	for _, source := range r.Sources {
		if pods, able := source.(interface {
			ResidualByPod(context.Context, string) (map[string]float64, measure.Reading)
		}); able {
			return pods.ResidualByPod(ctx, color)
		}
	}
	return nil, measure.Reading{State: measure.NoData, Detail: "no source tells the pods apart"}
}

// errStopped ends a recycle when somebody asks for an emergency stop.
var errStopped = errors.New("emergency stop")

// checkStamp makes sure that the route still carries this run's stamp.
func (r *Runner) checkStamp(ctx context.Context) error {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return err
	}
	if stop := r.stopFor(route); stop != "" {
		return fmt.Errorf("%s: %w: %s", route.Object, errStopped, stop)
	}
	for _, one := range route.Each() {
		if err := r.fence().Check(one.Fence); err != nil {
			return err
		}
	}
	return nil
}
