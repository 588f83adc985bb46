package plugin

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/admission"
)

const generateAdmissionPolicyLong = `Write a ValidatingAdmissionPolicy by which the cluster itself guards the
production route, for an administrator to apply. It takes Kubernetes 1.30 or
later; nothing is installed by it.

The cluster then refuses a write of the route whose epoch goes back, as that of
a process that slept through a takeover, and one that changes which colour is
selected, or the weight of one, without being a switch of kubectl bluegreen, as
kubectl edit does.
Everything else about the route stays as free as it was; so does the emergency
stop, which anybody may set.

Members of the break-glass groups are held to none of it; the audit log says
what they did. The plain kubectl line that a shift prints at its beginning to
undo it by hand needs that group too, where the policy is in force.`

const generateAdmissionPolicyExample = `  kubectl bluegreen generate admission-policy | kubectl apply -f -

  # with a group of your own for emergencies
  kubectl bluegreen generate admission-policy --break-glass-group oncall

  # in an emergency, by somebody who may impersonate the group
  kubectl --as=ana --as-group=` + admission.BreakGlassGroup + ` patch service shop --type merge -p '…'`

func newGenerateAdmissionPolicy(call *invocation) *cobra.Command {
	flags := struct {
		output manifestOutput
		groups []string
	}{}
	command := &cobra.Command{
		Use:     "admission-policy [svc/NAME]",
		Short:   "Write a policy by which the cluster itself guards the route (Kubernetes 1.30)",
		Long:    generateAdmissionPolicyLong,
		Example: generateAdmissionPolicyExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.output.validate(); err != nil {
				return err
			}
			service, err := optionalService(args)
			if err != nil {
				return err
			}
			found, err := call.documentAlone(cmd.Context(), service)
			if err != nil {
				return err
			}
			manifests, err := policyManifests(found, flags.groups)
			if err != nil {
				return err
			}
			return flags.output.print(call.streams, manifests)
		},
	}
	flags.output.addFlag(command)
	command.Flags().StringArrayVar(&flags.groups, "break-glass-group", []string{admission.BreakGlassGroup}, "a group that the policy does not hold to its rules; may be repeated")
	return command
}

// policyManifests are the policy of each route and its binding, with what people
// want to know of them.
func policyManifests(found *document, groups []string) ([]manifest, error) {
	guards, err := admission.Guards(found.Release, groups)
	if err != nil {
		return nil, err
	}
	metadata := found.Release.Metadata
	var manifests []manifest
	for _, guard := range guards {
		guarded := "the production route"
		if len(guards) > 1 {
			guarded = guard.Route
		}
		manifests = append(manifests, manifest{
			object: guard.Policy,
			about: fmt.Sprintf("What guards %s of release %s in namespace %s, by: %s generate admission-policy\nKubernetes 1.30 or later",
				guarded, metadata.Name, metadata.Namespace, name),
			notes: map[string][]string{"spec.validations": {
				"the epoch never goes back, is never taken away and stays a number",
				"an epoch stays with its holder",
				"the split changes only by a switch, which records the split before it and the version that it was written onto",
			}},
		}, manifest{object: guard.Binding, about: "it is in force where it is bound: to try it first, leave Deny out"})
	}
	return manifests, nil
}
