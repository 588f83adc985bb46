package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The bounds of what is read. Past them the rest is told as not looked at.
const (
	// requestsAtOnce is how many requests are under way at a time.
	requestsAtOnce = 8
	// page is how many objects one request asks for.
	page = 500
	// objectsPerKind is how many of a kind are looked at.
	objectsPerKind = 10_000
	// namespacesAsked is how many namespaces are asked one by one where a kind
	// may not be listed in the whole cluster.
	namespacesAsked = 100
)

// Collect reads what may route to a subject. A kind that may not be listed, or
// whose answer is an error of the API server's, is told in the facts; a cluster
// that does not answer is an error. rel is the Release that somebody wrote, nil
// for none, and origin says where it comes from.
func Collect(ctx context.Context, client *cluster.Client, subject Subject, rel *release.Release, origin string) (Facts, error) {
	facts := Facts{Subject: subject, Release: rel, Origin: origin, Objects: map[string][]*unstructured.Unstructured{}}
	if subject.Service != "" {
		if err := collectService(ctx, client, &facts); err != nil {
			return Facts{}, err
		}
	}
	served, err := servedKinds(ctx, client, &facts)
	if err != nil {
		return Facts{}, err
	}
	answers, err := listKinds(ctx, client, served, []string{subject.Namespace})
	if err != nil {
		return Facts{}, err
	}
	if subject.Namespace == "" {
		if answers, err = listByNamespace(ctx, client, answers); err != nil {
			return Facts{}, err
		}
	}
	facts.add(answers)
	if err := collectServicesLedTo(ctx, client, &facts); err != nil {
		return Facts{}, err
	}
	slices.SortFunc(facts.Unlisted, func(a, b Unlisted) int { return cmp.Compare(a.Resource, b.Resource) })
	return facts, nil
}

// collectService reads the Service that is asked about and those beside it,
// and, where no Release says so, discovers the colours behind it.
func collectService(ctx context.Context, client *cluster.Client, facts *Facts) error {
	subject := facts.Subject
	services := client.Kubernetes.CoreV1().Services(subject.Namespace)
	asked, err := services.Get(ctx, subject.Service, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return release.WithHint(fmt.Errorf("no Service %s in namespace %s", subject.Service, subject.Namespace), "kubectl -n "+subject.Namespace+" get services")
	}
	if err != nil {
		return fmt.Errorf("read service %s in %s: %w", subject.Service, subject.Namespace, err)
	}
	options := metav1.ListOptions{Limit: page}
	for {
		found, err := services.List(ctx, options)
		if err != nil {
			facts.Services = []corev1.Service{*asked}
			return facts.unlist(err, corev1.Resource("services"), subject.Namespace)
		}
		facts.Services = append(facts.Services, found.Items...)
		if options.Continue = found.Continue; options.Continue == "" {
			break
		}
	}
	if facts.Release != nil {
		return nil
	}
	discovery, err := release.Discover(ctx, client.Kubernetes, subject.Namespace, subject.Service)
	if err != nil {
		facts.Undiscovered = cluster.Explain(err).Error()
		return nil // what is not discovered is told as that
	}
	facts.Release, facts.Origin, facts.Discovered = discovery.Release, "what was discovered from "+subject.String(), true
	return nil
}

// add puts the answers into the facts.
func (f *Facts) add(answers []answer) {
	for _, one := range answers {
		f.Objects[one.kind.name] = append(f.Objects[one.kind.name], one.objects...)
		f.Unlisted = append(f.Unlisted, one.unlisted...)
		if one.absent {
			f.Absent = append(f.Absent, one.kind.name)
		}
	}
	slices.Sort(f.Absent)
	f.Absent = slices.Compact(f.Absent)
}

// unlist tells an error of the API server's as something that was not looked
// at, and returns any other.
func (f *Facts) unlist(err error, resource schema.GroupResource, namespace string) error {
	told, err := unlisted(err, "list", resource, namespace)
	if err == nil {
		f.Unlisted = append(f.Unlisted, told)
	}
	return err
}

// unlisted tells an error of the API server's; any other is returned.
func unlisted(err error, verb string, resource schema.GroupResource, namespace string) (Unlisted, error) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnauthorized(err) {
		return Unlisted{}, fmt.Errorf("%s %s: %w", verb, resource, err)
	}
	told := Unlisted{Resource: resource.String(), Why: fmt.Sprintf("can't be listed: %v", err)}
	if apierrors.IsForbidden(err) {
		told.Right = fmt.Sprintf("%s %s %s", verb, resource, where(namespace))
		told.Why = "can't be listed"
	}
	return told, nil
}

func where(namespace string) string {
	if namespace == "" {
		return "in the whole cluster"
	}
	return "in namespace " + namespace
}

// collectServicesLedTo reads the Services that the requests of a host end at,
// and finds out which of those that are led to don't exist.
func collectServicesLedTo(ctx context.Context, client *cluster.Client, facts *Facts) error {
	land := survey(facts.Objects)
	wanted := land.services(land.relevant(facts.Subject))
	found := make([]*corev1.Service, len(wanted))
	failures := make([]error, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for at, service := range wanted {
		group.Go(func() error {
			found[at], failures[at] = client.Kubernetes.CoreV1().Services(service.namespace).Get(ctx, service.name, metav1.GetOptions{})
			return nil
		})
	}
	_ = group.Wait() // the failures are looked at one by one
	for at, service := range wanted {
		switch err := failures[at]; {
		case err == nil && facts.Subject.Host != "":
			facts.Services = append(facts.Services, *found[at])
		case apierrors.IsNotFound(err):
			facts.Missing = append(facts.Missing, service.namespace+"/"+service.name)
		case err != nil:
			told, err := unlisted(err, "get", corev1.Resource("services"), service.namespace)
			if err != nil {
				return err
			}
			told.Resource += "/" + service.name
			facts.Unlisted = append(facts.Unlisted, told)
		}
	}
	return nil
}
