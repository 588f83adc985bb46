package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newStatus returns `lab status`.
func newStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the labs of this machine and how they are",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			all, err := lab.Inspect()
			if err != nil {
				return err
			}
			if len(all) == 0 {
				fmt.Fprintln(command.OutOrStdout(), "no lab is up")
				return nil
			}
			table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 3, ' ', 0)
			fmt.Fprintln(table, "NAME\tSTATE\tENDED\tWITH")
			for _, status := range all {
				fmt.Fprintf(table, "%s\t%s\t%v\t%v\n", status.Name, status.State, status.Dead, status.Addons)
			}
			return table.Flush()
		},
	}
}
