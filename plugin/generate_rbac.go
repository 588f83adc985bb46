package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/admission"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rbac"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const generateRBACLong = `Write the Role that a release needs, for an administrator to apply.

It holds the rights that check asks for (BG-COL-07) and no others: a rule for
each purpose, by name wherever RBAC can name an object. What a release can do
without is in rules of its own, which say what is lost when they are struck out.
Rights in other namespaces, such as that to ask a Prometheus, are Roles there.

--checks writes the same rights for an account that only checks, and an admission
policy by which that account may try writes as dry runs, and make none: a check has
the API server admit a shift, which takes the rights of one. It takes Kubernetes
1.30 or later.

With a document at hand only files are read. The Secrets that pods refer to, and
the autoscalers, are then those that the manifests of the colours name; --live
also looks at the workloads in the cluster.`

const generateRBACExample = `  # for a service account of its own, which is made too
  kubectl bluegreen generate rbac | kubectl apply -f -

  # for a team, without an account
  kubectl bluegreen generate rbac --service-account= --group oncall

  # for the checks of a workflow, which must not be able to shift
  kubectl bluegreen generate rbac --checks | kubectl apply -f -

  # see what it would grant
  kubectl bluegreen generate rbac -o jsonpath='{range .items[*].rules[*]}{.verbs} {.resources}{"\n"}{end}'`

// rbacFlags are the flags of generate rbac.
type rbacFlags struct {
	output  manifestOutput
	account string
	groups  []string
	users   []string
	nodes   bool
	jobs    bool
	remove  bool
	live    bool
	checks  bool
}

// checksSuffix tells what is for who only checks from what is for who shifts.
const checksSuffix = "-checks"

func newGenerateRBAC(call *invocation) *cobra.Command {
	flags := &rbacFlags{}
	command := &cobra.Command{
		Use:     "rbac [svc/NAME]",
		Short:   "Write the Role that a release needs, and what binds it",
		Long:    generateRBACLong,
		Example: generateRBACExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.generateRBAC(cmd, flags, args)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringVar(&flags.account, "service-account", "", "the service account to make and bind, bluegreen-RELEASE unless it is given; empty for none")
	command.Flags().StringArrayVar(&flags.groups, "group", nil, "a group to bind; may be repeated")
	command.Flags().StringArrayVar(&flags.users, "user", nil, "a user to bind; may be repeated")
	command.Flags().BoolVar(&flags.nodes, "nodes", false, "also a ClusterRole to list nodes and pods, by which BG-COL-11 judges the room on the nodes")
	command.Flags().BoolVar(&flags.live, "live", false, "ask the cluster too: for the Secrets and autoscalers of running workloads, and for the kinds in the manifests")
	command.Flags().BoolVar(&flags.jobs, "jobs", false, "also what shift --detach and shift --guard take: to start Jobs, and to be a guard")
	command.Flags().BoolVar(&flags.remove, "delete", false, "also what finish --delete takes: to delete the workloads of either colour, and what is theirs alone")
	command.Flags().BoolVar(&flags.checks, "checks", false, "for an account that only checks, bluegreen-RELEASE"+checksSuffix+": a policy lets it try writes, and make none (Kubernetes 1.30)")
	return command
}

func (i *invocation) generateRBAC(cmd *cobra.Command, flags *rbacFlags, args []string) error {
	if err := flags.output.validate(); err != nil {
		return err
	}
	if err := flags.check(cmd); err != nil {
		return err
	}
	service, err := optionalService(args)
	if err != nil {
		return err
	}
	found, err := i.documentAlone(cmd.Context(), service)
	if err != nil {
		return err
	}
	metadata := found.Release.Metadata
	suffix := ""
	if flags.checks {
		suffix = checksSuffix
	}
	if !cmd.Flags().Changed("service-account") {
		flags.account = rbac.AccountName(metadata.Name) + suffix
	}
	rights, err := i.rights(cmd.Context(), found, flags)
	if err != nil {
		return err
	}
	binding := rbac.Binding{Release: metadata.Name, Namespace: metadata.Namespace, Suffix: suffix, ServiceAccount: flags.account, Groups: flags.groups, Users: flags.users}
	manifests := rbacManifests(binding, rbac.Roles(metadata.Namespace, rights))
	if flags.checks {
		manifests = append(dryRunManifests(metadata, binding), manifests...)
	}
	return flags.output.print(i.streams, manifests)
}

// dryRunManifests are the policy that those are held to who are bound, and what puts it
// in force. They come before the rights that they bound.
func dryRunManifests(metadata release.Metadata, bound rbac.Binding) []manifest {
	subjects := admission.Subjects{Users: bound.Users, Groups: bound.Groups}
	if bound.ServiceAccount != "" {
		account := "system:serviceaccount:" + metadata.Namespace + ":" + bound.ServiceAccount
		subjects.Users = append([]string{account}, subjects.Users...)
	}
	policy, binding := admission.DryRuns(metadata, subjects)
	return []manifest{
		{object: policy, about: "Who checks may try writes as dry runs, and make none. Kubernetes 1.30 or later: without this\nthe rights below are those of a shift"},
		{object: binding},
	}
}

// check refuses subjects that there can't be, and rights that a check has no use for.
func (f *rbacFlags) check(cmd *cobra.Command) error {
	if f.checks && (f.jobs || f.remove) {
		return usageError(cmd, "--checks is for who only checks: neither --jobs nor --delete goes with it")
	}
	subjects := slices.Concat(f.groups, f.users)
	if slices.Contains(subjects, "") {
		return usageError(cmd, "the name of a group or a user is empty")
	}
	if !cmd.Flags().Changed("service-account") {
		return nil
	}
	if f.account == "" && len(subjects) == 0 {
		return release.WithHint(errors.New("nobody to bind the Role to: --service-account is empty"), "name somebody with --group or --user")
	}
	if f.account == "" {
		return nil
	}
	if problems := validation.NameIsDNSSubdomain(f.account, false); len(problems) > 0 {
		return release.WithHint(fmt.Errorf("read --service-account %q: expected the name of an account in the release's namespace", f.account),
			"an account of another namespace is a user: --user system:serviceaccount:NAMESPACE:NAME")
	}
	return nil
}

// rights are the list from which the Role is made. The cluster is asked where
// the document came from it, or where that was wanted.
func (i *invocation) rights(ctx context.Context, found *document, flags *rbacFlags) ([]preflight.Right, error) {
	inputs := preflight.Inputs{Release: found.Release, Manifests: found.manifests()}
	if flags.live || i.connected != nil {
		client, err := i.client()
		if err != nil {
			return nil, err
		}
		inputs.Client = client
		if inputs.Live, err = preflight.ReadLive(ctx, inputs); err != nil {
			return nil, cluster.Explain(err)
		}
	} else if blind := withoutManifests(found); len(blind) > 0 {
		i.note("without manifests of %s, neither the Secrets of its pods nor its autoscalers are known; --live asks the cluster", strings.Join(blind, " and of "))
	}
	rights, err := preflight.Rights(inputs)
	if err != nil {
		return nil, err
	}
	if flags.nodes {
		rights = append(rights, preflight.NodeRights()...)
	}
	if flags.jobs {
		rights = append(rights, preflight.JobRights(found.Release)...)
	}
	if flags.remove {
		deletions, err := preflight.DeletionRights(inputs)
		if err != nil {
			return nil, err
		}
		rights = append(rights, deletions...)
	}
	return rights, nil
}

// withoutManifests are the colours that declare none.
func withoutManifests(found *document) []string {
	var names []string
	for _, name := range found.Release.Spec.ColorNames() {
		if len(found.Release.Spec.Colors[name].Manifests) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// rbacManifests are the objects with what people want to know of each.
func rbacManifests(binding rbac.Binding, roles []rbac.Role) []manifest {
	var manifests []manifest
	for _, object := range binding.Objects(roles) {
		written := manifest{object: object.Object}
		if object.Rules != nil {
			written.notes = map[string][]string{"rules": nil}
			for _, rule := range object.Rules {
				written.notes["rules"] = append(written.notes["rules"], noteOf(rule))
			}
		}
		manifests = append(manifests, written)
	}
	manifests[0].about = fmt.Sprintf("The rights of release %s in namespace %s, by: %s generate rbac", binding.Release, binding.Namespace, name)
	return manifests
}

// noteOf is what stands above a rule.
func noteOf(rule rbac.Rule) string {
	if rule.Without == "" {
		return "to " + rule.For
	}
	return fmt.Sprintf("to %s\noptional: without it, %s", rule.For, rule.Without)
}
