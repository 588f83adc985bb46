package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// askAgainFor bounds how long a preflight is repeated that can't know something:
// twice what one look takes at most, so that an outage of half a minute stops no
// release. Somebody waits for the answer.
const askAgainFor = 30 * time.Second

// preflight runs the checks and blocks on a critical failure. What does not
// answer is asked again for a moment; somebody waits for the answer.
func (r *Runner) preflight(ctx context.Context, state State) Observation {
	if r.Clock.Since(state.Entered) < askAgainFor {
		if workload := r.unobserved(ctx); workload != "" {
			return unseen("the controller of %s has not seen our stamp yet", workload)
		}
	}
	report, err := r.Preflight(ctx, state.To)
	if err != nil {
		return failed("run checks: %v", err)
	}
	if report.MayPass() && r.Clock.Since(state.Entered) < askAgainFor {
		return unseen("asking again what can't be known now: %s", strings.Join(report.Blocking, ", "))
	}
	for _, finding := range report.Findings {
		level, loud := loudness(finding)
		if loud {
			message := fmt.Sprintf("%s %s: %s", finding.ID, finding.Subject, finding.Cause)
			if note := finding.Note(); note != "" {
				message += " (" + note + ")"
			}
			r.tell(Preflight, level, "%s", message)
		}
	}
	if report.Blocked() {
		return failed("the preflight blocks: %s", strings.Join(report.Blocking, ", "))
	}
	seen := passed(report)
	if len(report.Irreversible) > 0 {
		r.tell(Preflight, Warning, "this run never goes back by itself, it freezes: %s", schemaStays(report.Irreversible))
	}
	seen.Learned = func(s *State) { s.Irreversible = report.Irreversible }
	return seen
}

// schemaStays says that a schema can't go back, and by which change.
func schemaStays(irreversible []string) string {
	more := ""
	if count := len(irreversible) - 1; count > 0 {
		more = fmt.Sprintf(" (and %d more)", count)
	}
	return fmt.Sprintf("once the new version has written, the old one can't simply take over: %s%s", irreversible[0], more)
}

// passed counts what the checks came to.
func passed(report *preflight.Report) Observation {
	suppressed := ""
	if count := report.Counts[preflight.Suppressed]; count > 0 {
		suppressed = fmt.Sprintf(", %d suppressed", count)
	}
	return succeeded("%d checks passed, %d warned, %d skipped, %d unknown%s", report.Counts[preflight.Pass],
		report.Counts[preflight.Warn], report.Counts[preflight.Skip], report.Counts[preflight.Unknown], suppressed)
}

// unobserved is a workload whose controller has not seen it as it stands, "" for
// none. A busy controller is behind the stamps with which a run begins, and what
// it says of readiness is about what was before. What can't be read is for the
// checks to tell.
func (r *Runner) unobserved(ctx context.Context) string {
	for _, color := range r.Release.Spec.ColorNames() {
		for _, reference := range r.Release.Spec.Colors[color].Workloads {
			workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, reference)
			if err == nil && !workload.Observed() {
				return reference.String()
			}
		}
	}
	return ""
}

// loudness says whether a finding is worth a line of progress.
func loudness(finding preflight.Finding) (level Level, loud bool) {
	switch finding.Outcome {
	case preflight.Fail, preflight.Unknown:
		if finding.Blocks {
			return Failure, true
		}
		return Warning, true
	case preflight.Warn:
		return Warning, true
	}
	return Info, false
}

// apply applies the target's manifests, or gives a target that was scaled to
// zero its replicas back.
func (r *Runner) apply(ctx context.Context, state State) Observation {
	applied, err := r.applyManifests(ctx, state.To)
	if err != nil {
		return r.moveFailed(err)
	}
	restored, err := r.restore(ctx, state)
	switch {
	case err != nil:
		return r.moveFailed(err)
	case applied == 0 && restored == 0:
		return succeeded("%s is deployed already", state.To)
	}
	return succeeded("%d objects applied, %d workloads scaled up", applied, restored)
}

// restoration is a workload that stands at zero, and the replicas that it gets.
type restoration struct {
	workload *cluster.Workload
	replicas int32
}

// restorations gives every workload of a target that stands at zero what it
// had before, or what the live side has, whichever is more: the target must
// bear the live side's load.
func restorations(targets []*cluster.Workload, live int) []restoration {
	var found []restoration
	for _, target := range targets {
		if target.Replicas > 0 {
			continue
		}
		replicas := target.RecordedReplicas()
		if len(targets) == 1 {
			replicas = max(replicas, int32(live))
		}
		found = append(found, restoration{workload: target, replicas: replicas})
	}
	return found
}

// restore scales the workloads of a target that stand at zero.
func (r *Runner) restore(ctx context.Context, state State) (int, error) {
	if r.scales() {
		return 0, r.deployedDown(ctx, state)
	}
	_, live, err := r.readiness(ctx, state.From)
	if err != nil {
		return 0, err
	}
	targets, err := r.workloads(ctx, state.To)
	if apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("%w; name its manifests in spec.colors.%s.manifests or deploy it first", err, state.To)
	}
	if err != nil {
		return 0, err
	}
	restored := 0
	for _, target := range restorations(targets, live) {
		ref := target.workload.Ref
		err := r.intend(ctx, "scale", ref.String(), map[string]int32{"replicas": target.replicas}, func() error {
			return r.Client.Scale(ctx, r.Release.Metadata.Namespace, ref, target.replicas, r.fence())
		})
		if err != nil {
			return restored, err
		}
		r.tell(Apply, Info, "%s scaled from 0 to %d", ref, target.replicas)
		restored++
	}
	return restored, nil
}

// waitReady waits until every workload of the target is rolled out.
func (r *Runner) waitReady(ctx context.Context, state State) Observation {
	targets, err := r.workloads(ctx, state.To)
	if err != nil {
		return waiting("%v", err)
	}
	ready := 0
	for _, target := range targets {
		switch {
		case target.Replicas == 0:
			return failed("%s has no replicas", target.Ref)
		case target.Readiness.Done && !target.Readiness.Successful:
			return failed("%s: %s", target.Ref, target.Readiness.Message)
		case !target.Readiness.Done:
			return r.lacking(ctx, state, target)
		}
		ready += int(target.ReadyReplicas)
	}
	return succeeded("%d pods of %s ready", ready, state.To)
}

// lacking is a wait for a workload, and why it takes long where that can be seen.
func (r *Runner) lacking(ctx context.Context, state State, target *cluster.Workload) Observation {
	seen := waiting("%s: %s", target.Ref, target.Readiness.Message)
	trouble := r.stuck(ctx, target)
	if trouble != "" {
		seen.Message += "; " + trouble
	}
	return r.mindTrouble(state, seen, trouble)
}
