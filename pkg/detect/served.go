package detect

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// servedKind is a kind and the version in which it is asked for.
type servedKind struct {
	kind
	version schema.GroupVersionResource
}

// servedKinds are the kinds that the cluster serves, each in the preferred one
// of its versions. What is not served is told as absent; a group whose
// discovery fails, such as one of an API server that is down, as not looked at.
func servedKinds(ctx context.Context, client *cluster.Client, facts *Facts) ([]servedKind, error) {
	versions, err := discovered(ctx, discovery.ToDiscoveryInterfaceWithContext(client.Kubernetes.Discovery()))
	if err != nil {
		return nil, err
	}
	var served []servedKind
	for _, kind := range kinds() {
		version, failure := kind.servedAs(versions)
		switch {
		case version != "":
			group, err := schema.ParseGroupVersion(version)
			if err != nil {
				return nil, err
			}
			served = append(served, servedKind{kind: kind, version: group.WithResource(kind.resource)})
		case failure != nil:
			facts.Unlisted = append(facts.Unlisted, Unlisted{Resource: kind.resource, Why: "whether it is served can't be told: " + failure.Error()})
		default:
			facts.Absent = append(facts.Absent, kind.name)
		}
	}
	return served, nil
}

// servedAs is the version in which a kind is served, "" for none, and why that
// can't be told where it can't.
func (k kind) servedAs(versions map[string]versionServed) (version string, failure error) {
	for _, candidate := range k.versions {
		found := versions[candidate]
		if slices.ContainsFunc(found.resources, func(one metav1.APIResource) bool { return one.Name == k.resource }) {
			return candidate, nil
		}
		if failure == nil {
			failure = found.failure
		}
	}
	return "", failure
}

// versionServed is what one group and version serves.
type versionServed struct {
	resources []metav1.APIResource
	failure   error
}

// discovered asks for the resources of every version that a kind may have.
func discovered(ctx context.Context, api discovery.ServerResourcesInterfaceWithContext) (map[string]versionServed, error) {
	var guard sync.Mutex
	found := map[string]versionServed{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for _, version := range everyVersion() {
		group.Go(func() error {
			list, err := api.ServerResourcesForGroupVersionWithContext(ctx, version)
			one := versionServed{}
			switch {
			case apierrors.IsNotFound(err):
			case err != nil:
				parsed, _ := schema.ParseGroupVersion(version)
				if _, err := unlisted(err, "discover", parsed.WithResource("*").GroupResource(), ""); err != nil {
					return err
				}
				one.failure = err
			default:
				one.resources = list.APIResources
			}
			guard.Lock()
			defer guard.Unlock()
			found[version] = one
			return nil
		})
	}
	return found, group.Wait()
}

// everyVersion are the versions of all kinds, each once.
func everyVersion() []string {
	var versions []string
	for _, kind := range kinds() {
		versions = append(versions, kind.versions...)
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}
