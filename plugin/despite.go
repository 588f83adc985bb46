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
	found, mistake := i.fileOfRun(service)
	if found != nil || mistake != nil && i.file != "" {
		return found, mistake
	}
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	if mistake == nil {
		return i.despiteCopy(ctx, client, service, i.clusterDocument)
	}
	i.noteMistake(mistake)
	if found, err = i.documentDespite(ctx, client, service, mistake); err != nil {
		return nil, err
	}
	i.note("going by %s", found.Origin)
	return found, nil
}

// despiteCopy finds the Release in the cluster, by the live objects where the
// copy that the last run left is of no use: like a record that can't be read,
// it keeps nobody from going back.
func (i *invocation) despiteCopy(ctx context.Context, client *cluster.Client, service string, find func(context.Context, *cluster.Client, string) (*document, error)) (*document, error) {
	found, err := find(ctx, client, service)
	var unusable *copyError
	if !errors.As(err, &unusable) {
		return found, err
	}
	i.noteMistake(err)
	if found, err = i.documentWithoutRecord(ctx, client, unusable.release, service); err != nil {
		return nil, err
	}
	i.note("going by %s, for the copy of the last run can't be used", found.Origin)
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
		return i.despiteCopy(ctx, there, service, i.clusterDocument)
	case metadata.Name == "":
		return nil, release.WithHint(fmt.Errorf("./%s doesn't say which release is meant", defaultFile), hint)
	}
	found, err := i.despiteCopy(ctx, there, "", func(ctx context.Context, client *cluster.Client, service string) (*document, error) {
		return i.recordedDocument(ctx, client, metadata.Name, service)
	})
	if found == nil && err == nil {
		err = release.WithHint(fmt.Errorf("no run of release %s left a copy of the document in namespace %s", metadata.Name, namespace), hint)
	}
	return found, err
}
