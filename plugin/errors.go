package plugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// printError writes "error: …" and "hint: …" lines for an error and for each
// problem of a document.
func printError(streams Streams, err error) {
	var problems release.Problems
	if errors.As(err, &problems) && len(problems) > 1 {
		for _, problem := range problems {
			printError(streams, problem)
		}
		return
	}
	if message := err.Error(); message != "" {
		fmt.Fprintf(streams.ErrOut, "%s %s\n", streams.err.in(red, "error:"), message)
	}
	if hint := release.HintOf(err); hint != "" {
		for line := range strings.SplitSeq(hint, "\n") {
			fmt.Fprintf(streams.ErrOut, "%s %s\n", streams.err.in(cyan, "hint:"), line)
		}
	}
}

// printNext writes the one command to type next.
func printNext(streams Streams, command string) {
	if command != "" {
		fmt.Fprintf(streams.ErrOut, "%s %s\n", streams.err.in(cyan, "next:"), command)
	}
}

// usageError is a complaint about how a command was called.
func usageError(cmd *cobra.Command, message string) error {
	return release.WithHint(errors.New(message), "run: "+cmd.CommandPath()+" --help")
}
