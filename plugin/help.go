package plugin

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpGlobals are the global flags that every help text lists. The rest, two
// dozen flags about reaching the API server, are listed by `options`, which
// is also how kubectl does it.
func helpGlobals() []string { return []string{"context", "file", "kubeconfig", "namespace"} }

// printHelp writes the help of a command: what it does, how it is called,
// examples, subcommands by group, its flags.
func printHelp(cmd *cobra.Command, out io.Writer) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(out, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(about), usageLine(cmd))
	if cmd.HasExample() {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	printCommands(cmd, out)
	printFlags(out, "Flags:", cmd.LocalNonPersistentFlags(), nil)
	if cmd.Runnable() || cmd.HasAvailableSubCommands() {
		printFlags(out, "Global flags:", cmd.Root().PersistentFlags(), helpGlobals())
		fmt.Fprintf(out, "\nEvery command takes kubectl's flags for reaching a cluster: %s options\n", name)
	}
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

func printCommands(cmd *cobra.Command, out io.Writer) {
	list := func(title, group string) {
		heading := false
		for _, command := range cmd.Commands() {
			if !command.IsAvailableCommand() || command.GroupID != group {
				continue
			}
			if !heading {
				fmt.Fprintf(out, "\n%s\n", title)
				heading = true
			}
			fmt.Fprintf(out, "  %-*s %s\n", cmd.NamePadding(), command.Name(), command.Short)
		}
	}
	for _, group := range cmd.Groups() {
		list(group.Title, group.ID)
	}
	list("Commands:", "")
}

// printFlags lists a set of flags, or those of the given names.
func printFlags(out io.Writer, title string, flags *pflag.FlagSet, names []string) {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(flag *pflag.Flag) {
		if names == nil || slices.Contains(names, flag.Name) {
			shown.AddFlag(flag)
		}
	})
	if shown.HasAvailableFlags() {
		fmt.Fprintf(out, "\n%s\n%s", title, shown.FlagUsagesWrapped(100))
	}
}

// newOptions lists the flags that every command takes.
func newOptions(call *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the flags that every command takes",
		Args:  atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(call.streams.Out, "Every command takes these flags:\n")
			printFlags(call.streams.Out, "", cmd.Root().PersistentFlags(), nil)
			return nil
		},
	}
}
