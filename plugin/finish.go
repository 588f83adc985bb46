package plugin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const finishLong = `Decommission the idle side after a shift: scale it to zero.

It ends only a side on which nothing remains: no request by its own counters, no
session in a declared database, no connection that a client holds open. What is
known to remain keeps the side. What can't be known keeps it too, unless somebody
signs it off by name, which is recorded with the reason:

  requests          nothing counts the side's requests, or nobody answers
  sessions/NAME     no session in that database can be given to the side, or all
                    that it holds are outside of any transaction, as in a pool;
                    without a declared database it is just sessions
  connections       nothing outside a pod can count them: needed wherever the
                    side has a pod

The replicas are recorded, and the next shift to the side gives them back: after
a finish that is the way back, and rollback says so. With --delete the side's
workloads are deleted too, and the Service, the autoscalers and the disruption
budgets that are its alone. What else needs them stays, and is named.

It refuses while a run is not finished, while the route is shared, while another
Service that a shift moved leads to the idle side, and while no pod of the live
side is ready.`

// finishFlags are the flags of finish.
type finishFlags struct {
	driveFlags
	remove   bool
	dryRun   bool
	signOffs []string
}

func newFinish(call *invocation) *cobra.Command {
	flags := &finishFlags{}
	command := &cobra.Command{
		Use:   "finish [svc/NAME] [--sign-off WHAT=REASON]",
		Short: "Decommission the idle side once nothing remains on it",
		Long:  finishLong,
		Example: `  # see the objects, and what remains on them
  kubectl bluegreen finish --dry-run

  # scale the idle side to zero
  kubectl bluegreen finish --sign-off connections="the balancer shows none"`,
		Args: atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.finish(cmd.Context(), flags, args)
		},
	}
	flags.addFlags(command)
	command.Flags().BoolVar(&flags.remove, "delete", false, "delete the side's objects too, once it has no pod left")
	command.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show the objects and what remains on them, and write nothing")
	command.Flags().StringArrayVar(&flags.signOffs, "sign-off", nil, "WHAT=REASON: end the side although that can't be known; may be repeated")
	return command
}

func (i *invocation) finish(ctx context.Context, flags *finishFlags, args []string) error {
	if err := flags.validate(); err != nil {
		return err
	}
	signOffs, err := signOffs(flags.signOffs)
	if err != nil {
		return err
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	opened, err := i.open(ctx, service, false)
	if err != nil {
		return err
	}
	defer opened.close()
	opened.lease = flags.lease.duration
	request := rollout.FinishRequest{Delete: flags.remove, SignOffs: signOffs, DryRun: flags.dryRun}
	if flags.dryRun {
		return i.rehearseFinish(ctx, flags, opened, request)
	}
	return i.drive(ctx, &flags.output, opened, func(ctx context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
		return runner.Finish(ctx, request)
	})
}

// signOffs reads WHAT=REASON, each with a reason.
func signOffs(given []string) (map[string]string, error) {
	read := map[string]string{}
	for _, text := range given {
		what, reason, _ := strings.Cut(text, "=")
		if reason = strings.TrimSpace(reason); what == "" || reason == "" {
			return nil, release.WithHint(fmt.Errorf("read --sign-off %q: expected WHAT=REASON", text), `such as --sign-off connections="the balancer shows none"`)
		}
		read[what] = reason
	}
	return read, nil
}

// rehearseFinish shows what a finish would do, and what is in its way.
func (i *invocation) rehearseFinish(ctx context.Context, flags *finishFlags, opened *work, request rollout.FinishRequest) error {
	i.introduce(opened)
	shown := newProgress(i.streams, i.environment.Clock)
	outcome, err := i.runner(opened, shown.Show).Finish(ctx, request)
	shown.Close()
	if err != nil {
		return cluster.Explain(err)
	}
	if outcome.Code == ExitDone && outcome.Next != "" {
		outcome.Next = flags.command()
	}
	if status := outcome.Status; status != nil && status.Finish != nil && flags.output.human() {
		i.printFinish(i.streams.Out, status.Finish)
	}
	if err := i.conclude(&flags.output, opened, outcome); err != nil {
		return err
	}
	if outcome.Code != ExitDone {
		return &StatusError{Status: outcome.Code}
	}
	return nil
}

// command is the same command without --dry-run.
func (f *finishFlags) command() string {
	words := name + " finish"
	if f.remove {
		words += " --delete"
	}
	for _, signOff := range f.signOffs {
		words += flag("--sign-off", signOff)
	}
	return words
}

// printFinish shows the objects of a side, what becomes of each, and what
// remains on it.
func (i *invocation) printFinish(out io.Writer, finish *rollout.Finish) {
	for _, belonging := range finish.Objects {
		fmt.Fprintf(out, "%s: %s\n", belonging.Object, plain(belonging.Change()))
	}
	for _, remainder := range finish.Remains {
		mark, message := i.streams.out.good(), remainder.Message
		switch {
		case remainder.Keeps():
			mark = i.streams.out.bad()
		case remainder.SignOff != nil:
			mark, message = i.streams.out.doubtful(), message+"; signed off: "+remainder.SignOff.Reason
		}
		fmt.Fprintf(out, "%s %s: %s\n", mark, remainder.What, plain(message))
	}
}
