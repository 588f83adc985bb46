package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completionProgram is what kubectl runs to complete a plugin's arguments.
// One line, so that it can be read before it is put on PATH.
const completionProgram = `#!/bin/sh
# kubectl runs this program to complete the arguments of kubectl bluegreen.
exec kubectl-bluegreen __complete "$@"
`

const completionLong = `Print what completes the arguments of kubectl bluegreen.

kubectl completes a plugin by running kubectl_complete-bluegreen from PATH.
Put it there once; then every shell in which kubectl itself completes
completes the plugin too. The other arguments print a script for a shell in
which the program is called directly, as kubectl-bluegreen.`

const completionExample = `  # with kubectl, in every shell
  kubectl bluegreen completion kubectl > ~/.local/bin/kubectl_complete-bluegreen
  chmod +x ~/.local/bin/kubectl_complete-bluegreen

  # the same without a copy: the program answers to that name
  ln -s "$(command -v kubectl-bluegreen)" ~/.local/bin/kubectl_complete-bluegreen`

func newCompletion(call *invocation) *cobra.Command {
	shells := []string{"kubectl", "bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion kubectl|bash|zsh|fish|powershell",
		Short:     "Print what completes the arguments in a shell",
		Long:      completionLong,
		Example:   completionExample,
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "completion needs one argument: kubectl, bash, zsh, fish or powershell")
			}
			return atMost(1, "one argument")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeCompletion(cmd, call.streams, args[0])
		},
	}
}

func writeCompletion(cmd *cobra.Command, streams Streams, shell string) error {
	root := cmd.Root()
	switch shell {
	case "kubectl":
		_, err := fmt.Fprint(streams.Out, completionProgram)
		return err
	case "bash":
		return root.GenBashCompletionV2(streams.Out, true)
	case "zsh":
		return root.GenZshCompletion(streams.Out)
	case "fish":
		return root.GenFishCompletion(streams.Out, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(streams.Out)
	}
	return usageError(cmd, fmt.Sprintf("no completion for %q: expected kubectl, bash, zsh, fish or powershell", shell))
}

// complete registers the values that a flag can have. Registering fails only
// for a flag that was not declared, which the script tests would see.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeColors completes a flag from the document at hand. It never
// connects: a completion must answer at once.
func completeColors(cmd *cobra.Command, flag string, call *invocation) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		found, err := call.fileDocument("")
		if err != nil || found == nil {
			return []string{"blue", "green"}, cobra.ShellCompDirectiveNoFileComp
		}
		return found.Release.Spec.ColorNames(), cobra.ShellCompDirectiveNoFileComp
	})
}
