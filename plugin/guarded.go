package plugin

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// lastLook bounds what is still asked after a command was interrupted.
const lastLook = 10 * time.Second

// guarded drives the shift here, once a Job stands by to take it over. What a
// shift would be refused for is refused before a Job is made.
func (i *invocation) guarded(ctx context.Context, flags *shiftFlags, service string) error {
	opened, err := i.open(ctx, service, false)
	if err != nil {
		return err
	}
	defer opened.close()
	opened.lease = flags.lease.duration
	request := rollout.ShiftRequest{To: flags.to, Trigger: i.environment.Trigger}
	refusal, err := i.runner(opened, nil).MayShift(ctx, request)
	if err != nil {
		return cluster.Explain(err)
	}
	if refusal != nil {
		return i.told(&flags.output, opened, *refusal)
	}
	objects, err := i.standBy(ctx, flags, opened)
	if err != nil {
		return cluster.Explain(err)
	}
	request.RunID = objects.Job.Annotations[job.AnnotationRun]
	defer i.standDown(ctx, opened, objects, flags.jobs.policy)
	return i.drive(ctx, &flags.output, opened, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
		runner.HandsOver = i.handsOver
		return runner.Shift(ctx, request)
	})
}

// handsOver reports whether a guarded run that is interrupted by a cause is left
// to its guard.
func (i *invocation) handsOver(cause error) bool {
	return i.environment.Unattended || nobodyAsked(cause)
}

// nobodyAsked reports whether a run was interrupted by something else than a
// person at the keyboard, who decides what becomes of it: a terminal that was
// closed, a machine that goes down or was asleep.
func nobodyAsked(cause error) bool {
	var interrupted *Interrupted
	return !errors.As(cause, &interrupted) || interrupted.Signal != os.Interrupt.String()
}

// standBy starts the guard and returns once it says that it watches.
func (i *invocation) standBy(ctx context.Context, flags *shiftFlags, opened *work) (job.Objects, error) {
	watch := job.Watch{Silence: flags.jobs.silence, Policy: flags.jobs.policy}
	spec, err := i.jobSpec(flags, opened.document, watch.Policy == string(rollout.GuardContinue))
	if err != nil {
		return job.Objects{}, err
	}
	objects, err := job.Guard(spec, watch)
	if err != nil {
		return objects, err
	}
	record := i.journal(opened.client, opened.namespace(), spec.Release)
	holder, err := i.launcher(opened).Launch(ctx, objects, func(ctx context.Context) (string, error) {
		vigil, err := record.Vigil(ctx)
		if err != nil || vigil.Run != spec.RunID {
			return "", err
		}
		return vigil.Holder, nil
	})
	if err == nil {
		i.note("guarded by pod %s of job/%s: after %s of silence it does %s", holder, objects.Job.Name, watch.Silence, watch.Policy)
	}
	return objects, err
}

// standDown takes the guard away when there is nothing to guard any more, and
// says that it goes on where there is.
func (i *invocation) standDown(ctx context.Context, opened *work, objects job.Objects, policy string) {
	persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	record := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name)
	run, err := recorded(persist, record, objects.Job.Annotations[job.AnnotationRun])
	ended := err == nil && run == nil
	if run != nil {
		_, ended, err = rollout.EndOf(*run)
	}
	if err != nil || !ended {
		i.note("%s job/%s stays and guards the run (%s)", i.streams.err.doubtful(), objects.Job.Name, policy)
		return
	}
	if err := i.launcher(opened).Remove(persist, objects); err != nil {
		i.note("%s the guard ends by itself, but job/%s stays: %v", i.streams.err.doubtful(), objects.Job.Name, cluster.Explain(err))
	}
}
