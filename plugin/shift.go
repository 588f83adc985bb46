package plugin

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const shiftLong = `Move production traffic to the other colour.

The target is checked, applied, waited for and validated past the router. Then
traffic moves by the steps of the Release; every step is proven, held and
watched. What breaks a rollback rule puts everything back. A shift is done when
the old side has no requests left, not when the switch was written.

The line that undoes the shift with plain kubectl is printed before anything
is moved. To end a running shift from anywhere: kubectl bluegreen stop REASON

The record of the last run says whether a shift may begin. Where that can't be read,
because it is damaged or of a newer version, rollback gives back what was moved, and
--set-record-aside begins anew where traffic is where it belongs.

This process drives the shift. With --detach a Job in the cluster does, and
nobody need stay; with --guard a Job takes over when this process is gone.
Both refuse before anything is touched when the Job can't start.`

const shiftExample = `  # to the colour that is idle, by ./bluegreen.yaml
  kubectl bluegreen shift

  # without a document: the colours are found from the production Service
  kubectl bluegreen shift svc/shop --to green

  # in the cluster, with nobody waiting; and followed to its end
  kubectl bluegreen shift --detach && kubectl bluegreen status -w

  # here, and back again by itself if this machine falls asleep
  kubectl bluegreen shift --guard

  # the exact patches, and the gates with the readings of now
  kubectl bluegreen shift --dry-run=server`

// shiftFlags are the flags of shift.
type shiftFlags struct {
	driveFlags
	jobs     jobFlags
	to       string
	dryRun   string
	unproven bool
	aside    bool
}

// setRecordAside is the flag with which a shift begins past a record that can't be read.
const setRecordAside = "set-record-aside"

func newShift(call *invocation) *cobra.Command {
	flags := &shiftFlags{}
	command := &cobra.Command{
		Use:     "shift [svc/NAME] [--to COLOR]",
		Short:   "Move production traffic to the other colour",
		Long:    shiftLong,
		Example: shiftExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.jobs.validate(cmd, flags.lease.duration); err != nil {
				return err
			}
			return call.shift(cmd.Context(), flags, args)
		},
	}
	flags.addFlags(command)
	flags.jobs.addFlags(command)
	command.Flags().StringVar(&flags.to, "to", "", "the colour to move to; without it the idle one")
	command.Flags().StringVar(&flags.dryRun, "dry-run", "none", `"client" shows the patches and the gates; "server" also has the API server check them; "none" does it`)
	command.Flags().BoolVar(&flags.unproven, acceptUnproven, false, "shift by a kind of route that has not been seen to move live traffic (docs/routers.md)")
	command.Flags().BoolVar(&flags.aside, setRecordAside, false, "begin although the record of the last run can't be read: it is kept, and not gone by")
	complete(command, "dry-run", dryRunClient, dryRunServer)
	completeColors(command, "to", call)
	return command
}

// The values of --dry-run, as kubectl has them.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

func (i *invocation) shift(ctx context.Context, flags *shiftFlags, args []string) error {
	if err := flags.validate(); err != nil {
		return err
	}
	switch flags.dryRun {
	case dryRunNone, dryRunClient, dryRunServer:
	default:
		return release.WithHint(fmt.Errorf("unknown value %q of --dry-run", flags.dryRun), "one of: none, client, server")
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	if flags.jobs.inCluster() {
		return i.shiftWithJob(ctx, flags, service)
	}
	opened, err := i.open(ctx, service, false)
	if err != nil {
		return err
	}
	defer opened.close()
	opened.lease = flags.lease.duration
	if flags.dryRun != dryRunNone {
		return i.plan(ctx, flags, opened)
	}
	if err := provenRoute(opened.document.Release, flags.unproven); err != nil {
		return err
	}
	return i.drive(ctx, &flags.output, opened, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
		return runner.Shift(ctx, rollout.ShiftRequest{To: flags.to, Trigger: i.environment.Trigger, SetRecordAside: flags.aside})
	})
}

// optionalService reads the argument svc/NAME that may be left out.
func optionalService(args []string) (string, error) {
	if len(args) == 0 {
		return "", nil
	}
	return serviceArgument(args[0])
}
