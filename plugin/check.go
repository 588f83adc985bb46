package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

const checkLong = `Find out whether a shift would be safe. Nothing is changed.

Every check prints one line; what the Release does not declare has one, with the
checks that would ask for it, and -o wide has a line for each of those. What could
not be found out is printed as such, with the reason, and blocks where the check is
critical. The exit code is 2 when something blocks, whatever -o.

With --save the facts that were looked at are kept in a file, without secrets;
--from judges them again, at any place, and dials nothing. With --test a file says
what checks must find in such facts: see docs/custom-checks.md for checks of your
own, and how to test them.`

const checkExample = `  kubectl bluegreen check
  kubectl bluegreen check svc/shop --to green
  kubectl bluegreen check -o json | jq .blocking

  # on a pull request: looks at files alone, dials nothing, reads no Secret
  kubectl bluegreen check --stage pr

  # for a CI server, for code scanning, for the comment of a pull request
  kubectl bluegreen check --stage pr -o junit > report.xml
  kubectl bluegreen check --stage pr -o sarif > report.sarif
  kubectl bluegreen check --stage pr -o markdown >> "$GITHUB_STEP_SUMMARY"`

// checkFlags are the flags of check.
type checkFlags struct {
	output output
	to     string
	stage  string
	// save and from are files of facts.
	save string
	from string
	// test is a file that says what checks must find in such facts.
	test string
}

func newCheck(call *invocation) *cobra.Command {
	flags := &checkFlags{output: output{reports: report.Formats()}}
	command := &cobra.Command{
		Use:     "check [svc/NAME]",
		Short:   "Find out whether a shift would be safe",
		Long:    checkLong,
		Example: checkExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.test != "" {
				return call.testChecks(cmd, flags, args)
			}
			if flags.from != "" {
				return call.checkSaved(cmd, flags, args)
			}
			return call.check(cmd.Context(), flags, args)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringVar(&flags.to, "to", "", "the colour that a shift would move to; without it the idle one")
	command.Flags().StringVar(&flags.stage, "stage", string(preflight.StageDeploy), "which checks run: "+joined(preflight.Stages()))
	command.Flags().StringVar(&flags.save, "save", "", "keep the facts that were looked at in this file, without secrets")
	command.Flags().StringVar(&flags.from, "from", "", "judge the facts in this file, dialling nothing")
	command.Flags().StringVar(&flags.test, "test", "", "hold the checks against what this file expects of saved facts, dialling nothing")
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
	own, err := opened.document.checks()
	if err != nil {
		return err
	}
	facts := i.facts(ctx, opened, own, flags.to, stage)
	if ctx.Err() != nil {
		return ctx.Err() // what was not looked at is not "unknown", it was cut off
	}
	if flags.save != "" {
		if err := i.saveFacts(flags.save, facts); err != nil {
			return err
		}
	}
	return i.printReport(&flags.output, preflight.Evaluate(facts, own.all(), stage), own)
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
	tree, err := i.fileWithinCheckout()
	if err != nil {
		return nil, err
	}
	found, err := i.fileDocument(service)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, release.WithHint(fmt.Errorf("no Release: stage pr looks at files alone, and there is no ./%s", defaultFile), i.hintOfNoFile())
	}
	if err := found.withinCheckout(tree); err != nil {
		return nil, err
	}
	return &work{document: found}, nil
}

// hintOfNoFile says how the document is named: in a workflow by an input, where the
// likely cause is that it was moved.
func (i *invocation) hintOfNoFile() string {
	if i.environment.Unattended {
		return "if it was moved, or lies in a folder, name it by the input release; an actions/checkout step must come before this one"
	}
	return "name it with -f FILE"
}

// preflight collects the facts and evaluates the checks of a stage.
func (i *invocation) preflight(ctx context.Context, opened *work, target string, stage preflight.Stage) (*preflight.Report, error) {
	own, err := opened.document.checks()
	if err != nil {
		return nil, err
	}
	found := preflight.Evaluate(i.facts(ctx, opened, own, target, stage), own.all(), stage)
	if ctx.Err() == nil { // what was cut off is no report
		i.environment.Observer.checked(found, i.tool(own))
	}
	return found, nil
}

// facts collects what the checks look at.
func (i *invocation) facts(ctx context.Context, opened *work, own *ownChecks, target string, stage preflight.Stage) *preflight.Facts {
	return preflight.Collect(ctx, i.inputs(opened, own, target, stage))
}

// inputs are what the facts are collected from.
func (i *invocation) inputs(opened *work, own *ownChecks, target string, stage preflight.Stage) preflight.Inputs {
	return preflight.Inputs{
		Client:     opened.client,
		Release:    opened.document.Release,
		Document:   opened.document.File,
		Positions:  opened.document.positions(),
		Manifests:  opened.document.manifests(),
		Migrations: opened.document.Loaded.Migrations(),
		Custom:     own.declared,
		Target:     target,
		Sources:    opened.sources,
		Stage:      stage,
		RolledBack: func(ctx context.Context) (*preflight.RolledBack, error) {
			last, err := i.journal(opened.client, opened.namespace(), opened.document.Release.Metadata.Name).Current(ctx)
			if err != nil {
				return nil, err
			}
			return rollout.RolledBackFrom(last)
		},
		Getenv: i.getenv,
		Clock:  i.environment.Clock,
	}
}

// getenv is the environment as os.Getenv gives it.
func (i *invocation) getenv(name string) string {
	value, _ := i.environment.LookupEnv(name)
	return value
}

// printReport prints a report and turns a verdict that blocks into exit 2.
func (i *invocation) printReport(output *output, found *preflight.Report, own *ownChecks) error {
	i.environment.Observer.checked(found, i.tool(own))
	if err := i.renderReport(output, found, own); err != nil {
		return err
	}
	if found.Blocked() {
		i.printNext(name + " explain " + explained(found))
		return &StatusError{Status: ExitBlocked}
	}
	if found.Stage == preflight.StageDeploy && found.Target != "" {
		i.printNext(name + " shift --to " + found.Target)
	}
	return nil
}

// explained is what to have explained first of a report that blocks: the rule where
// it is a migration that does, which says more than its check.
func explained(found *preflight.Report) string {
	for _, finding := range found.Findings {
		if rule := finding.Evidence["rule"]; finding.Blocks && finding.ID == found.Blocking[0] && rule != "" {
			return rule
		}
	}
	return found.Blocking[0]
}

// tool is this program as reports name it, with every check that it knows.
func (i *invocation) tool(own *ownChecks) report.Tool {
	return report.Tool{Version: i.version().Version, Checks: own.all()}
}

// renderReport writes a report in the format that was asked for.
func (i *invocation) renderReport(output *output, found *preflight.Report, own *ownChecks) error {
	if format := output.report(); format != nil {
		return format.Write(i.streams.Out, found, i.tool(own))
	}
	value := object{Kind: preflight.KindReport, Name: found.Name, Namespace: found.Namespace, Value: found}
	return output.print(i.streams, value, func() error { return i.writeReport(output, found) })
}
