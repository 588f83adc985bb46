package preflight

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func collectColors(ctx context.Context, in Inputs, facts *Facts) {
	names := in.Release.Spec.ColorNames()
	colors := make([]Color, len(names))
	var running sync.WaitGroup
	for i, name := range names {
		running.Go(func() { colors[i] = readColor(ctx, in, name) })
	}
	running.Wait()
	for _, color := range colors {
		facts.Colors[color.Name] = color
	}
	if in.Stage == StageDeploy {
		facts.Colors[facts.Target] = planned(ctx, in, facts)
	}
}

func readColor(ctx context.Context, in Inputs, name string) Color {
	declared := in.Release.Spec.Colors[name]
	color := Color{Name: name, Declared: declared}
	workloads, err := readWorkloads(ctx, in, declared)
	color.Workloads = factOf(workloads, err)
	if color.absent = apierrors.IsNotFound(err); color.absent {
		color.Workloads.Remedy = "deploy it, or name what it is made from in spec.colors." + name + ".manifests"
		if len(declared.Manifests) > 0 {
			color.Workloads.Remedy = "deploy it, or shift to " + name + ", which applies spec.colors." + name + ".manifests"
		}
	}
	color.Pods = factOf(podsMatching(ctx, in, declared.Selector))
	color.Owned = factOf(ownedPods(ctx, in, color.Workloads))
	color.Service = factOf(readService(ctx, in, declared.Service))
	if color.Service.Known && color.Service.Value != nil {
		color.ServicePods = factOf(podsMatching(ctx, in, color.Service.Value.Spec.Selector))
	}
	color.Pools = pools(ctx, in, color.Workloads.Value, readOver(ctx, in, nil))
	if in.Stage == StageDeploy {
		color.Outdated = factOf(outdated(ctx, in, color))
	}
	return color
}

func readWorkloads(ctx context.Context, in Inputs, declared release.Color) ([]cluster.Workload, error) {
	var workloads []cluster.Workload
	for _, ref := range declared.Workloads {
		workload, err := settled(ctx, in, ref)
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, *workload)
	}
	return workloads, nil
}

const (
	// settleTime is how long a controller may take to see what was written
	// to its workload, settleInterval the time between two looks.
	settleTime     = 5 * time.Second
	settleInterval = 250 * time.Millisecond
)

// settled reads a workload, for a moment again and again while its controller
// has not seen it as it is. Annotations count as news to the controller of a
// Deployment, and a shift stamps its workloads right before it checks them.
func settled(ctx context.Context, in Inputs, ref release.Workload) (*cluster.Workload, error) {
	until := in.Clock.Now().Add(settleTime)
	for {
		workload, err := in.Client.Workload(ctx, in.namespace(), ref)
		if err != nil || observed(workload.Object) || !in.Clock.Now().Before(until) {
			return workload, err
		}
		select {
		case <-ctx.Done():
			return workload, nil
		case <-in.Clock.After(settleInterval):
		}
	}
}

// observed reports whether a controller has seen the newest generation.
func observed(object *unstructured.Unstructured) bool {
	generation, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	return err == nil && generation >= object.GetGeneration()
}

func podsMatching(ctx context.Context, in Inputs, selector map[string]string) ([]corev1.Pod, error) {
	if len(selector) == 0 {
		return nil, errors.New("it has no selector")
	}
	return in.Client.Pods(ctx, in.namespace(), labels.SelectorFromSet(selector))
}

func ownedPods(ctx context.Context, in Inputs, workloads Fact[[]cluster.Workload]) ([]corev1.Pod, error) {
	if !workloads.Known {
		return nil, release.WithHint(errors.New(workloads.Problem), workloads.Remedy)
	}
	var pods []corev1.Pod
	for _, workload := range workloads.Value {
		found, err := in.Client.Pods(ctx, in.namespace(), workload.Selector)
		if err != nil {
			return nil, err
		}
		pods = append(pods, found...)
	}
	return pods, nil
}

func readService(ctx context.Context, in Inputs, name string) (*corev1.Service, error) {
	if name == "" {
		return nil, nil
	}
	service, err := in.Client.Kubernetes.CoreV1().Services(in.namespace()).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read service/%s in %s: %w", name, in.namespace(), err)
	}
	return service, nil
}

// pools discovers the pool of every workload for every database.
func pools(ctx context.Context, in Inputs, workloads []cluster.Workload, read reading) map[string]map[string]postgres.PoolSize {
	found := map[string]map[string]postgres.PoolSize{}
	places := in.databasePlaces(ctx)
	for _, database := range in.Release.Spec.Databases {
		found[database.Name] = map[string]postgres.PoolSize{}
		for _, workload := range workloads {
			found[database.Name][workload.Ref.String()] = postgres.DiscoverPool(ctx, postgres.PoolInput{
				Workload: workload.Ref.String(), Template: workload.Template, Declared: database.Pool, At: places[database.Name], Namespace: in.namespace(),
				Lookup: read.lookup(),
			})
		}
	}
	return found
}

// placesOf is where the databases are.
func placesOf(ctx context.Context, in Inputs) map[string]postgres.Login {
	places := map[string]postgres.Login{}
	for _, database := range in.Release.Spec.Databases {
		places[database.Name] = placeOf(ctx, in, database)
	}
	return places
}

// placeOf is where a database is, by the observer's connection string as far as that
// can be read. Behind a pooler it is another host that the pods ask.
func placeOf(ctx context.Context, in Inputs, database release.Database) postgres.Login {
	dsn, err := cluster.SecretValue(ctx, in.Client.Kubernetes, in.namespace(), database.Observe.DSN, in.Getenv)
	if err != nil {
		return postgres.Login{}
	}
	place := postgres.PlaceOf(dsn, in.namespace())
	if database.Pooler != nil {
		place.Host = ""
	}
	return place
}
