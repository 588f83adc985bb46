package plugin

import (
	"context"
	"errors"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// detach lets a Job carry the shift and returns once its pod has begun. What
// a shift would be refused for is refused here, before a Job is made.
func (i *invocation) detach(ctx context.Context, flags *shiftFlags, service string) error {
	found, err := i.document(ctx, service)
	if err != nil {
		return err
	}
	opened, err := i.connect(found)
	if err != nil {
		return err
	}
	spec, err := i.jobSpec(flags, opened.document, true)
	if err != nil {
		return err
	}
	i.introduce(opened)
	refusal, err := i.runner(opened, nil).MayShift(ctx, rollout.ShiftRequest{To: flags.to, Trigger: i.environment.Trigger})
	if err != nil {
		return cluster.Explain(err)
	}
	if refusal != nil {
		return i.told(&flags.output, opened, *refusal)
	}
	if i.environment.Trigger != "" {
		spec.Args = append(spec.Args, "--trigger", i.environment.Trigger)
	}
	objects, err := job.Detached(spec, flags.to)
	if err != nil {
		return err
	}
	record := i.journal(opened.client, opened.namespace(), spec.Release)
	holder, err := i.launcher(opened).Launch(ctx, objects, func(ctx context.Context) (string, error) {
		run, err := recorded(ctx, record, spec.RunID)
		if run == nil {
			return "", err
		}
		return run.Holder, nil
	})
	if err != nil {
		return i.notDetached(ctx, &flags.output, opened, record, spec.RunID, err)
	}
	return i.detached(ctx, &flags.output, opened, record, objects, holder)
}

// detached says that the run goes on without this process, or how it ended
// where that was seen first.
func (i *invocation) detached(ctx context.Context, output *output, opened *work, record *journal.Journal, objects job.Objects, holder string) error {
	run, err := record.Get(ctx, objects.Job.Annotations[job.AnnotationRun])
	if err != nil {
		return cluster.Explain(err)
	}
	outcome, ended, err := rollout.EndOf(*run)
	if err != nil {
		return err
	}
	if ended {
		return i.told(output, opened, outcome)
	}
	status := statusOf(*run)
	i.environment.Observer.stood(Standing{Status: status, Message: "the run goes on in the cluster, as job/" + objects.Job.Name, Next: i.pasteable(watchOn), Open: true})
	err = output.print(i.streams, runObject(status), func() error {
		_, err := fmt.Fprintf(i.streams.Out, "%s run %s %s→%s goes on in the cluster, as job/%s, driven by pod %s\n",
			i.streams.out.good(), run.ID, run.From, run.To, objects.Job.Name, holder)
		return err
	})
	i.printNext(name + " status -w")
	return err
}

// notDetached is the answer to a Job that did not come to work. Its pod may
// have begun all the same in the moment in which it was taken away.
func (i *invocation) notDetached(ctx context.Context, output *output, opened *work, record *journal.Journal, id string, cause error) error {
	persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	if run, err := recorded(persist, record, id); err == nil && run != nil {
		outcome, ended, err := rollout.EndOf(*run)
		if err == nil && ended {
			return i.told(output, opened, outcome)
		}
		i.note("%s run %s had begun meanwhile, and was left in phase %s", i.streams.err.bad(), id, run.Phase)
		i.printNext(name + " resume")
		return &StatusError{Status: ExitHeld, Err: cause}
	}
	var refused *job.StartError
	if errors.As(cause, &refused) && refused.Code == ExitDone {
		return i.told(output, opened, rollout.Outcome{Code: ExitDone, Message: refused.Reason})
	}
	return cluster.Explain(cause)
}

// told prints an outcome and ends with its code.
func (i *invocation) told(output *output, opened *work, outcome rollout.Outcome) error {
	if err := i.conclude(output, opened, outcome); err != nil {
		return err
	}
	if outcome.Code != ExitDone {
		return &StatusError{Status: outcome.Code}
	}
	return nil
}
