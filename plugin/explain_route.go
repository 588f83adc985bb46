package plugin

import (
	"context"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/detect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// detectRoute prints what routes to a host or a Service, and what would serve
// it.
func (i *invocation) detectRoute(ctx context.Context, output *output, argument string) error {
	if err := output.validate(); err != nil {
		return err
	}
	subject, err := detectionSubject(argument)
	if err != nil {
		return err
	}
	found, err := i.fileDocument("")
	if err != nil {
		return err
	}
	var rel *release.Release
	origin := ""
	if found != nil {
		rel, origin = found.Release, found.Origin
	} else {
		i.service = subject.Service // what is told to type next is about it
	}
	client, err := i.client()
	if err != nil {
		return err
	}
	if subject.Namespace, err = i.detectionNamespace(subject, rel); err != nil {
		return err
	}
	facts, err := detect.Collect(ctx, client, subject, rel, origin)
	if err != nil {
		return cluster.Explain(err)
	}
	report := detect.Evaluate(facts)
	return output.print(i.streams, object{Kind: detect.KindReport, Name: report.Name, Namespace: report.Namespace, Value: report}, func() error {
		i.printDetection(output, report)
		return nil
	})
}

// detectionSubject reads HOST or svc/NAME. What has a slash and is no URL is
// meant as a Service.
func detectionSubject(argument string) (detect.Subject, error) {
	if looksLikeService(argument) {
		service, err := serviceArgument(argument)
		return detect.Subject{Service: service}, err
	}
	if kind, _, slash := strings.Cut(argument, "/"); slash && !strings.ContainsAny(kind, ".:") {
		_, err := serviceArgument(argument)
		return detect.Subject{}, err
	}
	host, err := detect.ParseHost(argument)
	return detect.Subject{Host: host}, err
}

// detectionNamespace is where is looked: for a Service its namespace, which a
// Release may name; for a host everywhere, unless -n names one.
func (i *invocation) detectionNamespace(subject detect.Subject, rel *release.Release) (string, error) {
	namespace, explicit, err := i.namespace()
	switch {
	case err != nil || explicit:
		return namespace, err
	case subject.Host != "":
		return "", nil
	case rel != nil:
		return rel.Metadata.Namespace, nil
	}
	return namespace, nil
}
