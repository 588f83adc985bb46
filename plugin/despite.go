package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// documentOfRun finds the Release for what is about a run that has begun: to
// go back, to stop, to look. No mistake in the file at hand may keep anybody
// from that, so a ./bluegreen.yaml that can't be used, or is about another
// Service or namespace than the arguments, is told, and what is in the cluster
// counts instead. A file that was named with -f has to be usable.
func (i *invocation) documentOfRun(ctx context.Context, service string) (*document, error) {
	found, mistake := i.fileDocument(service)
	if found != nil || mistake != nil && i.file != "" {
		return found, mistake
	}
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	if mistake == nil {
		return i.clusterDocument(ctx, client, service)
	}
	i.noteMistake(mistake)
	if found, err = i.documentDespite(ctx, client, service, mistake); err != nil {
		return nil, err
	}
	i.note("going by %s", found.Origin)
	return found, nil
}

// noteMistake tells what is wrong with a file that is not used.
func (i *invocation) noteMistake(mistake error) {
	var problems release.Problems
	if !errors.As(mistake, &problems) {
		i.note("%s %v", i.streams.err.doubtful(), mistake)
	}
	for _, problem := range problems {
		remedy := ""
		if problem.Remedy != "" {
			remedy = "; " + problem.Remedy
		}
		i.note("%s %v%s", i.streams.err.doubtful(), problem, remedy)
	}
}

// documentDespite finds the Release in the cluster where the file at hand is of
// no use but for what it says of which release it is. Another one than that is
// taken only where its Service was named: nobody wants to go back by mistake.
func (i *invocation) documentDespite(ctx context.Context, client *cluster.Client, service string, mistake error) (*document, error) {
	metadata := release.Metadata{}
	// A file without a mistake in itself is about another Service.
	if broken := (release.Problems)(nil); service == "" || errors.As(mistake, &broken) {
		text, _ := os.ReadFile(defaultFile) // what can't be read says nothing
		metadata = release.MetadataOf(text)
	}
	namespace, explicit, err := i.namespace()
	if err != nil {
		return nil, err
	}
	if !explicit && metadata.Namespace != "" {
		namespace = metadata.Namespace
	}
	there := &cluster.Client{Kubernetes: client.Kubernetes, Namespace: namespace}
	const hint = "name the production Service as svc/NAME, or another document with -f"
	switch {
	case service != "":
		return i.clusterDocument(ctx, there, service)
	case metadata.Name == "":
		return nil, release.WithHint(fmt.Errorf("./%s doesn't say which release is meant", defaultFile), hint)
	}
	found, err := i.recordedDocument(ctx, there, metadata.Name, "")
	if found == nil && err == nil {
		err = release.WithHint(fmt.Errorf("no run of release %s left a copy of the document in namespace %s", metadata.Name, namespace), hint)
	}
	return found, err
}
