package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
)

const signoffLong = `Sign off what no machine can see, or list what is signed off.

  BG-TST-01   both colours were loaded together at full capacity
  BG-TST-02   a rollback was rehearsed, within a quarter
  BG-NET-05   client-side caching does not interfere with routing

A sign-off says who answers for it and until which day. It counts for what is
there when it is given: a load for the images of both colours, a rehearsal for
the kind of the route, caching for the route. Where that changes it counts no
more, and check says so. It is kept in the cluster, beside the record of the runs.

Without an ID, or with the word list, it shows what is signed off, by whom, until
when, and what is due.`

// signoffFlags are the flags of signoff.
type signoffFlags struct {
	output output
	by     string
	until  string
	note   string
	revoke bool
}

func newSignoff(call *invocation) *cobra.Command {
	flags := &signoffFlags{}
	command := &cobra.Command{
		Use:   "signoff [svc/NAME] [ID --by NAME --until DATE [--note TEXT] | ID --revoke | list]",
		Short: "Sign off what no machine can see, or list what is signed off",
		Long:  signoffLong,
		Example: `  # what is signed off, and what is due
  kubectl bluegreen signoff

  # the rehearsal of this quarter
  kubectl bluegreen signoff BG-TST-02 --by ana@example.com --until 2027-02-20 --note "in staging"

  # it doesn't count after all
  kubectl bluegreen signoff BG-TST-02 --revoke`,
		Args: atMost(2, "at most svc/NAME and the id of a check"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.signoff(cmd, flags, args)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringVar(&flags.by, "by", "", "who answers for it")
	command.Flags().StringVar(&flags.until, "until", "", "the last day on which it counts, such as 2027-01-31")
	command.Flags().StringVar(&flags.note, "note", "", "what was seen, or where the report is")
	command.Flags().BoolVar(&flags.revoke, "revoke", false, "take the sign-off back")
	command.ValidArgs = []string{"list"}
	for _, kind := range signoff.Kinds() {
		command.ValidArgs = append(command.ValidArgs, kind.ID+"\t"+kind.What)
	}
	return command
}

func (i *invocation) signoff(cmd *cobra.Command, flags *signoffFlags, args []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	service, id, err := signoffArguments(args)
	if err != nil {
		return err
	}
	if id == "" || id == "list" {
		for _, flag := range []string{"by", "until", "note", "revoke"} {
			if cmd.Flags().Changed(flag) {
				return usageError(cmd, "--"+flag+" goes with the id of what is signed off")
			}
		}
		return i.listSignoffs(cmd.Context(), flags, service)
	}
	kind, err := signoff.KindOf(id)
	switch {
	case err != nil:
		return err
	case flags.revoke && (cmd.Flags().Changed("by") || cmd.Flags().Changed("until") || cmd.Flags().Changed("note")):
		return usageError(cmd, "--revoke takes back what is there: --by, --until and --note don't go with it")
	case flags.revoke:
		return i.revokeSignoff(cmd.Context(), kind, service)
	}
	return i.giveSignoff(cmd.Context(), flags, kind, service)
}

// signoffArguments tells an optional svc/NAME from an optional id, in whatever
// order they come: what is printed to be typed next ends with the Service.
func signoffArguments(args []string) (service, id string, err error) {
	for _, arg := range args {
		switch {
		case strings.Contains(arg, "/") && service == "":
			if service, err = serviceArgument(arg); err != nil {
				return "", "", err
			}
		case id == "":
			id = arg
		default:
			return "", "", release.WithHint(fmt.Errorf("unexpected argument %q: signoff takes at most svc/NAME and one id", arg), "run: "+name+" signoff --help")
		}
	}
	return service, id, nil
}

// openSigned finds the Release as check does, and connects to its route alone.
func (i *invocation) openSigned(ctx context.Context, service string) (*work, error) {
	found, err := i.document(ctx, service)
	if err != nil {
		return nil, err
	}
	return i.connect(found)
}

// giveSignoff writes a sign-off, bound to what is there now.
func (i *invocation) giveSignoff(ctx context.Context, flags *signoffFlags, kind signoff.Kind, service string) error {
	signed, err := signoff.New(kind, flags.by, flags.until, flags.note, i.environment.Clock.Now())
	if err != nil {
		return err
	}
	opened, err := i.openSigned(ctx, service)
	if err != nil {
		return err
	}
	facts := i.signedFacts(ctx, opened)
	binding, problem := preflight.Binding(facts, kind)
	if problem != "" {
		return release.WithHint(fmt.Errorf("sign off %s: what it would be bound to can't be seen: %s", kind.ID, problem), name+" check")
	}
	signed.Binding = binding
	if err := i.signoffStore(opened).Sign(ctx, kind, signed); err != nil {
		return cluster.Explain(err)
	}
	fmt.Fprintf(i.streams.Out, "%s %s signed off by %s until %s: %s\n", i.streams.out.good(), kind.ID, plain(signed.By), signed.Until, kind.What)
	fmt.Fprintf(i.streams.Out, "  it counts for %s\n", plain(binding.String()))
	i.printNext(name + " check")
	return nil
}

func (i *invocation) revokeSignoff(ctx context.Context, kind signoff.Kind, service string) error {
	opened, err := i.openSigned(ctx, service)
	if err != nil {
		return err
	}
	found, err := i.signoffStore(opened).Revoke(ctx, kind)
	switch {
	case err != nil:
		return cluster.Explain(err)
	case !found:
		fmt.Fprintf(i.streams.Out, "already: nobody has signed off %s\n", kind.ID)
	default:
		fmt.Fprintf(i.streams.Out, "%s is signed off no more\n", kind.ID)
	}
	return nil
}

func (i *invocation) signoffStore(opened *work) *signoff.Store {
	metadata := opened.document.Release.Metadata
	return signoff.NewStore(opened.client.Kubernetes, metadata.Namespace, metadata.Name)
}

// signedFacts are what sign-offs are judged by and bound to.
func (i *invocation) signedFacts(ctx context.Context, opened *work) *preflight.Facts {
	return preflight.CollectSigned(ctx, preflight.Inputs{
		Client: opened.client, Release: opened.document.Release, Manifests: opened.document.manifests(),
		Stage: preflight.StageDeploy, Getenv: i.getenv, Clock: i.environment.Clock,
	})
}

// listSignoffs shows every kind, signed or due.
func (i *invocation) listSignoffs(ctx context.Context, flags *signoffFlags, service string) error {
	opened, err := i.openSigned(ctx, service)
	if err != nil {
		return err
	}
	facts := i.signedFacts(ctx, opened)
	if !facts.SignOffs.Known {
		return release.WithHint(fmt.Errorf("list sign-offs: %s", facts.SignOffs.Problem), facts.SignOffs.Remedy)
	}
	var standings []signoff.Standing
	due := ""
	for _, kind := range signoff.Kinds() {
		standing := preflight.Standing(facts, kind)
		if standing.State != signoff.Signed && due == "" {
			due = name + " signoff " + kind.ID + " --by NAME --until DATE"
		}
		standings = append(standings, standing)
	}
	if err := i.printSignoffs(flags, opened.document.Release.Metadata, standings); err != nil {
		return err
	}
	i.noteStrangers(facts.SignOffs.Value, opened.document.Release.Metadata)
	if flags.output.human() {
		i.printNext(due)
	}
	return nil
}

// noteStrangers tells of keys that are no id, which nothing goes by.
func (i *invocation) noteStrangers(entries map[string]signoff.Entry, metadata release.Metadata) {
	var strangers []string
	for id := range entries {
		known := slices.ContainsFunc(signoff.Kinds(), func(kind signoff.Kind) bool { return kind.ID == id })
		if !known {
			strangers = append(strangers, plain(id))
		}
	}
	if slices.Sort(strangers); len(strangers) > 0 {
		i.note("%s nothing goes by %s of configmap %s/%s", i.streams.err.doubtful(), strings.Join(strangers, ", "), metadata.Namespace, signoff.Name(metadata.Name))
	}
}

// printSignoffs writes the list, an output kind.
func (i *invocation) printSignoffs(flags *signoffFlags, metadata release.Metadata, standings []signoff.Standing) error {
	items := []object{}
	var rows [][]any
	for _, standing := range standings {
		by, until := "", ""
		if signed := standing.SignOff; signed != nil {
			by, until = signed.By, string(signed.Until)
		}
		rows = append(rows, []any{standing.Kind.ID, string(standing.State), orDash(plain(by)), orDash(until), plain(standing.Reason), standing.Kind.What})
		items = append(items, object{Kind: "SignOff", Name: strings.ToLower(standing.Kind.ID), Namespace: metadata.Namespace, Value: map[string]any{
			"id": standing.Kind.ID, "what": standing.Kind.What, "state": standing.State, "reason": standing.Reason, "signOff": standing.SignOff,
		}})
	}
	list := object{Kind: "SignOffList", Name: metadata.Name, Namespace: metadata.Namespace, Items: items}
	return flags.output.print(i.streams, list, func() error {
		return flags.output.printTable(i.streams, []metav1.TableColumnDefinition{
			column("Id", false), column("State", false), column("By", false), column("Until", false), column("Reason", false), column("What", true),
		}, rows)
	})
}
