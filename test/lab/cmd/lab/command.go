package main

import (
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// newCommand returns the command with all its subcommands.
func newCommand() *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:           "lab",
		Short:         "A real Kubernetes cluster on this machine, for tests and the demo",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.PersistentFlags().StringVar(&name, "name", lab.DefaultName, "which lab, where there are several")
	command.AddCommand(newUp(&name), newDown(&name), newExec(&name), newKubeconfig(&name), newImage(&name), newStatus(), newSetup())
	return command
}

// newUp returns `lab up`.
func newUp(name *string) *cobra.Command {
	var with []string
	var audit bool
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the lab, or take it as it is if it runs",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			addons, err := lab.ParseAddons(with)
			if err != nil {
				return err
			}
			out := command.OutOrStdout()
			started, err := lab.Start(command.Context(), lab.Options{Name: *name, Out: out, With: addons, Audit: audit})
			if err != nil {
				return err
			}
			fmt.Fprintf(out, usage, flag(*name), started.Kubeconfig())
			return nil
		},
	}
	command.Flags().StringSliceVar(&with, "with", standard(), "what to run beside the cluster: "+lab.AddonNames())
	command.Flags().BoolVar(&audit, "audit", false, "let the API server write an audit log")
	return command
}

// standard names what runs beside the cluster if nothing else is said.
func standard() []string {
	var names []string
	for _, addon := range lab.Standard() {
		names = append(names, string(addon))
	}
	return names
}

// usage says what to do with a lab that is up.
const usage = `
run a command in it   lab exec%[1]s -- kubectl get pods -A
open a shell in it    lab exec%[1]s -- bash
its kubeconfig        %[2]s (its server answers inside the lab only)
take it down          lab down%[1]s
`

// flag is how to name a lab on the command line.
func flag(name string) string {
	if name == lab.DefaultName {
		return ""
	}
	return " --name " + name
}

// newDown returns `lab down`.
func newDown(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take the lab down, whatever state it is in",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := lab.Remove(command.Context(), *name); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "lab %s is down, nothing is left of it\n", *name)
			return nil
		},
	}
}

// newExec returns `lab exec`.
func newExec(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "exec -- COMMAND [ARGUMENT…]",
		Short: "Run a command inside the lab, with its kubeconfig and kubectl",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			running, err := lab.Attach(*name)
			if err != nil {
				return err
			}
			inside := running.Command(command.Context(), args[0], args[1:]...)
			if inside.Err != nil {
				return fmt.Errorf("run inside lab %s: %w", *name, inside.Err)
			}
			// The command takes this process's place, so that signals and the
			// terminal are its own.
			return syscall.Exec(inside.Path, inside.Args, inside.Env)
		},
	}
}

// newKubeconfig returns `lab kubeconfig`.
func newKubeconfig(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of the lab's kubeconfig",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			running, err := lab.Attach(*name)
			if err != nil {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), running.Kubeconfig())
			return nil
		},
	}
}
