package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// What explain knows besides the ids of checks.
const (
	subjectRoute  = "route"
	subjectPolicy = "policy"
)

const explainLong = `Explain a check, a rule about migrations, the route of a release, or its policy.

With a host or a Service, explain route finds what routes to it: the routes,
Ingresses and mesh objects that lead there, which of them win over which, which
field of spec.traffic would serve each, or why none can. It needs the right to
list those kinds; what may not be listed is named.`

func newExplain(call *invocation) *cobra.Command {
	output := &output{}
	command := &cobra.Command{
		Use:   "explain ID|route [HOST|svc/NAME]|policy",
		Short: "Explain a check, the route, or the policy of a release",
		Long:  explainLong,
		Example: `  kubectl bluegreen explain BG-DB-01
  kubectl bluegreen explain route
  kubectl bluegreen explain route svc/shop
  kubectl bluegreen explain route shop.example.com
  kubectl bluegreen explain policy
  kubectl bluegreen explain drop-column`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, "explain needs one argument: the id of a check, route or policy")
			}
			if args[0] == subjectRoute {
				return atMost(2, "route and at most one HOST or svc/NAME")(cmd, args)
			}
			return atMost(1, "one argument")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 2:
				return call.detectRoute(cmd.Context(), output, args[1])
			case output.format != "":
				return usageError(cmd, "-o goes with explain route HOST and explain route svc/NAME")
			}
			switch args[0] {
			case subjectRoute:
				return call.explainRoute(cmd.Context())
			case subjectPolicy:
				return call.explainPolicy(cmd.Context())
			}
			return call.explainCheck(args[0])
		},
	}
	output.addFlag(command)
	command.ValidArgs = []string{subjectRoute, subjectPolicy}
	for _, check := range preflight.Catalogue() {
		command.ValidArgs = append(command.ValidArgs, check.ID+"\t"+check.Title)
	}
	for _, rule := range migration.Catalogue() {
		command.ValidArgs = append(command.ValidArgs, rule.ID+"\ta migration that "+rule.Title)
	}
	return command
}

// explainCheck prints what the catalogue says of one check, or of one rule about
// migrations, or else the document at hand of a check of its own.
func (i *invocation) explainCheck(id string) error {
	var ids []string
	for _, check := range preflight.Catalogue() {
		if strings.EqualFold(check.ID, id) {
			i.printCheck(i.streams.Out, check)
			return nil
		}
		ids = append(ids, check.ID)
	}
	for _, rule := range migration.Catalogue() {
		if rule.ID == id {
			i.printRule(i.streams.Out, rule)
			return nil
		}
		ids = append(ids, rule.ID)
	}
	own, mistake := i.ownOfFile()
	for _, check := range own.compiled {
		if strings.EqualFold(check.ID, id) {
			i.printCheck(i.streams.Out, check)
			return nil
		}
		ids = append(ids, check.ID)
	}
	err := fmt.Errorf("nothing is called %q", id)
	if meant := release.Closest(id, append(ids, subjectRoute, subjectPolicy)); meant != "" {
		err = release.WithHint(err, fmt.Sprintf("did you mean %q? run: %s explain %s", meant, name, meant))
	} else {
		err = release.WithHint(err, name+" check lists the ids")
	}
	if mistake != nil {
		i.noteMistake(mistake) // it may declare the check
	}
	return err
}

// ownOfFile are the checks that the document at hand declares; none where there is
// no document.
func (i *invocation) ownOfFile() (*ownChecks, error) {
	found, err := i.fileDocument("")
	if err != nil || found == nil {
		return &ownChecks{}, err
	}
	return found.own, nil
}

func (i *invocation) printCheck(out io.Writer, check preflight.Check) {
	fmt.Fprintf(out, "%s  %s\n\n", i.streams.out.in(bold, check.ID), check.Title)
	field := func(label, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-8s %s\n", label, value)
		}
	}
	field("area", check.Area)
	field("stages", joined(check.Stages))
	field("weight", check.Weight())
	field("why", check.Why)
	field("remedy", check.Remedy)
	field("from", check.Source)
}

// printRule prints what a rule about migrations says, and its examples.
func (i *invocation) printRule(out io.Writer, rule migration.Rule) {
	fmt.Fprintf(out, "%s  a migration that %s\n\n", i.streams.out.in(bold, rule.ID), rule.Title)
	fmt.Fprintf(out, "%-8s %s, which %s\n", "class", rule.Class, rule.Class.Meaning())
	fmt.Fprintf(out, "%-8s %s\n%-8s %s\n%-8s %s\n%-8s %s\n", "level", rule.DefaultLevel(), "why", rule.Why, "remedy", rule.Remedy, "from", rule.Source)
	for _, example := range []struct{ label, text string }{{"bad", rule.Bad}, {"good", rule.Good}} {
		for number, line := range strings.Split(example.text, "\n") {
			if number > 0 {
				example.label = ""
			}
			if line != "" {
				fmt.Fprintf(out, "%-8s %s\n", example.label, line)
			}
		}
	}
}

// joined writes words of any kind with commas.
func joined[T ~string](words []T) string {
	var texts []string
	for _, word := range words {
		texts = append(texts, string(word))
	}
	return strings.Join(texts, ", ")
}

// explainRoute prints what serves the production route now, and how a person
// moves it without this program.
func (i *invocation) explainRoute(ctx context.Context) error {
	found, err := i.document(ctx, "")
	if err != nil {
		return err
	}
	client, err := i.client()
	if err != nil {
		return err
	}
	router, err := traffic.NewRouter(client, found.Release, i.environment.Clock)
	if err != nil {
		return cluster.Explain(err)
	}
	route, err := router.Read(ctx)
	if err != nil {
		return cluster.Explain(err)
	}
	proof, err := router.Prove(ctx, route.Split)
	if err != nil {
		return cluster.Explain(err)
	}
	i.printRoute(i.streams.Out, route, proof)
	fmt.Fprintln(i.streams.Out)
	for _, color := range found.Release.Spec.ColorNames() {
		fmt.Fprintf(i.streams.Out, "all to %s by hand:\n  %s\n", color, i.pasteable(router.Undo(route, color)))
	}
	return nil
}

func (i *invocation) printRoute(out io.Writer, route traffic.Route, proof traffic.Proof) {
	mark := i.streams.out.bad()
	if proof.Proven {
		mark = i.streams.out.good()
	}
	fmt.Fprintf(out, "%-10s %s in namespace %s\n", "route", route.Object, route.Namespace)
	fmt.Fprintf(out, "%-10s %s\n", "serves", liveText(route.Shares()))
	fmt.Fprintf(out, "%-10s %s %s\n", "proof", mark, plain(proof.Message))
	if route.Previous != nil {
		fmt.Fprintf(out, "%-10s %s\n", "before", liveText(route.Previous.String()))
	}
	if route.Affinity != "" && route.Affinity != "None" {
		fmt.Fprintf(out, "%-10s %s: a client stays on its pod\n", "affinity", route.Affinity)
	}
	if route.Fence.Epoch > 0 {
		fmt.Fprintf(out, "%-10s epoch %d of %s\n", "stamp", route.Fence.Epoch, plain(route.Fence.Holder))
	}
	if route.Stop != "" {
		fmt.Fprintf(out, "%-10s %s %s\n", "stop", i.streams.out.doubtful(), plain(route.Stop))
	}
	var fields []string
	for field := range route.Owners {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	for _, field := range fields {
		if owners := route.Owners[field]; len(owners) > 0 {
			fmt.Fprintf(out, "%-10s %s is also written by %s\n", "owners", field, plain(strings.Join(owners, ", ")))
		}
	}
}

// explainPolicy prints by which rules a shift of this release advances or
// rolls back, and within which deadlines.
func (i *invocation) explainPolicy(ctx context.Context) error {
	found, err := i.documentAlone(ctx, "")
	if err != nil {
		return err
	}
	everything := func(measure.Query) bool { return true }
	rules, err := gate.Rules(found.Release.Spec.Gates, found.Release.Spec.Databases, everything)
	if err != nil {
		return err
	}
	wide := &output{format: formatWide}
	if err := wide.printTable(i.streams, policyColumns(), policyRows(rules, found.Loaded)); err != nil {
		return err
	}
	fmt.Fprintln(i.streams.Out)
	if err := wide.printTable(i.streams,
		[]metav1.TableColumnDefinition{column("When traffic was moved and", false), column("Then", false), column("Set by", false)},
		failureRows(found.Release.Spec.Gates)); err != nil {
		return err
	}
	fmt.Fprintln(i.streams.Out)
	return wide.printTable(i.streams,
		[]metav1.TableColumnDefinition{column("Deadline", false), column("Time", false)},
		deadlineRows(found.Release.Spec.Traffic))
}

func policyColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		column("To", false), column("Rule", false), column("Of", false), column("Condition", false),
		column("Window", false), column("Samples", false), column("From", false),
	}
}

func policyRows(rules []gate.Rule, loaded *release.Loaded) [][]any {
	var rows [][]any
	for _, rule := range rules {
		condition := rule.Condition()
		if rule.Disabled {
			condition = "disabled"
		}
		rows = append(rows, []any{
			string(rule.Purpose), ruleName(rule), string(rule.Subject), condition,
			release.Duration(rule.Window).String(), rule.MinimumSamples, orDash(origin(rule, loaded)),
		})
	}
	return rows
}

// origin is where the numbers of a rule come from, in a few words: the line of
// the document that changes them, else the section of a runbook, of which
// docs/gates.md has the whole sentence.
func origin(rule gate.Rule, loaded *release.Loaded) string {
	overrides := loaded.Release.Spec.Gates.Rules
	for index := len(overrides) - 1; index >= 0; index-- { // the last one counts
		if id := overrides[index].ID; id == rule.ID || id == rule.Key() {
			place := loaded.Problem(fmt.Sprintf("spec.gates.rules[%d]", index), "", "")
			return fmt.Sprintf("%s, line %d", fromHere(place.File), place.Line)
		}
	}
	if end := strings.IndexAny(rule.Source, ":;("); end >= 0 {
		return strings.TrimSpace(rule.Source[:end])
	}
	return rule.Source
}

// fromHere is a path relative to the working folder, where it lies below it.
func fromHere(path string) string {
	folder, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(folder, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return path
	}
	return relative
}

// failureRows say what a shift does once something goes wrong with the target
// that has traffic.
func failureRows(gates release.Gates) [][]any {
	failure := "goes back"
	if gates.OnFailure == release.PolicyFreeze {
		failure = "freezes: holds, and leaves going back to a person"
	}
	silence := "holds"
	if gates.SourceDown.Policy == release.PolicyRollback {
		silence = failure
	}
	rival := "holds"
	if gates.OnRival == release.PolicyRollback {
		rival = failure
	}
	return [][]any{
		{"a rollback rule fires, or a phase fails", failure, "gates.onFailure"},
		{"somebody else rolls the target", rival, "gates.onRival"},
		{"somebody else changes the route", "holds", "-"},
		{"a source is silent for " + gates.SourceDown.Deadline.String(), silence, "gates.sourceDown"},
		{"somebody says stop", "goes back", "-"},
	}
}

func deadlineRows(policy release.Traffic) [][]any {
	deadlines := policy.Deadlines
	return [][]any{
		{"rollout", deadlines.Rollout.String()},
		{"validation", deadlines.Validation.String()},
		{"reroute", deadlines.Reroute.String()},
		{"watch", policy.Watch.String()},
		{"drain", deadlines.Drain.String()},
		{"rollback", deadlines.Rollback.String()},
		{"recover", deadlines.Recover.String()},
		{"total", deadlines.Total.String()},
	}
}
