package plugin

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// printError writes "error: …" and "hint: …" lines for an error and for each
// problem of a document.
func (i *invocation) printError(err error) {
	var problems release.Problems
	if errors.As(err, &problems) && len(problems) > 1 {
		for _, problem := range problems {
			i.printError(problem)
		}
		return
	}
	if message := err.Error(); message != "" {
		i.note("%s %s", i.streams.err.in(red, "error:"), message)
	}
	if hint := release.HintOf(err); hint != "" {
		for line := range strings.SplitSeq(i.pasteable(hint), "\n") {
			i.note("%s %s", i.streams.err.in(cyan, "hint:"), line)
		}
	}
}

// usageError is a complaint about how a command was called.
func usageError(cmd *cobra.Command, message string) error {
	return release.WithHint(errors.New(message), "run: "+cmd.CommandPath()+" --help")
}
