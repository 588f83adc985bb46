package plugin

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const resumeLong = `Go on with a run that was interrupted or held, from where it stands.

The record in the cluster says what was done and what was only intended; the
objects say the rest. Nothing has to be repaired by hand before.`

func newResume(call *invocation) *cobra.Command {
	flags := &driveFlags{}
	command := &cobra.Command{
		Use:     "resume [svc/NAME]",
		Short:   "Go on with a run that was interrupted or held",
		Long:    resumeLong,
		Example: "  kubectl bluegreen resume",
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.again(cmd.Context(), flags, args, call.openLenient, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
				return runner.Resume(ctx)
			})
		},
	}
	flags.addFlags(command)
	return command
}

// openLenient opens a release whose run may be on its way back, which must not
// depend on measurements.
func (i *invocation) openLenient(ctx context.Context, service string) (*work, error) {
	return i.open(ctx, service, true)
}
