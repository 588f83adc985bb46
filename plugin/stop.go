package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const stopLong = `Stop a running shift from anywhere: it rolls back.

What it does is put an annotation with the reason on the production route,
which a running shift obeys. Anyone can do the same with kubectl, without this
program:

  kubectl annotate svc/NAME ` + cluster.AnnotationStop + `=REASON

A run that was held, or whose process is gone, obeys nobody; that is said, and
rollback goes back. Whether a process is gone is told by watching its lease, for
up to the 15 s that one lasts: the times in it are another machine's. Where no
shift is running, the annotation keeps the next one from beginning until it is
lifted:

  kubectl annotate svc/NAME ` + cluster.AnnotationStop + `-

A stop that names a run, as "run ID: rollback requested by NAME", is what a
rollback has asked of that run, and keeps no other from anything.`

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
	run, err := i.runner(opened, func(event rollout.Event) {
		i.note("%s stop is set; %s", i.streams.err.doubtful(), event.Message)
	}).RequestStop(ctx, reason)
	var unseen *rollout.UnseenError
	switch {
	case errors.As(err, &unseen):
		i.note("%s %v", i.streams.err.doubtful(), cluster.Explain(unseen.Err))
		fmt.Fprintln(i.streams.Out, "stop is set; a run that is under way rolls back")
		i.printNext(name + " rollback")
	case err != nil:
		return cluster.Explain(err)
	default:
		i.printStopped(run)
	}
	return nil
}

// printStopped says what becomes of the run that is not finished, nil where
// there is none.
func (i *invocation) printStopped(run *rollout.RunStatus) {
	says, next := "", "status -w"
	switch {
	case run == nil:
		says, next = "no run is under way, and none begins until it is lifted", "status"
	case !run.Silent && run.Finish != nil && !run.Phase.Reverse():
		says = fmt.Sprintf("run %s of %s ends, and leaves what it has not decommissioned", run.ID, run.Holder)
	case !run.Silent:
		says = fmt.Sprintf("run %s of %s rolls back", run.ID, run.Holder)
	case run.Phase.Terminal():
		says, next = fmt.Sprintf("nobody drives run %s, which is %s, so nothing rolls back by itself", run.ID, run.Phase), "rollback"
	default:
		says, next = fmt.Sprintf("nobody drives run %s, for %s is silent in phase %s, so nothing rolls back by itself", run.ID, run.Holder, run.Phase), "rollback"
	}
	fmt.Fprintf(i.streams.Out, "stop is set; %s\n", says)
	i.printNext(name + " " + next)
}
