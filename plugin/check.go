package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const checkLong = `Find out whether a shift would be safe. Nothing is changed.

Every check prints one line. What could not be found out is printed as such,
with the reason, and blocks where the check is critical; what the Release does
not declare is named. The exit code is 2 when something blocks, whatever -o.`

const checkExample = `  kubectl bluegreen check
  kubectl bluegreen check svc/shop --to green
  kubectl bluegreen check -o json | jq .blocking

  # on a pull request: looks at files alone, dials nothing, reads no Secret
  kubectl bluegreen check --stage pr`

// checkFlags are the flags of check.
type checkFlags struct {
	output output
	to     string
	stage  string
}

func newCheck(call *invocation) *cobra.Command {
	flags := &checkFlags{}
	command := &cobra.Command{
		Use:     "check [svc/NAME]",
		Short:   "Find out whether a shift would be safe",
		Long:    checkLong,
		Example: checkExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.check(cmd.Context(), flags, args)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringVar(&flags.to, "to", "", "the colour that a shift would move to; without it the idle one")
	command.Flags().StringVar(&flags.stage, "stage", string(preflight.StageDeploy), "which checks run: "+joined(preflight.Stages()))
	completeColors(command, "to", call)
	var stages []string
	for _, stage := range preflight.Stages() {
		stages = append(stages, string(stage))
	}
	complete(command, "stage", stages...)
	return command
}

func (i *invocation) check(ctx context.Context, flags *checkFlags, args []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	stage, err := stageOf(flags.stage)
	if err != nil {
		return err
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	opened, err := i.openFor(ctx, stage, service)
	if err != nil {
		return err
	}
	defer opened.close()
	if err := knownColor(opened.document.Release, flags.to); err != nil {
		return err
	}
	report := i.preflight(ctx, opened, flags.to, stage)
	if ctx.Err() != nil {
		return ctx.Err() // what was not looked at is not "unknown", it was cut off
	}
	return i.printReport(&flags.output, report)
}

// stageOf reads --stage.
func stageOf(text string) (preflight.Stage, error) {
	for _, stage := range preflight.Stages() {
		if string(stage) == text {
			return stage, nil
		}
	}
	return "", release.WithHint(fmt.Errorf("unknown value %q of --stage", text), "one of: "+joined(preflight.Stages()))
}

// knownColor refuses a colour that the release does not have.
func knownColor(rel *release.Release, color string) error {
	if _, known := rel.Spec.Colors[color]; known || color == "" {
		return nil
	}
	return release.WithHint(
		fmt.Errorf("unknown colour %q: the release has %s", color, strings.Join(rel.Spec.ColorNames(), " and ")),
		"one of: "+strings.Join(rel.Spec.ColorNames(), ", "))
}

// openFor opens the release for a stage. At stage pr only a file is read: a
// pull request may come from anybody, so nothing is dialled on its word.
func (i *invocation) openFor(ctx context.Context, stage preflight.Stage, service string) (*work, error) {
	if stage != preflight.StagePR {
		return i.open(ctx, service, false)
	}
	found, err := i.fileDocument(service)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, release.WithHint(fmt.Errorf("no Release: stage pr looks at files alone, and there is no ./%s", defaultFile), "name it with -f FILE")
	}
	return &work{document: found}, nil
}

// preflight collects the facts and evaluates the checks of a stage.
func (i *invocation) preflight(ctx context.Context, opened *work, target string, stage preflight.Stage) *preflight.Report {
	return preflight.Evaluate(i.facts(ctx, opened, target, stage), preflight.Catalogue(), stage)
}

// facts collects what the checks look at.
func (i *invocation) facts(ctx context.Context, opened *work, target string, stage preflight.Stage) *preflight.Facts {
	return preflight.Collect(ctx, preflight.Inputs{
		Client:    opened.client,
		Release:   opened.document.Release,
		Manifests: opened.document.manifests(),
		Target:    target,
		Sources:   opened.sources,
		Stage:     stage,
		Getenv:    i.getenv,
		Clock:     i.environment.Clock,
	})
}

// getenv is the environment as os.Getenv gives it.
func (i *invocation) getenv(name string) string {
	value, _ := i.environment.LookupEnv(name)
	return value
}

// printReport prints a report and turns a verdict that blocks into exit 2.
func (i *invocation) printReport(output *output, report *preflight.Report) error {
	value := object{Kind: preflight.KindReport, Name: report.Name, Namespace: report.Namespace, Value: report}
	if err := output.print(i.streams, value, func() error { return i.writeReport(output, report) }); err != nil {
		return err
	}
	if report.Blocked() {
		i.printNext(name + " explain " + report.Blocking[0])
		return &StatusError{Status: ExitBlocked}
	}
	if report.Stage == preflight.StageDeploy && report.Target != "" {
		i.printNext(name + " shift --to " + report.Target)
	}
	return nil
}
