package plugin

import (
	"context"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// plan shows what a shift would do: its writes, and the gates with the
// readings of now. It writes nothing.
func (i *invocation) plan(ctx context.Context, flags *shiftFlags, opened *work) error {
	i.introduce(opened)
	request := rollout.ShiftRequest{To: flags.to, SetRecordAside: flags.aside}
	plan, err := i.runner(opened, nil).DryRun(ctx, request, flags.dryRun == dryRunServer)
	if err != nil {
		return cluster.Explain(err)
	}
	plan.Undo = i.pasteable(plan.Undo)
	value := object{Kind: "Plan", Name: plan.Release, Namespace: plan.Namespace, Value: plan}
	err = flags.output.print(i.streams, value, func() error { return i.printPlan(&flags.output, plan) })
	if err == nil && plan.From != plan.To {
		next := name + " shift --to " + plan.To
		if flags.aside {
			next += " --" + setRecordAside
		}
		i.printNext(next)
	}
	return err
}

func (i *invocation) printPlan(output *output, plan *rollout.Plan) error {
	out := i.streams.Out
	if plan.From == plan.To {
		_, err := fmt.Fprintf(out, "%s already: %s serves\n", i.streams.out.good(), plan.To)
		return err
	}
	fmt.Fprintf(out, "%s→%s\n\n", plan.From, plan.To)
	i.printWrites(out, plan.Writes)
	if plan.Server {
		fmt.Fprintln(out, "the API server would admit every write")
	}
	fmt.Fprintf(out, "undo: %s\n", plan.Undo)
	i.printFailure(out, plan)
	return output.printTable(i.streams, gateColumns(), gateRows(plan.Gate))
}

// printFailure says what becomes of the run where a gate breaks.
func (i *invocation) printFailure(out io.Writer, plan *rollout.Plan) {
	if plan.OnFailure != release.PolicyFreeze {
		fmt.Fprintln(out)
		return
	}
	fmt.Fprintln(out, "on failure: it freezes, and leaves going back to a person")
	for _, change := range plan.Irreversible {
		fmt.Fprintf(out, "%s the old version can't simply take over again: %s\n", i.streams.out.doubtful(), plain(change))
	}
	fmt.Fprintln(out)
}

// printWrites shows what is written, with the patches but for those of the
// stamps, which are all alike and move nothing.
func (i *invocation) printWrites(out io.Writer, writes []rollout.PlanWrite) {
	for number, write := range writes {
		change := write.To
		if write.From != "" {
			change = write.From + " → " + write.To
		}
		if write.Hold != "" && write.Hold != "0s" {
			change += ", held for " + write.Hold
		}
		if write.If != "" {
			change += ", if " + write.If
		}
		fmt.Fprintf(out, "%2d %-*s %s: %s\n", number+1, phaseWidth, write.Phase, write.Object, change)
		if len(write.Patch) > 0 && write.Phase != rollout.Preflight {
			fmt.Fprintf(out, "   %s\n", write.Patch)
		}
	}
	fmt.Fprintln(out, "the patches of the stamps too: -o yaml")
}

func gateColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		column("Rule", false), column("Verdict", false), column("Condition", false), column("Now", false),
		column("Samples", true), column("Source", true), column("Threshold from", true), column("Expression", true),
	}
}

// gateRows is one row a rule, what is not declared included: a gate that
// hides a rule would look stricter than it is.
func gateRows(results []gate.Result) [][]any {
	var rows [][]any
	for _, result := range results {
		verdict, now := string(result.Verdict), "-"
		switch {
		case result.Disabled:
			verdict = "disabled"
		case !result.Required:
			verdict = "not declared"
		case result.Reading.State == "ok":
			now = gate.Format(result.Signal, result.Reading.Value)
		}
		rows = append(rows, []any{
			ruleName(result.Rule), verdict, result.Condition(), now,
			result.Reading.Samples, orDash(result.Reading.Source), orDash(result.Rule.Source), orDash(result.Reading.Expression),
		})
	}
	return rows
}

// ruleName is the id of a rule, with the database that it is about.
func ruleName(rule gate.Rule) string {
	if rule.Database == "" {
		return rule.ID
	}
	return rule.ID + "/" + rule.Database
}

// orDash shows that there is nothing where a column would be empty.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return plain(text)
}
