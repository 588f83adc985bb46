package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

func newHistory(call *invocation) *cobra.Command {
	output := &output{}
	command := &cobra.Command{
		Use:   "history [svc/NAME] [RUN]",
		Short: "List the runs of a release, or show one with its whole record",
		Example: `  kubectl bluegreen history
  kubectl bluegreen history 20261122-153012-k7f3q`,
		Args: atMost(2, "at most svc/NAME and the id of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.history(cmd.Context(), output, args)
		},
	}
	output.addFlag(command)
	return command
}

func (i *invocation) history(ctx context.Context, output *output, args []string) error {
	if err := output.validate(); err != nil {
		return err
	}
	service, args, err := leadingService(args)
	if err != nil {
		return err
	}
	found, err := i.documentOfRun(ctx, service)
	if err != nil {
		return err
	}
	client, err := i.client()
	if err != nil {
		return err
	}
	metadata := found.Release.Metadata
	record := i.journal(client, metadata.Namespace, metadata.Name)
	if len(args) == 1 {
		run, err := record.Get(ctx, args[0])
		if err != nil {
			return release.WithHint(cluster.Explain(err), name+" history")
		}
		return i.printRun(output, statusOf(*run))
	}
	runs, err := record.List(ctx)
	if err != nil && len(runs) == 0 {
		return cluster.Explain(err)
	}
	if err != nil {
		i.note("%s not every run can be read: %v", i.streams.err.doubtful(), err)
	}
	return i.printHistory(output, metadata, rollout.ListOf(runs))
}

// printRun shows one run of the past and everything in its record.
func (i *invocation) printRun(output *output, status *rollout.RunStatus) error {
	return output.print(i.streams, runObject(status), func() error {
		i.printCard(i.streams.Out, status)
		fmt.Fprintln(i.streams.Out)
		i.printEntries(i.streams.Out, status)
		return nil
	})
}

func (i *invocation) printHistory(output *output, metadata release.Metadata, list *rollout.RunList) error {
	return output.print(i.streams, listObject(metadata, list), func() error {
		if len(list.Items) == 0 {
			i.note("no runs of %s in namespace %s", metadata.Name, metadata.Namespace)
			i.printNext(name + " check")
			return nil
		}
		return output.printTable(i.streams, historyColumns(), historyRows(list.Items))
	})
}

func historyColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		column("Run", false), column("From", false), column("To", false), column("Outcome", false),
		column("Started", false), column("Took", false), column("Reason", false),
		column("Holder", true), column("Epoch", true),
	}
}

func historyRows(runs []rollout.RunStatus) [][]any {
	var rows [][]any
	for _, run := range runs {
		outcome := run.Outcome
		if outcome == "" {
			outcome = string(run.Phase)
		}
		rows = append(rows, []any{
			run.ID, run.From, run.To, outcome,
			run.Started.UTC().Format(time.RFC3339), elapsed(run.Started, run.Finished), plain(run.Reason),
			run.Holder, run.Epoch,
		})
	}
	return rows
}

// listObject names a list and its items for the printers: -o name prints a
// line for each item, so each needs a name and a kind.
func listObject(metadata release.Metadata, list *rollout.RunList) object {
	items := []object{}
	for _, run := range list.Items {
		items = append(items, runObject(&run))
	}
	return object{Kind: "RunList", Name: metadata.Name, Namespace: metadata.Namespace, Items: items}
}
