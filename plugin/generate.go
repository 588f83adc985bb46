package plugin

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const generateLong = `Write what others apply or keep, made from the Release. Nothing in the cluster
is changed, and with a document at hand no cluster is asked.`

// newGenerate groups what is made for others: a file and a line each.
func newGenerate(call *invocation) *cobra.Command {
	parent := newParent(&cobra.Command{
		Use:   "generate",
		Short: "Write what others apply or keep: rights, alerts, workflows and others",
		Long:  generateLong,
	})
	parent.AddCommand(
		newGenerateRBAC(call),
		newGenerateAdmissionPolicy(call),
		newGenerateAlerts(call),
		newGenerateGrafana(call),
		newGenerateGitOps(call),
		newGenerateWorkflow(call),
	)
	return parent
}

// documentOf is the Release of a command that takes at most svc/NAME, and needs
// nothing else.
func (i *invocation) documentOf(cmd *cobra.Command, args []string) (*document, error) {
	service, err := optionalService(args)
	if err != nil {
		return nil, err
	}
	return i.documentAlone(cmd.Context(), service)
}

// write puts a generated text on stdout.
func (s Streams) write(text []byte) error {
	if _, err := s.Out.Write(text); err != nil {
		return fmt.Errorf("write what was generated: %w", err)
	}
	return nil
}

// manifestOutput is the -o of a command that writes manifests.
type manifestOutput struct {
	output
}

// addFlag declares -o, with YAML for what is left out: it is what people
// apply, and it can have comments.
func (o *manifestOutput) addFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "output", "o", formatYAML, "yaml, with comments; json, name, jsonpath=…, and kubectl's other formats")
	complete(cmd, "output", formatYAML, "json", "name", "jsonpath=")
}

// validate refuses a format that does not exist. Manifests have no table.
func (o *manifestOutput) validate() error {
	if o.human() {
		return release.WithHint(fmt.Errorf("unknown output format %q for manifests", o.format), "one of: yaml, json, name, jsonpath=…")
	}
	return o.output.validate()
}

// print writes manifests: as YAML documents with comments, or as a List in any
// other format.
func (o *manifestOutput) print(streams Streams, manifests []manifest) error {
	if o.format != formatYAML {
		list := object{APIVersion: "v1", Kind: "List", Items: []object{}}
		for _, manifest := range manifests {
			content, err := manifest.content()
			if err != nil {
				return err
			}
			list.Items = append(list.Items, object{Value: content})
		}
		return o.output.print(streams, list, nil)
	}
	for number, manifest := range manifests {
		text, err := manifest.yaml()
		if err != nil {
			return err
		}
		if number > 0 {
			fmt.Fprintln(streams.Out, "---")
		}
		if _, err := streams.Out.Write(text); err != nil {
			return fmt.Errorf("write manifests: %w", err)
		}
	}
	return nil
}
