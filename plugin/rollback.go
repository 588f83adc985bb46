package plugin

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const rollbackLong = `Give everything back to the colour that served before, and prove it.

A rollback asks nothing and wins over everything. Beside a running shift it
makes that shift roll back and waits for it; without one it acts itself. It
refuses only when no pod of the side to go back to is ready: then --force.`

func newRollback(call *invocation) *cobra.Command {
	flags := struct {
		driveFlags
		force  bool
		reason string
	}{}
	command := &cobra.Command{
		Use:   "rollback [svc/NAME]",
		Short: "Give everything back to the colour that served before",
		Long:  rollbackLong,
		Example: `  kubectl bluegreen rollback
  kubectl bluegreen rollback --reason "orders are doubled"`,
		Args: atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := rollout.RollbackRequest{Force: flags.force, Reason: flags.reason}
			return call.again(cmd.Context(), &flags.driveFlags, args, call.reach, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
				return runner.Rollback(ctx, request)
			})
		},
	}
	flags.addFlags(command)
	command.Flags().BoolVar(&flags.force, "force", false, "go even where no pod of the side to go back to is ready")
	command.Flags().StringVar(&flags.reason, "reason", "requested", "kept in the record of the run")
	return command
}

// opener makes a release ready to be worked with; service is "" when it was
// left out.
type opener func(ctx context.Context, service string) (*work, error)

// again opens a release whose run goes on or goes back, and drives it.
func (i *invocation) again(ctx context.Context, flags *driveFlags, args []string, open opener, verb func(context.Context, *rollout.Runner) (rollout.Outcome, error)) error {
	if err := flags.validate(); err != nil {
		return err
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	opened, err := open(ctx, service)
	if err != nil {
		return err
	}
	defer opened.close()
	opened.lease = flags.lease.duration
	return i.drive(ctx, &flags.output, opened, verb)
}
