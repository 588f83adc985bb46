package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const initLong = `Write bluegreen.yaml from what is in the cluster, and say what was guessed.

The production Service is enough: the colours, their workloads, the Services
that reach one colour alone and the label that tells them apart are found from
it. Nothing in the cluster is changed.`

func newInit(call *invocation) *cobra.Command {
	force := false
	command := &cobra.Command{
		Use:   "init [svc/NAME]",
		Short: "Write bluegreen.yaml from what is in the cluster",
		Long:  initLong,
		Example: `  kubectl bluegreen init svc/shop
  kubectl bluegreen init svc/shop -f - | less`,
		Args: atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, err := optionalService(args)
			if err != nil {
				return err
			}
			return call.init(cmd.Context(), service, force)
		},
	}
	command.Flags().BoolVar(&force, "force", false, "write over a document that exists")
	return command
}

func (i *invocation) init(ctx context.Context, service string, force bool) error {
	path := i.file
	if path == "" {
		path = defaultFile
	}
	if err := refuseExisting(path, force); err != nil {
		return err
	}
	client, err := i.client()
	if err != nil {
		return err
	}
	if service == "" {
		if service, err = onlyCandidate(ctx, client); err != nil {
			return err
		}
	}
	found, err := i.discoveredDocument(ctx, client, service, "")
	if err != nil {
		return err
	}
	if path == "-" {
		_, err := i.streams.Out.Write(found.Text)
		return err
	}
	if err := writeAtomically(path, 0o644, whole(found.Text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	metadata := found.Release.Metadata
	fmt.Fprintf(i.streams.Out, "%s wrote %s: %s in namespace %s, live is %s\n",
		i.streams.out.good(), path, metadata.Name, metadata.Namespace, found.Discovery.Live)
	i.noteGuesses(found.Discovery.Guesses)
	i.printNext(name + " check")
	return nil
}

func refuseExisting(path string, force bool) error {
	if force || path == "-" {
		return nil
	}
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look for %s: %w", path, err)
	}
	return release.WithHint(fmt.Errorf("%s exists", path), "write over it with --force, or elsewhere with -f FILE")
}

// onlyCandidate is the Service that init means when none was named: the only
// one of the namespace. With several it does not choose.
func onlyCandidate(ctx context.Context, client *cluster.Client) (string, error) {
	services, err := client.Kubernetes.CoreV1().Services(client.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", cluster.Explain(err)
	}
	var names []string
	for _, service := range services.Items {
		if len(service.Spec.Selector) > 0 {
			names = append(names, "svc/"+service.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", release.WithHint(fmt.Errorf("no Service with a selector in namespace %s", client.Namespace), "say which namespace with -n")
	case 1:
		return strings.TrimPrefix(names[0], "svc/"), nil
	}
	slices.Sort(names)
	return "", release.WithHint(
		fmt.Errorf("which Service is production? namespace %s has %s", client.Namespace, strings.Join(names, ", ")),
		name+" init svc/NAME")
}
