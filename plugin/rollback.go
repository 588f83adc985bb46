package plugin

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const rollbackLong = `Give everything back to the colour that served before, and prove it.

A rollback asks nothing and wins over everything. Beside a running shift it
makes that shift roll back and waits for it; without one it acts itself. It
refuses only when no pod of the side to go back to is ready, or nobody can tell.
A shift that was blocked in its preflight is looked past, to the run before it.

It depends on no record. Where that of the last run is gone, the route says what
was before. Where it is there and can't be read (it is damaged, or of a newer
version), it is kept under another name, and the past runs say how far the route
is to be believed: a run that came after them and has not moved the route may have
put another version on the side before, and only --force goes there.

--force waits for nobody: it takes a run over whose process still holds it, and
the fence refuses what that one writes after that. It also goes to a side that a
blocked shift was past its preflight with, or a shift whose record can't be read
may have been, and which may be another version since; to one that a run was
rolled back from it never goes. A ready pod it still asks for;
--force=ready-endpoints overrules that too, and traffic then goes where nobody may
answer. A selector that no pod of that side carries nothing overrules: the Release
is not the one that they were deployed for. What comes after that, the end of the bad side and the proof that the other
one is well, is done as ever.`

func newRollback(call *invocation) *cobra.Command {
	flags := struct {
		driveFlags
		force       force
		run, reason string
	}{}
	command := &cobra.Command{
		Use:   "rollback [svc/NAME]",
		Short: "Give everything back to the colour that served before",
		Long:  rollbackLong,
		Example: `  kubectl bluegreen rollback
  kubectl bluegreen rollback --reason "orders are doubled"
  kubectl bluegreen rollback --force=ready-endpoints`,
		Args: atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == readyEndpoints {
				return release.WithHint(fmt.Errorf("read argument %q: what is overruled stands behind an equals sign", args[0]), name+" rollback --force="+readyEndpoints)
			}
			request := rollout.RollbackRequest{Force: flags.force.on, Unready: flags.force.unready, Run: flags.run, Reason: flags.reason}
			return call.again(cmd.Context(), &flags.driveFlags, args, call.reach, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
				return runner.Rollback(ctx, request)
			})
		},
	}
	flags.addFlags(command)
	flags.force.addFlag(command)
	command.Flags().StringVar(&flags.run, "run", "", "the id of a run: where another one is the last, nothing is done")
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
