package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newSetup returns `lab setup`.
func newSetup() *cobra.Command {
	var with, others []string
	command := &cobra.Command{
		Use:   "setup",
		Short: "Install and build what labs and tests need, once",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			addons, err := lab.ParseAddons(with)
			if err != nil {
				return err
			}
			programs, err := lab.Setup(command.Context(), command.ErrOrStderr(), addons, others...)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d programs are ready\n", len(programs))
			return err
		},
	}
	command.Flags().StringSliceVar(&with, "with", []string{"all"}, "what will run beside the cluster: "+lab.AddonNames())
	command.Flags().StringSliceVar(&others, "also", nil, "more Debian packages to install")
	return command
}
