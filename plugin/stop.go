package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const stopLong = `Stop a running shift from anywhere: it rolls back.

What it does is put an annotation with the reason on the production route,
which a running shift obeys. Anyone can do the same with kubectl, without this
program:

  kubectl annotate svc/NAME ` + cluster.AnnotationStop + `=REASON

Where no shift is running, it keeps the next one from beginning until it is
lifted:

  kubectl annotate svc/NAME ` + cluster.AnnotationStop + `-`

func newStop(call *invocation) *cobra.Command {
	return &cobra.Command{
		Use:     "stop [svc/NAME] REASON",
		Short:   "Emergency: make a running shift roll back",
		Long:    stopLong,
		Example: `  kubectl bluegreen stop "orders are doubled"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if _, reason := stopArguments(args); reason == "" {
				return usageError(cmd, "stop needs a reason")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			service, reason := stopArguments(args)
			return call.stop(cmd.Context(), service, reason)
		},
	}
}

// stopArguments tells an optional svc/NAME from the words of the reason,
// which need no quotes.
func stopArguments(args []string) (service, reason string) {
	if len(args) > 0 && looksLikeService(args[0]) {
		_, service, _ = strings.Cut(args[0], "/")
		args = args[1:]
	}
	return service, strings.TrimSpace(strings.Join(args, " "))
}

// stop needs the route and the record only: it is typed when the pods and the
// database are in trouble, and asks neither.
func (i *invocation) stop(ctx context.Context, service, reason string) error {
	opened, err := i.reach(ctx, service)
	if err != nil {
		return err
	}
	err = i.runner(opened, nil).RequestStop(ctx, reason)
	// The record is read once the stop is set: that it can't be read leaves
	// open only who obeys.
	var unreadable *journal.RecordError
	switch {
	case errors.Is(err, rollout.ErrNothingRuns):
		fmt.Fprintf(i.streams.Out, "stop is set; no run is under way, and none begins until it is lifted\n")
		i.printNext(name + " status")
		return nil
	case errors.As(err, &unreadable):
		i.note("%s %v", i.streams.err.doubtful(), unreadable)
		fmt.Fprintf(i.streams.Out, "stop is set; a run that is under way rolls back\n")
		i.printNext(name + " rollback")
		return nil
	case err != nil:
		return cluster.Explain(err)
	}
	i.printStopped(ctx, opened)
	return nil
}

// printStopped says which run rolls back, as far as that can be read.
func (i *invocation) printStopped(ctx context.Context, opened *work) {
	run := "the run that is under way"
	current, err := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name).Current(ctx)
	if err == nil && current != nil {
		run = fmt.Sprintf("run %s of %s", current.ID, current.Holder)
	}
	fmt.Fprintf(i.streams.Out, "stop is set; %s rolls back\n", run)
	i.printNext(name + " status -w")
}
