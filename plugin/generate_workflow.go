package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/workflows"
)

const generateWorkflowLong = `Write a workflow of GitHub Actions for the release, to keep in .github/workflows:

  gate            keeps a pull request that would hurt from being merged
  deploy          checks what was merged, and shifts it
  rollback        gives everything back, when a person asks for it
  rollback-check  asks every hour whether going back would work, and opens an issue

The file is yours to edit. Whether it is still right for the Release is asked with
--check FILE: it fails, and says which deadlines and paths have outgrown it.

Nothing is granted but what a job needs, and what others wrote is pinned by the
digest of a commit. So is this Action: --action says by which. Where the secrets
and the reviewers of each environment belong is in docs/workflows.md.`

const generateWorkflowExample = `  # which commit a release of the Action is
  git ls-remote https://github.com/bluegreen-dev/kubectl-bluegreen 'refs/tags/v*^{}'

  kubectl bluegreen generate workflow gate --action bluegreen-dev/kubectl-bluegreen@DIGEST#v1.2.3 > .github/workflows/pull-request.yml

  # to another environment, with the link that GitHub shows beside it
  kubectl bluegreen generate workflow deploy --action … --environment staging --environment-url https://staging.example.com

  # is a file, however it was edited, still right for the Release?
  kubectl bluegreen generate workflow deploy --check .github/workflows/deploy.yml

  # one of several Releases in a repository
  kubectl bluegreen generate workflow gate -f services/a/bluegreen.yaml --name a --action … > .github/workflows/pull-request-a.yml`

// workflowFlags are the flags of generate workflow.
type workflowFlags struct {
	action string
	// check is the file to compare, "" to write one.
	check   string
	options workflows.Options
}

func newGenerateWorkflow(call *invocation) *cobra.Command {
	flags := &workflowFlags{}
	command := &cobra.Command{
		Use:     "workflow KIND [svc/NAME]",
		Short:   "Write a workflow of GitHub Actions that gates, deploys or takes back",
		Long:    generateWorkflowLong,
		Example: generateWorkflowExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "generate workflow needs one of: "+joined(workflows.Kinds()))
			}
			return atMost(2, "a workflow, and at most svc/NAME")(cmd, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return strings.Split(joined(workflows.Kinds()), ", "), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.generateWorkflow(cmd, flags, args)
		},
	}
	command.Flags().StringVar(&flags.action, "action", "", "what the workflow uses: OWNER/REPOSITORY@DIGEST, with #VERSION behind it for people; or ./ in the Action's own repository")
	command.Flags().StringVar(&flags.options.Environment, "environment", "production", "the environment of GitHub that a shift deploys to; NAME-check and NAME-rollback are used too")
	command.Flags().StringVar(&flags.options.URL, "environment-url", "", "where people see the service")
	command.Flags().StringVar(&flags.options.Name, "name", "", "what tells this workflow apart where a repository has several Releases: it ends the names of the workflow, of the check to require and of the category of code scanning")
	command.Flags().StringSliceVar(&flags.options.RunsOn, "runs-on", nil, "the labels of the runner, ubuntu-latest unless they are given; separated by commas")
	command.Flags().BoolVar(&flags.options.Guard, "guard", false, "deploy: shift --guard, whose Job in the cluster takes over where the workflow is cut off; it needs what generate rbac --jobs grants")
	command.Flags().StringVar(&flags.options.Branch, "branch", "main", "the branch that is deployed, by its name")
	command.Flags().StringVar(&flags.check, "check", "", "write nothing, but say what of this file, a workflow of that kind, is not right for the Release any more")
	return command
}

func (i *invocation) generateWorkflow(cmd *cobra.Command, flags *workflowFlags, args []string) error {
	kind, err := workflowKind(args[0])
	if err != nil {
		return err
	}
	if flags.options.Guard && kind != workflows.Deploy {
		return release.WithHint(fmt.Errorf("a workflow of kind %s shifts nothing that could be guarded", kind), "leave out --guard: it is for "+string(workflows.Deploy))
	}
	if err := flags.readAction(cmd); err != nil {
		return err
	}
	found, err := i.documentOf(cmd, args[1:])
	if err != nil {
		return err
	}
	tree := ""
	if tree, flags.options.File, err = i.fileInRepository(found); err != nil {
		return err
	}
	if kind == workflows.Deploy {
		i.filterPaths(found, tree, &flags.options)
	}
	if flags.check != "" {
		return i.checkWorkflow(found.Release, kind, flags)
	}
	text, err := workflows.Write(found.Release, kind, flags.options)
	if err != nil {
		return err
	}
	if flags.options.Guard {
		i.note("the guard needs an account and rights: %s generate rbac --jobs", name)
	}
	return i.streams.write(text)
}

// readAction reads the Action that a workflow uses. What one that is there uses is not
// looked at.
func (f *workflowFlags) readAction(cmd *cobra.Command) error {
	if f.check != "" && f.action != "" {
		return usageError(cmd, "--action and --check don't go together: which Action a file uses is not looked at")
	}
	if f.check != "" {
		return nil
	}
	if f.action == "" {
		return release.WithHint(errors.New("no action to use: --action is empty"), "OWNER/REPOSITORY@DIGEST; see "+cmd.CommandPath()+" --help")
	}
	var err error
	f.options.Action, err = workflows.ParseAction(f.action)
	return err
}

// checkWorkflow says what of a workflow the Release has outgrown, and blocks where
// there is anything.
func (i *invocation) checkWorkflow(rel *release.Release, kind workflows.Kind, flags *workflowFlags) error {
	kept, err := os.ReadFile(flags.check)
	if err != nil {
		return fmt.Errorf("read workflow: %w", err)
	}
	outgrown, err := workflows.Outgrown(rel, kind, flags.options, kept)
	if err != nil {
		return fmt.Errorf("check %s: %w", flags.check, err)
	}
	if len(outgrown) == 0 {
		return nil
	}
	for _, line := range outgrown {
		fmt.Fprintf(i.streams.Out, "%s: %s\n", flags.check, line)
	}
	return &StatusError{Status: ExitBlocked}
}

// workflowKind reads the name of a workflow.
func workflowKind(text string) (workflows.Kind, error) {
	for _, kind := range workflows.Kinds() {
		if string(kind) == text {
			return kind, nil
		}
	}
	return "", release.WithHint(fmt.Errorf("no workflow is called %q", text), "one of: "+joined(workflows.Kinds()))
}

// filterPaths says over which paths links lead from the files of a release, and that
// there is to be no filter where that can't be told: one that lacks a path would have
// pushes that change the release deploy nothing.
func (i *invocation) filterPaths(found *document, tree string, options *workflows.Options) {
	if tree == "" {
		options.Unfiltered = true
		return
	}
	var err error
	if options.Linked, err = linkedPaths(tree, options.File, found.Release); err != nil {
		i.note("every push to %s is deployed, for which files the release is made of can't be told: %v", options.Branch, err)
		options.Unfiltered = true
	}
}

// fileInRepository is the root of the checkout, "" where there is none at hand, and the
// path of the Release from there, which is how a workflow sees it.
func (i *invocation) fileInRepository(found *document) (tree, path string, err error) {
	if found.File == "" {
		i.note("the workflow reads %s at the root of the repository: %s init writes it", defaultFile, name)
		return "", defaultFile, nil
	}
	folder, err := filepath.Abs(found.Directory)
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", found.File, err)
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return "", "", fmt.Errorf("find %s: %w", found.File, err)
	}
	if tree, err = release.Checkout(folder); err != nil {
		return "", "", err
	}
	if path, err = filepath.Rel(tree, filepath.Join(folder, filepath.Base(found.File))); err != nil {
		return "", "", fmt.Errorf("find %s: %w", found.File, err)
	}
	return tree, filepath.ToSlash(path), nil
}
