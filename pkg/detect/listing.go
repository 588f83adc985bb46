package detect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// answer is what listing one kind in one namespace gave.
type answer struct {
	servedKind
	namespace string
	objects   []*unstructured.Unstructured
	// absent: the cluster does not serve it after all. forbidden: the right is
	// missing.
	absent, forbidden bool
	unlisted          []Unlisted
}

// listKinds lists every kind in every namespace, several at a time; "" is the
// whole cluster.
func listKinds(ctx context.Context, client *cluster.Client, kinds []servedKind, namespaces []string) ([]answer, error) {
	answers := make([]answer, len(kinds)*len(namespaces))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i, kind := range kinds {
		for j, namespace := range namespaces {
			group.Go(func() error {
				one := &answers[i*len(namespaces)+j]
				one.servedKind, one.namespace = kind, namespace
				return one.list(ctx, client)
			})
		}
	}
	return answers, group.Wait()
}

// list asks for page after page, up to a bound.
func (a *answer) list(ctx context.Context, client *cluster.Client) error {
	options := metav1.ListOptions{Limit: page}
	for {
		found, err := client.Dynamic.Resource(a.version).Namespace(a.namespace).List(ctx, options)
		if err != nil {
			return a.refused(err)
		}
		for i := range found.Items {
			found.Items[i].SetManagedFields(nil) // the most of many an object
			a.objects = append(a.objects, &found.Items[i])
		}
		if options.Continue = found.GetContinue(); options.Continue == "" {
			return nil
		}
		if len(a.objects) >= objectsPerKind {
			a.unlisted = append(a.unlisted, Unlisted{
				Resource: a.version.GroupResource().String(),
				Why:      fmt.Sprintf("only the first %d were looked at, %s", len(a.objects), where(a.namespace)),
			})
			return nil
		}
	}
}

// refused is what an error means.
func (a *answer) refused(err error) error {
	if apierrors.IsNotFound(err) {
		a.absent = true
		return nil
	}
	told, err := unlisted(err, "list", a.version.GroupResource(), a.namespace)
	if err != nil {
		return err
	}
	a.forbidden = told.Right != ""
	a.unlisted = append(a.unlisted, told)
	return nil
}

// listByNamespace asks again, namespace by namespace, for the kinds that may
// not be listed in the whole cluster, and tells where they may not be either.
func listByNamespace(ctx context.Context, client *cluster.Client, answers []answer) ([]answer, error) {
	var closed []servedKind
	for _, one := range answers {
		if one.forbidden {
			closed = append(closed, one.servedKind)
		}
	}
	if len(closed) == 0 {
		return answers, nil
	}
	namespaces, rest, err := namespacesToAsk(ctx, client)
	if err != nil {
		return nil, err
	}
	again, err := listKinds(ctx, client, closed, namespaces)
	if err != nil {
		return nil, err
	}
	answers = slices.DeleteFunc(answers, func(one answer) bool { return one.forbidden })
	for i, kind := range closed {
		answers = append(answers, merged(kind, again[i*len(namespaces):(i+1)*len(namespaces)], rest))
	}
	return answers, nil
}

// merged are the answers of several namespaces about one kind as one. rest says
// which other namespaces were not asked.
func merged(kind servedKind, answers []answer, rest string) answer {
	whole := answer{servedKind: kind}
	var open, closed []string
	for _, one := range answers {
		whole.objects = append(whole.objects, one.objects...)
		if one.forbidden {
			closed = append(closed, one.namespace)
			continue
		}
		whole.unlisted = append(whole.unlisted, one.unlisted...)
		open = append(open, one.namespace)
	}
	resource := kind.version.GroupResource()
	told := Unlisted{Resource: resource.String(), Right: fmt.Sprintf("list %s %s", resource, where("")), Why: "can't be listed in the whole cluster"}
	switch {
	case len(open) == 0:
		told.Why += ", nor in " + someOf(closed)
	case len(closed) == 0:
		told.Why += "; looked at " + someOf(open)
	default:
		told.Why += fmt.Sprintf("; looked at %s, and not at %s", someOf(open), someOf(closed))
	}
	if rest != "" {
		told.Why += "; " + rest
	}
	whole.unlisted = append(whole.unlisted, told)
	return whole
}

// someOf names a few of many.
func someOf(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more namespaces", strings.Join(names[:few], ", "), len(names)-few)
}

// namespacesToAsk are the namespaces, up to a bound, or the current one alone
// where they can't be listed; rest says which are left out, "" for none.
func namespacesToAsk(ctx context.Context, client *cluster.Client) (names []string, rest string, err error) {
	found, err := client.Kubernetes.CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: namespacesAsked})
	if err != nil {
		told, err := unlisted(err, "list", corev1.Resource("namespaces"), "")
		if err != nil {
			return nil, "", err
		}
		return []string{client.Namespace}, "other namespaces are not known: namespaces " + told.Why, nil
	}
	for _, namespace := range found.Items {
		names = append(names, namespace.Name)
	}
	if !slices.Contains(names, client.Namespace) {
		names = append(names, client.Namespace)
	}
	if found.Continue != "" {
		rest = fmt.Sprintf("namespaces beyond the first %d were not asked", namespacesAsked)
	}
	return names, rest, nil
}
