package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

const stopLong = `Stop a running shift from anywhere: it rolls back.

What it does is put an annotation with the reason on the production route,
which a running shift obeys. Anyone can do the same with kubectl, without this
program:

  kubectl annotate svc/NAME ` + cluster.AnnotationStop + `=REASON`

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

func (i *invocation) stop(ctx context.Context, service, reason string) error {
	opened, err := i.open(ctx, service, true)
	if err != nil {
		return err
	}
	defer opened.close()
	if err := i.runner(opened, nil).RequestStop(ctx, reason); err != nil {
		return cluster.Explain(err)
	}
	record := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name)
	current, err := record.Current(ctx)
	if err != nil {
		return cluster.Explain(err)
	}
	if current == nil || !current.Finished.IsZero() {
		fmt.Fprintf(i.streams.Out, "stop is set; no run is under way, and none begins until it is lifted\n")
		printNext(i.streams, name+" status")
		return nil
	}
	fmt.Fprintf(i.streams.Out, "stop is set; run %s of %s rolls back\n", current.ID, current.Holder)
	printNext(i.streams, name+" status -w")
	return nil
}
