package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

const statusLong = `Show which colour is live and what a run is doing.

With --watch it goes on until the run has ended, and exits as the shift itself
does: 0 done, 2 blocked, 3 rolled back, 4 held, 5 not proven. That is how to
follow a run that was detached. A run that nobody drives ends the watch with 4,
unless a Job of the cluster is there to go on with it. Whether somebody drives it
is told by watching its lease for as long as one lasts, 15 s: the times in it are
another machine's. Without --watch that is done only where they look old.`

func newStatus(call *invocation) *cobra.Command {
	output := &output{}
	watch := false
	command := &cobra.Command{
		Use:   "status [svc/NAME]",
		Short: "Show which colour is live and what a run is doing",
		Long:  statusLong,
		Example: `  kubectl bluegreen status
  kubectl bluegreen status -w`,
		Args: atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.status(cmd.Context(), output, args, watch)
		},
	}
	output.addFlag(command)
	command.Flags().BoolVarP(&watch, "watch", "w", false, "go on until the run has ended, and exit as it did")
	return command
}

func (i *invocation) status(ctx context.Context, output *output, args []string, watch bool) error {
	if err := output.validate(); err != nil {
		return err
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	opened, err := i.reach(ctx, service)
	if err != nil {
		return err
	}
	if watch {
		return i.watchStatus(ctx, output, opened)
	}
	status, err := i.statusOnce(ctx, opened)
	var unreadable *journal.RecordError
	if errors.As(err, &unreadable) {
		i.note("%s %v\n%s", i.streams.err.doubtful(), unreadable, i.pasteable(unreadable.Hint()))
	} else if err != nil {
		return err
	}
	return i.printStatusThen(output, status, i.next(ctx, opened, status))
}

// statusOnce is the status for who looks once. A holder that seems silent is
// watched, and the run may have gone on meanwhile, or ended.
func (i *invocation) statusOnce(ctx context.Context, opened *work) (*rollout.RunStatus, error) {
	watched, silent := false, false
	status, err := i.statusNow(ctx, opened, func(ctx context.Context, record *journal.Journal) (is bool, err error) {
		silent, err = record.Silent(ctx, func(beat journal.Heartbeat) {
			watched = true
			i.note("%s watching for up to %s whether %s still drives the run: its lease was last renewed at %s by its holder's clock",
				i.streams.err.doubtful(), beat.Duration, beat.Holder, beat.Renewed.Local().Format(time.DateTime))
		})
		return silent, err
	})
	if err != nil || !watched {
		return status, err
	}
	return i.statusNow(ctx, opened, func(context.Context, *journal.Journal) (bool, error) { return silent, nil })
}

// statusNow joins what the record says with what the route says, and for a run
// that is under way with whether nobody drives it. With a *journal.RecordError
// comes what the route says alone.
func (i *invocation) statusNow(ctx context.Context, opened *work, silent func(context.Context, *journal.Journal) (bool, error)) (*rollout.RunStatus, error) {
	releaseName := opened.document.Release.Metadata.Name
	route, err := opened.router.Read(ctx)
	if err != nil && len(route.Gone) == 0 { // what is left of a set is told
		return nil, cluster.Explain(err)
	}
	record := i.journal(opened.client, opened.namespace(), releaseName)
	run, err := lastRun(ctx, record)
	status := &rollout.RunStatus{Release: releaseName, Namespace: opened.namespace()}
	var unreadable *journal.RecordError
	switch {
	case errors.As(err, &unreadable):
		status.Live, status.Reason = route.Shares(), unreadable.Error()
		return status, err
	case err != nil:
		return nil, cluster.Explain(err)
	case run != nil:
		status = statusOf(*run)
	}
	status.Live = route.Shares()
	if underWay(status) {
		if status.Silent, err = silent(ctx, record); err != nil {
			return nil, cluster.Explain(err)
		}
	}
	return status, nil
}

// statusOf is what is known of a run. Where its state can't be read, the phase
// and the reason say so.
func statusOf(run journal.Run) *rollout.RunStatus {
	status, err := rollout.StatusOf(run)
	if err == nil {
		return status
	}
	status = &rollout.ListOf([]journal.Run{run}).Items[0]
	status.Phase, status.Entries = rollout.Phase(run.Phase), run.Entries
	return status
}

// underWay reports whether a run is neither finished nor held.
func underWay(status *rollout.RunStatus) bool {
	return status.ID != "" && !status.Phase.Terminal() && status.Finished.IsZero()
}

// printStatus prints one status: a short card for people, the object for
// everything else.
func (i *invocation) printStatus(output *output, status *rollout.RunStatus) error {
	return i.printStatusThen(output, status, nextAfter(status))
}

// printStatusThen prints one status, and next as the command to type then.
func (i *invocation) printStatusThen(output *output, status *rollout.RunStatus, next string) error {
	i.environment.Observer.stood(Standing{Status: status, Message: status.Reason, Next: i.pasteable(next), Open: underWay(status)})
	err := output.print(i.streams, runObject(status), func() error {
		i.printCard(i.streams.Out, status)
		if output.wide() {
			i.printEntries(i.streams.Out, status)
		}
		return nil
	})
	if err == nil {
		i.printNext(next)
	}
	return err
}

func (i *invocation) printCard(out io.Writer, status *rollout.RunStatus) {
	field := func(label, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-10s %s\n", label, plain(value))
		}
	}
	field("release", status.Release+" in "+status.Namespace)
	field("live", liveText(status.Live))
	if status.ID == "" && status.Reason != "" {
		field("run", "unknown: "+status.Reason)
		return
	}
	if status.ID == "" {
		field("run", "none yet")
		return
	}
	field("run", fmt.Sprintf("%s %s→%s", status.ID, status.From, status.To))
	phase := string(status.Phase)
	if status.Finished.IsZero() && !status.Entered.IsZero() && !status.Phase.Terminal() {
		phase += " for " + elapsed(status.Entered, i.environment.Clock.Now())
	}
	field("phase", phase)
	if status.Finished.IsZero() {
		field("holder", holder(status))
	}
	field("started", status.Started.Local().Format(time.DateTime))
	if !status.Finished.IsZero() {
		field("finished", fmt.Sprintf("%s, after %s", status.Finished.Local().Format(time.DateTime), elapsed(status.Started, status.Finished)))
	}
	if status.DataPlane.Message != status.Reason {
		field("requests", status.DataPlane.Message)
	}
	if status.Finished.IsZero() {
		field("trouble", status.Trouble)
		field("way back", status.NoWayBack)
	}
	field("still open", stillOpen(status))
	field("reason", status.Reason)
	for _, result := range status.Because {
		field("", fmt.Sprintf("%s %s", i.verdictMark(result.Verdict), result.Message))
	}
}

// stillOpen is what was open on the old side when the run looked last, "" where
// nothing was, or no pod tells.
func stillOpen(status *rollout.RunStatus) string {
	if status.Open == nil || status.Open.State != measure.OK || status.Open.Value == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f on %s (%s, %s)", status.Open.Value, status.From, status.Open.Detail, status.Open.Source)
}

// verdictMark is the sign of a gate's verdict.
func (i *invocation) verdictMark(verdict gate.Verdict) string {
	switch verdict {
	case gate.Pass:
		return i.streams.out.good()
	case gate.Fail:
		return i.streams.out.bad()
	}
	return i.streams.out.doubtful()
}

// printEntries lists what is in the record of a run.
func (i *invocation) printEntries(out io.Writer, status *rollout.RunStatus) {
	for _, entry := range status.Entries {
		parts := []string{entry.Time.Local().Format(time.TimeOnly), fmt.Sprintf("%-10s", entry.Kind)}
		for _, part := range []string{entry.Action, entry.Object, entry.Message} {
			if part != "" {
				parts = append(parts, plain(part))
			}
		}
		fmt.Fprintln(out, strings.Join(parts, " "))
	}
}

// liveText is blue=100 as people say it.
func liveText(split string) string {
	parsed, err := traffic.ParseSplit(split)
	if err != nil {
		return split
	}
	if sole := parsed.Sole(); sole != "" {
		return sole
	}
	return split
}

// holder names who drives a run, and says so when nobody seems to.
func holder(status *rollout.RunStatus) string {
	if status.Silent {
		return status.Holder + " (silent: nobody drives the run)"
	}
	return status.Holder
}

// nextAfter is the one command that fits a status.
func nextAfter(status *rollout.RunStatus) string {
	switch {
	case status.ID == "" && status.Reason != "":
		return name + " history"
	case status.ID == "":
		return name + " check"
	case status.Phase == rollout.Held:
		return name + " resume"
	case status.Phase == rollout.Unproven:
		return name + " rollback"
	case status.Silent:
		return name + " resume"
	case underWay(status):
		return watchOn
	}
	return ""
}
