package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newSetup returns `lab setup`.
func newSetup() *cobra.Command {
	return &cobra.Command{
		Use:   "setup",
		Short: "Install and build what labs and tests need, once",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			programs, err := lab.Setup(command.Context(), command.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d programs are ready\n", len(programs))
			return err
		},
	}
}
