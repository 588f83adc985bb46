package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newSetup returns `lab setup`.
func newSetup() *cobra.Command {
	var others []string
	command := &cobra.Command{
		Use:   "setup",
		Short: "Install and build what labs and tests need, once",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			programs, err := lab.Setup(command.Context(), command.ErrOrStderr(), others...)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d programs are ready\n", len(programs))
			return err
		},
	}
	command.Flags().StringSliceVar(&others, "also", nil, "more Debian packages to install")
	return command
}
