package plugin

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// statusInterval is how often status -w looks.
const statusInterval = 2 * time.Second

// watchStatus prints the status again whenever it changed, until the run has
// ended, and ends as the run did. What can't be seen for a while is waited for.
func (i *invocation) watchStatus(ctx context.Context, output *output, opened *work) error {
	ticker := i.environment.Clock.NewTicker(statusInterval)
	defer ticker.Stop()
	view, pulse := &statusView{call: i, output: output}, journal.Pulse{Clock: i.environment.Clock.Now}
	silent := func(ctx context.Context, record *journal.Journal) (bool, error) {
		beat, err := record.Heartbeat(ctx)
		return err == nil && (beat.Holder == "" || pulse.Stopped(beat)), err
	}
	for {
		status, err := i.statusNow(ctx, opened, silent)
		if err == nil && view.replaced(status) {
			status, err = i.statusThen(ctx, opened, view.id)
		}
		switch {
		case view.id != "" && cluster.Transient(err):
			view.away(err)
			pulse.Forget() // what can't be seen is not silent
		case err != nil:
			return err
		default:
			next := i.next(ctx, opened, status)
			if err := view.show(status, next); err != nil {
				return err
			}
			if next != watchOn {
				return view.end(status, next)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C():
		}
	}
}

// watchOn is what there is to do about a run that somebody drives or will.
const watchOn = name + " status -w"

// next is the one command that fits a status, the cluster's Jobs included.
func (i *invocation) next(ctx context.Context, opened *work, status *rollout.RunStatus) string {
	if underWay(status) && status.Silent && i.attended(ctx, opened, status.ID) {
		return watchOn
	}
	return nextAfter(status)
}

// statusThen is the status of a run that another one has followed.
func (i *invocation) statusThen(ctx context.Context, opened *work, id string) (*rollout.RunStatus, error) {
	run, err := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name).Get(ctx, id)
	if err != nil {
		return nil, cluster.Explain(err)
	}
	return statusOf(*run), nil
}

// attended reports whether a Job is there to go on with a run that nobody
// drives at the moment: the one that carries it, whose next pod is on its way,
// or its guard. Who may not see Jobs is told of none.
func (i *invocation) attended(ctx context.Context, opened *work, id string) bool {
	jobs, err := opened.client.Kubernetes.BatchV1().Jobs(opened.namespace()).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{cluster.LabelRelease: opened.document.Release.Metadata.Name}.String(),
	})
	if err != nil {
		return cluster.Transient(err)
	}
	for _, object := range jobs.Items {
		if object.Annotations[job.AnnotationRun] == id && !jobOver(object) {
			return true
		}
	}
	return false
}

// jobOver reports whether a Job makes no further pod.
func jobOver(object batchv1.Job) bool {
	for _, condition := range object.Status.Conditions {
		ends := condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed
		if ends && condition.Status == corev1.ConditionTrue {
			return true
		}
	}
	return object.DeletionTimestamp != nil
}

// statusView is what a person has seen of a run so far.
type statusView struct {
	call   *invocation
	output *output
	// id is the run's, seen what was last shown of it, shown how often that was.
	id, seen string
	entries  int
	shown    int
	// gone is set while nothing can be seen.
	gone bool
}

// replaced reports whether a status is of another run than the one that is
// watched.
func (v *statusView) replaced(status *rollout.RunStatus) bool { return v.id != "" && status.ID != v.id }

// away says once that nothing can be seen.
func (v *statusView) away(err error) {
	if !v.gone {
		v.call.note("%s %v; asking on", v.call.streams.err.doubtful(), err)
	}
	v.gone = true
}

// show prints what is new: the whole card first, for people only the entries
// after that.
func (v *statusView) show(status *rollout.RunStatus, next string) error {
	v.gone, v.id = false, status.ID
	now := fmt.Sprint(status.ID, status.Phase, status.Live, status.Reason, status.Outcome, status.Silent)
	if now == v.seen && len(status.Entries) == v.entries {
		return nil
	}
	fresh := *status
	fresh.Entries = status.Entries[min(v.entries, len(status.Entries)):]
	v.seen, v.entries = now, len(status.Entries)
	v.shown++
	if v.output.human() && v.shown > 1 {
		v.call.printEntries(v.call.streams.Out, &fresh)
		return nil
	}
	return v.call.printStatusThen(v.output, status, next)
}

// end shows people the card again, of how it ended, and ends the watch as the
// run ended; 0 where there never was one.
func (v *statusView) end(status *rollout.RunStatus, next string) error {
	if v.output.human() && v.shown > 1 {
		if err := v.call.printStatusThen(v.output, status, next); err != nil {
			return err
		}
	}
	if status.ID == "" || status.Code() == ExitDone {
		return nil
	}
	return &StatusError{Status: status.Code()}
}
