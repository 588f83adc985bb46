package plugin

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// name is how a person calls the plugin, and how every message names it.
const name = "kubectl bluegreen"

const rootLong = `Move a Kubernetes service between two colours, see a bad release, put the
traffic back, and prove each step. Nothing needs to be installed in the cluster.

A release is described by bluegreen.yaml. Without one, name the production
Service: the two colours are found from it.`

const rootExample = `  # write bluegreen.yaml from what is in the cluster
  kubectl bluegreen init svc/shop

  # see whether a shift would be safe, then do it
  kubectl bluegreen check
  kubectl bluegreen shift

  # back to the colour that served before
  kubectl bluegreen rollback`

// newRoot puts the commands together. It builds no client and reads no file.
func newRoot(call *invocation) *cobra.Command {
	streams := call.streams
	root := newParent(&cobra.Command{
		Use:               "kubectl-bluegreen",
		Short:             "Blue-green releases that are checked, watched, and rolled back with proof",
		Long:              rootLong,
		Example:           rootExample,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: name},
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	})
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { printHelp(cmd, streams.Out) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { printHelp(cmd, streams.ErrOut); return nil })
	call.addGlobalFlags(root)
	addCommands(root, call)
	return root
}

// The groups under which help lists the commands, in this order.
const (
	groupStart  = "start"
	groupMove   = "move"
	groupLook   = "look"
	groupOthers = "others"
)

func addCommands(root *cobra.Command, call *invocation) {
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Before a release:"},
		&cobra.Group{ID: groupMove, Title: "Move traffic:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupOthers, Title: "Others:"},
	)
	root.SetHelpCommandGroupID(groupOthers)
	add := func(group string, commands ...*cobra.Command) {
		for _, command := range commands {
			command.GroupID = group
			root.AddCommand(command)
		}
	}
	add(groupStart, newInit(call), newCheck(call), newExplain(call), newDatabase(call), newSignoff(call))
	add(groupMove, newShift(call), newRollback(call), newStop(call), newResume(call), newFinish(call))
	add(groupLook, newStatus(call), newHistory(call))
	add(groupOthers, newGenerate(call), newImage(call), newCompletion(call), newVersion(call), newOptions(call), newJob(call))
}

// newParent makes a command one that only has others below it: alone it prints
// its help, and with a word that none of them is called it says which was meant.
func newParent(command *cobra.Command) *cobra.Command {
	command.Args = cobra.ArbitraryArgs // they are refused in our own words
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	command.SuggestionsMinimumDistance = 2
	return command
}

// unknownCommand is the answer to a command that does not exist.
func unknownCommand(parent *cobra.Command, given string) error {
	err := fmt.Errorf("unknown command %q for %q", given, parent.CommandPath())
	if close := parent.SuggestionsFor(given); len(close) > 0 {
		return release.WithHint(err, fmt.Sprintf("did you mean %q? run: %s %s", close[0], parent.CommandPath(), close[0]))
	}
	return release.WithHint(err, "run: "+parent.CommandPath()+" --help")
}

// flagError adds to a complaint about a flag the flag that was meant.
func flagError(cmd *cobra.Command, err error) error {
	help := "run: " + cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return release.WithHint(err, help)
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return release.WithHint(err, help)
	}
	var known []string
	remember := func(flag *pflag.Flag) { known = append(known, flag.Name) }
	cmd.Flags().VisitAll(remember)
	cmd.InheritedFlags().VisitAll(remember)
	meant := release.Closest(unknown.GetSpecifiedName(), known)
	if meant == "" {
		return release.WithHint(err, help)
	}
	return release.WithHint(err, fmt.Sprintf("did you mean --%s? %s", meant, help))
}

// atMost accepts up to limit arguments and says what the command takes.
func atMost(limit int, takes string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= limit {
			return nil
		}
		return release.WithHint(
			fmt.Errorf("unexpected argument %q: %s takes %s", args[limit], cmd.Name(), takes),
			"run: "+cmd.CommandPath()+" --help")
	}
}
