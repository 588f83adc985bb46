package rollout

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// preflight runs the checks and blocks on a critical failure.
func (r *Runner) preflight(ctx context.Context, state State) Observation {
	report, err := r.Preflight(ctx, state.To)
	if err != nil {
		return failed("run checks: %v", err)
	}
	for _, finding := range report.Findings {
		level, loud := loudness(finding)
		if loud {
			r.tell(Preflight, level, "%s %s: %s", finding.ID, finding.Subject, finding.Cause)
		}
	}
	if report.Blocked() {
		return failed("the preflight blocks: %s", strings.Join(report.Blocking, ", "))
	}
	return succeeded("%d checks passed, %d warned, %d skipped, %d unknown", report.Counts[preflight.Pass],
		report.Counts[preflight.Warn], report.Counts[preflight.Skip], report.Counts[preflight.Unknown])
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
	color := r.Release.Spec.Colors[state.To]
	applied := 0
	if len(color.Manifests) > 0 {
		count, err := r.applyManifests(ctx, color.Manifests)
		if err != nil {
			return failed("%v", err)
		}
		applied = count
	}
	restored, err := r.restore(ctx, state)
	switch {
	case errors.Is(err, cluster.ErrFenced):
		return waiting("%v", err)
	case err != nil:
		return failed("%v", err)
	case applied == 0 && restored == 0:
		return succeeded("%s is deployed already", state.To)
	}
	return succeeded("%d objects applied, %d workloads scaled up", applied, restored)
}

// applyManifests applies files server-side under our field manager.
func (r *Runner) applyManifests(ctx context.Context, manifests []string) (int, error) {
	paths := make([]string, 0, len(manifests))
	for _, manifest := range manifests {
		if !filepath.IsAbs(manifest) {
			manifest = filepath.Join(r.Directory, manifest)
		}
		paths = append(paths, manifest)
	}
	objects, err := cluster.ReadManifests(paths)
	if err != nil {
		return 0, err
	}
	err = r.intend(ctx, "apply", fmt.Sprintf("%d objects", len(objects)), manifests, func() error {
		results, err := r.Client.Apply(ctx, r.Release.Metadata.Namespace, objects, false)
		for _, result := range results {
			r.tell(Apply, Info, "%s/%s %s", strings.ToLower(result.Object.GetKind()), result.Object.GetName(), result.Operation)
		}
		return err
	})
	return len(objects), err
}

// restore scales a target that stands at zero to what it had before, or to
// what the live side has, whichever is more: the target must bear the live
// side's load.
func (r *Runner) restore(ctx context.Context, state State) (int, error) {
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
	for _, target := range targets {
		if target.Replicas > 0 {
			continue
		}
		replicas := int(target.RecordedReplicas())
		if len(targets) == 1 {
			replicas = max(replicas, live)
		}
		err := r.intend(ctx, "scale", target.Ref.String(), map[string]int{"replicas": replicas}, func() error {
			return r.Client.Scale(ctx, r.Release.Metadata.Namespace, target.Ref, int32(replicas), r.fence())
		})
		if err != nil {
			return restored, err
		}
		r.tell(Apply, Info, "%s scaled from 0 to %d", target.Ref, replicas)
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
			return waiting("%s: %s", target.Ref, target.Readiness.Message)
		}
		ready += int(target.ReadyReplicas)
	}
	return succeeded("%d pods of %s ready", ready, state.To)
}
