package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gitops"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const generateGitOpsLong = `Write the rules by which Argo CD or Flux leaves alone what a shift writes, and
nothing else: the split of the production route, the replicas of the workloads,
the floor of their autoscalers. Without them the route is put back minutes after
the switch, in silence (BG-NET-04).

What is written is a part of the Application or of the Kustomization that applies
these objects, to be merged into it in Git. Where weights stand in a list of
rules, the whole list is left alone: change it in Git and in the cluster. What
Git says of these fields counts when an object is made anew.

Argo CD also has to be told so when it applies (RespectIgnoreDifferences). Flux
has such rules since 2.9; before that, annotate the route in Git with
kustomize.toolkit.fluxcd.io/ssa: IfNotPresent.

With a document at hand only files are read. The autoscalers are then those that
the manifests of the colours name; --live also asks the cluster.`

const generateGitOpsExample = `  # for the Application of Argo CD that applies the release's objects
  kubectl bluegreen generate gitops > ignore.yaml

  # for a Kustomization of Flux
  kubectl bluegreen generate gitops --for flux`

// gitopsEngines are for what rules can be written.
const (
	forArgoCD = "argocd"
	forFlux   = "flux"
)

// gitopsFlags are the flags of generate gitops.
type gitopsFlags struct {
	engine string
	live   bool
}

func newGenerateGitOps(call *invocation) *cobra.Command {
	flags := &gitopsFlags{}
	command := &cobra.Command{
		Use:     "gitops [svc/NAME]",
		Short:   "Write what keeps Argo CD or Flux from putting back what a shift writes",
		Long:    generateGitOpsLong,
		Example: generateGitOpsExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.generateGitOps(cmd, flags, args)
		},
	}
	command.Flags().StringVar(&flags.engine, "for", forArgoCD, "argocd or flux")
	complete(command, "for", forArgoCD, forFlux)
	command.Flags().BoolVar(&flags.live, "live", false, "ask the cluster too: for the autoscalers of running workloads")
	return command
}

func (i *invocation) generateGitOps(cmd *cobra.Command, flags *gitopsFlags, args []string) error {
	write, into := gitops.ArgoCD, "the Application that applies these objects; spec.syncPolicy.syncOptions beside those that are there"
	switch flags.engine {
	case forArgoCD:
	case forFlux:
		write, into = gitops.Flux, "the Kustomization that applies these objects; Flux 2.9 or later"
	default:
		return release.WithHint(fmt.Errorf("no rules can be written for %q", flags.engine), "one of: argocd, flux")
	}
	found, err := i.documentOf(cmd, args)
	if err != nil {
		return err
	}
	autoscalers, err := i.autoscalers(cmd.Context(), found, flags.live)
	if err != nil {
		return err
	}
	objects, err := gitops.Objects(found.Release, autoscalers)
	if err != nil {
		return err
	}
	rules, err := write(objects)
	if err != nil {
		return err
	}
	metadata := found.Release.Metadata
	return i.streams.printYAML(rules, fmt.Sprintf("What shifts of release %s in namespace %s write, by: %s generate gitops --for %s\nto be merged into %s",
		metadata.Name, metadata.Namespace, name, flags.engine, into))
}

// autoscalers are the names of those that scale the workloads, by the manifests of
// the colours, and by the cluster where the document came from it, or where that
// was wanted.
func (i *invocation) autoscalers(ctx context.Context, found *document, live bool) ([]string, error) {
	files := found.manifests()
	var declared []*unstructured.Unstructured
	for _, color := range found.Release.Spec.ColorNames() {
		objects, err := cluster.ReadManifests(files[color])
		if err != nil {
			return nil, err
		}
		declared = append(declared, objects...)
	}
	names := gitops.Autoscalers(found.Release, declared)
	if !live && i.connected == nil {
		if blind := withoutManifests(found); len(blind) > 0 {
			i.note("without manifests of %s, its autoscalers are not known; --live asks the cluster", strings.Join(blind, " and of "))
		}
		return names, nil
	}
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	seen, err := preflight.ReadLive(ctx, preflight.Inputs{Release: found.Release, Manifests: files, Client: client})
	if err != nil {
		return nil, cluster.Explain(err)
	}
	names = append(names, seen.Autoscalers...)
	slices.Sort(names)
	return slices.Compact(names), nil
}
