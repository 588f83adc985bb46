package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// podFlags are those of what runs in a Job's pod.
type podFlags struct {
	run, holder, report string
	to, trigger         string
	silence             time.Duration
	policy              string
	lease               leaseFlag
}

// newJob groups what runs in a Job's pod. Nobody types it.
func newJob(call *invocation) *cobra.Command {
	parent := newParent(&cobra.Command{
		Use: "job", Short: "What runs in the pod of a Job", Hidden: true,
	})
	flags := &podFlags{}
	carry := &cobra.Command{
		Use: "shift --run ID", Short: "Begin a run or go on with it", Args: atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return call.inPod(cmd, flags, call.carry) },
	}
	carry.Flags().StringVar(&flags.to, "to", "", "the colour to move to; without it the idle one")
	carry.Flags().StringVar(&flags.trigger, "trigger", "", "what has asked for the run")
	guard := &cobra.Command{
		Use: "guard --run ID", Short: "Take a run over when its holder falls silent", Args: atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return call.inPod(cmd, flags, call.guard) },
	}
	guard.Flags().DurationVar(&flags.silence, "silence", rollout.DefaultGuardSilence, "how long a holder may be silent")
	guard.Flags().StringVar(&flags.policy, "policy", string(rollout.GuardRollback), "rollback, hold or continue")
	for _, command := range []*cobra.Command{carry, guard} {
		command.Flags().StringVar(&flags.run, "run", "", "the id of the run")
		command.Flags().StringVar(&flags.holder, "holder", "", "the pod's name")
		command.Flags().StringVar(&flags.report, "report", "", "the file to leave the result in")
		flags.lease.addFlag(command)
		parent.AddCommand(command)
	}
	return parent
}

// inPod does what a Job's pod is for and reports its result. A result, good or
// bad, is a success of the pod: one that failed would be followed by another.
// The pod fails where the work could not be done, or is left to the next one.
func (i *invocation) inPod(cmd *cobra.Command, flags *podFlags, work func(context.Context, *podFlags) (rollout.Outcome, error)) error {
	if flags.run == "" || flags.holder == "" {
		return usageError(cmd, "job "+cmd.Name()+" needs --run and --holder")
	}
	i.environment.Identity = flags.holder
	outcome, err := work(cmd.Context(), flags)
	if err != nil {
		err = describe(cmd.Context(), cluster.Explain(err))
		i.leave(flags.report, job.Report{Code: ExitFailed, Message: err.Error(), Hint: release.HintOf(err)})
		return &StatusError{Status: ExitFailed, Err: err}
	}
	i.leave(flags.report, job.Report{Code: outcome.Code, Message: outcome.Message, Hint: outcome.Next})
	fmt.Fprintf(i.streams.Out, "%s\n", plain(outcome.Message))
	if outcome.HandedOver {
		return &StatusError{Status: ExitFailed}
	}
	return nil
}

// leave writes the result where Kubernetes looks for it.
func (i *invocation) leave(path string, report job.Report) {
	if path == "" {
		return
	}
	if err := os.WriteFile(path, report.Text(), 0o644); err != nil {
		i.note("%s the result can't be left in %s: %v", i.streams.err.doubtful(), path, err)
	}
}

// carry brings a run to its end. Before it begins one it asks for its rights;
// one that is under way goes on without asking.
func (i *invocation) carry(ctx context.Context, flags *podFlags) (rollout.Outcome, error) {
	opened, err := i.reach(ctx, "")
	if err != nil {
		return rollout.Outcome{}, err
	}
	defer opened.close()
	i.introduce(opened)
	run, err := recorded(ctx, i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name), flags.run)
	if err != nil {
		return rollout.Outcome{}, err
	}
	if run == nil {
		if err := i.entitled(ctx, opened, true); err != nil {
			return rollout.Outcome{}, err
		}
	}
	if err := i.measure(ctx, opened, run != nil); err != nil {
		return rollout.Outcome{}, err
	}
	opened.lease = flags.lease.duration
	return i.drivePod(opened, func(runner *rollout.Runner) (rollout.Outcome, error) {
		return runner.Carry(ctx, rollout.ShiftRequest{To: flags.to, RunID: flags.run, Trigger: flags.trigger})
	})
}

// guard watches a run. It says that it does once it knows that it may take the
// run over.
func (i *invocation) guard(ctx context.Context, flags *podFlags) (rollout.Outcome, error) {
	policy, err := rollout.ParseGuardPolicy(flags.policy)
	if err != nil {
		return rollout.Outcome{}, err
	}
	opened, err := i.reach(ctx, "")
	if err != nil {
		return rollout.Outcome{}, err
	}
	defer opened.close()
	i.introduce(opened)
	if err := i.entitled(ctx, opened, policy == rollout.GuardContinue); err != nil {
		return rollout.Outcome{}, err
	}
	record := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name)
	stop, err := record.KeepVigil(ctx, flags.holder, flags.run)
	if err != nil {
		return rollout.Outcome{}, err
	}
	defer stop()
	opened.lease = flags.lease.duration
	return i.drivePod(opened, func(runner *rollout.Runner) (rollout.Outcome, error) {
		return runner.Guard(ctx, rollout.GuardRequest{RunID: flags.run, Silence: flags.silence, Policy: policy})
	})
}

// drivePod is drive for a pod: an interruption leaves the run to the next pod.
func (i *invocation) drivePod(opened *work, verb func(*rollout.Runner) (rollout.Outcome, error)) (rollout.Outcome, error) {
	shown := newProgress(i.streams, i.environment.Clock)
	defer shown.Close()
	runner := i.runner(opened, shown.Show)
	runner.HandsOver = func(error) bool { return true }
	if folder, err := filepath.Abs(artefactDirectory); err == nil {
		runner.Artefacts = folder // whoever reads where it is isn't in this folder
	}
	return verb(runner)
}

// entitled refuses to begin without a right that the work can't do without.
func (i *invocation) entitled(ctx context.Context, opened *work, applies bool) error {
	inputs := preflight.Inputs{Client: opened.client, Release: opened.document.Release, Manifests: map[string][]string{}, Clock: i.environment.Clock}
	if applies {
		for _, color := range opened.document.Release.Spec.ColorNames() {
			inputs.Manifests[color] = opened.document.Loaded.Manifests(color)
		}
	}
	rights, err := preflight.Rights(inputs)
	if err != nil {
		return err
	}
	var wants []authorizationv1.ResourceAttributes
	for _, right := range rights {
		if right.Without == "" {
			wants = append(wants, right.ResourceAttributes)
		}
	}
	answers, err := opened.client.Allowed(ctx, wants)
	if err != nil {
		return err
	}
	var missing []string
	for _, answer := range answers {
		if !answer.Allowed {
			missing = append(missing, answer.Verb+" "+cluster.ResourceOf(answer.ResourceAttributes))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return release.WithHint(errors.New("the Job's service account lacks rights: "+strings.Join(missing, ", ")),
		"ask an admin for them: "+name+" generate rbac --jobs, or name another account with --service-account")
}
