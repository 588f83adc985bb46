package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newImage returns `lab image`.
func newImage(name *string) *cobra.Command {
	command := &cobra.Command{Use: "image", Short: "Give the lab's node an image"}
	command.AddCommand(&cobra.Command{
		Use:   "load REFERENCE BINARY",
		Short: "Make an image of a static binary and load it",
		Args:  cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			running, err := lab.Attach(*name)
			if err != nil {
				return err
			}
			if err := running.LoadBinary(command.Context(), args[0], args[1]); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s is there; use it with imagePullPolicy: IfNotPresent\n", args[0])
			return nil
		},
	})
	return command
}
