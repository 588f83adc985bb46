package plugin

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

const budgetLong = `Add up the connections that both colours may open at their peak, and hold the
sum against every limit of the database. Prints the pool size that fits and the
exact field to change. The exit code is 2 when it does not fit, or when that
could not be found out.

With -o patch it prints what to do as lines for a shell, nothing where all fits.
What a Secret holds is in none of them: a comment says what to set there.`

// newDatabase groups what is about the databases that the colours share.
func newDatabase(call *invocation) *cobra.Command {
	parent := newParent(&cobra.Command{
		Use:   "db",
		Short: "Look at the databases that both colours share",
	})
	parent.AddCommand(newBudget(call), newMigrations(call))
	return parent
}

func newBudget(call *invocation) *cobra.Command {
	output := &output{reports: []report.Format{{Name: formatPatch}}}
	command := &cobra.Command{
		Use:   "budget [svc/NAME] [DATABASE]",
		Short: "Add up the connections of both colours against the limits",
		Long:  budgetLong,
		Example: `  kubectl bluegreen db budget
  kubectl bluegreen db budget main -o yaml
  kubectl bluegreen db budget -o patch`,
		Args: atMost(2, "at most svc/NAME and the name of a database in the Release"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.budget(cmd.Context(), output, args)
		},
	}
	output.addFlag(command)
	return command
}

func (i *invocation) budget(ctx context.Context, output *output, args []string) error {
	if err := output.validate(); err != nil {
		return err
	}
	service, args, err := leadingService(args)
	if err != nil {
		return err
	}
	opened, err := i.open(ctx, service, true)
	if err != nil {
		return err
	}
	defer opened.close()
	names, err := databaseNames(opened.document, args)
	if err != nil {
		return err
	}
	facts := i.facts(ctx, opened, &ownChecks{}, "", preflight.StageDeploy)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var budgets []postgres.Budget
	for _, named := range names {
		budget, known, why := facts.Budget(named)
		if !known {
			return release.WithHint(
				&StatusError{Status: ExitBlocked, Err: fmt.Errorf("reckon budget of database %s: %s", named, why)},
				name+" explain BG-DB-01")
		}
		budgets = append(budgets, budget)
	}
	if output.format == formatPatch {
		i.printPatches(opened.document.Release, budgets)
		return budgetStatus(budgets)
	}
	return i.printBudgets(output, budgets)
}

// databaseNames are the databases of the release, or the one that was named.
func databaseNames(found *document, args []string) ([]string, error) {
	var names []string
	for _, database := range found.Release.Spec.Databases {
		names = append(names, database.Name)
	}
	if len(names) == 0 {
		return nil, release.WithHint(fmt.Errorf("%s declares no database", found.Origin), "declare it under spec.database, with where its connection string is found")
	}
	if len(args) == 0 {
		return names, nil
	}
	for _, known := range names {
		if known == args[0] {
			return []string{known}, nil
		}
	}
	return nil, release.WithHint(fmt.Errorf("unknown database %q", args[0]), "one of: "+strings.Join(names, ", "))
}

// printBudgets prints one Budget, or a List of several as kubectl does it,
// and says by the exit code whether all fit.
func (i *invocation) printBudgets(output *output, budgets []postgres.Budget) error {
	value := budgetObject(budgets[0])
	if len(budgets) > 1 {
		value = object{APIVersion: "v1", Kind: "List", Items: []object{}}
		for _, budget := range budgets {
			value.Items = append(value.Items, budgetObject(budget))
		}
	}
	err := output.print(i.streams, value, func() error {
		for number, budget := range budgets {
			if number > 0 {
				fmt.Fprintln(i.streams.Out)
			}
			if err := i.printBudget(output, budget); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return budgetStatus(budgets)
}

// budgetStatus says by the exit code whether all fit.
func budgetStatus(budgets []postgres.Budget) error {
	for _, budget := range budgets {
		if budget.Outcome == postgres.Exceeds || budget.Outcome == postgres.Unknown {
			return &StatusError{Status: ExitBlocked}
		}
	}
	return nil
}

func budgetObject(budget postgres.Budget) object {
	return object{Kind: postgres.KindBudget, Name: budget.Name, Namespace: budget.Namespace, Value: budget}
}

// printBudget prints the verdict, who asks for how much and why that is
// known, the sums, and what to change.
func (i *invocation) printBudget(output *output, budget postgres.Budget) error {
	style := i.streams.out
	mark := style.doubtful()
	switch budget.Outcome {
	case postgres.Fits:
		mark = style.good()
	case postgres.Exceeds:
		mark = style.bad()
	}
	out := i.streams.Out
	fmt.Fprintf(out, "%s %s\n\n", mark, plain(budget.Summary))
	if err := output.printTable(i.streams, budgetColumns(), budgetRows(budget)); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, line := range budget.Arithmetic {
		fmt.Fprintf(out, "  %s\n", plain(line))
	}
	for _, change := range budget.Changes {
		from := ""
		if change.From > 0 {
			from = fmt.Sprintf(" from %d", change.From)
		}
		fmt.Fprintf(out, "%s change %s%s to %d\n", style.in(cyan, style.either("→", "->")), plain(change.Field), from, change.To)
	}
	for _, warning := range budget.Warnings {
		fmt.Fprintf(out, "%s %s\n", style.doubtful(), plain(warning))
	}
	return nil
}

func budgetColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		column("Color", false), column("Pods at peak", false), column("Per pod", false), column("At peak", false),
		column("Now", false), column("Known by", false), column("Trust", true), column("Role", true),
	}
}

func budgetRows(budget postgres.Budget) [][]any {
	var rows [][]any
	for _, color := range budget.Colors {
		size, peak := "unknown", "unknown"
		if color.Pool.Known {
			size, peak = fmt.Sprint(color.Pool.Connections), fmt.Sprint(color.Connections)
		}
		rows = append(rows, []any{
			color.Color, color.Pods, size, peak, sessionsNow(budget, color),
			orDash(color.Pool.Provenance), orDash(color.Pool.Trust), orDash(color.Role),
		})
	}
	for _, job := range budget.Jobs {
		size, peak, now := "unknown", "unknown", orDash("")
		if job.Pool.Known {
			size, peak = fmt.Sprint(job.Pool.Connections), fmt.Sprint(job.Connections)
		}
		if job.Sessions > 0 {
			now = fmt.Sprint(job.Sessions)
		}
		rows = append(rows, []any{job.Name, job.Pods, size, peak, now, orDash(job.Pool.Provenance), orDash(job.Pool.Trust), orDash(job.Role)})
	}
	return rows
}

// sessionsNow is what a colour holds now. Whose the sessions are is not known
// where an exporter counted them; of those that the observer may not see, the
// colour holds at least what was seen.
func sessionsNow(budget postgres.Budget, color postgres.ColorDemand) string {
	switch {
	case !budget.Counted && !budget.Unseen:
		return fmt.Sprint(color.Sessions)
	case color.Sessions > 0:
		return fmt.Sprintf(">= %d", color.Sessions)
	default:
		return orDash("")
	}
}
