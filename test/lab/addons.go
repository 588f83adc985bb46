package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// Addon is something that runs in the cluster beside the tested services.
type Addon string

const (
	// Monitoring is Prometheus, a faulty way to it, and Alertmanager, in the
	// namespace of that name.
	Monitoring Addon = "monitoring"
	// Database is PostgreSQL and its exporter, in the namespace of that name.
	Database Addon = "database"
)

// Addons lists all of them.
func Addons() []Addon { return []Addon{Monitoring, Database} }

// ParseAddons reads names of addons, "all" or "none".
func ParseAddons(names []string) ([]Addon, error) {
	addons := []Addon{}
	for _, name := range names {
		switch {
		case name == "all":
			addons = append(addons, Addons()...)
		case name == "none":
		case slices.Contains(Addons(), Addon(name)):
			addons = append(addons, Addon(name))
		default:
			return nil, fmt.Errorf("no addon %q: there are monitoring, database, all and none", name)
		}
	}
	return addons, nil
}

// manifests are what makes up an addon.
func (a Addon) manifests() []string {
	if a == Monitoring {
		return []string{manifests.Monitoring, manifests.FaultProxy}
	}
	return []string{manifests.Database}
}

// images builds an addon's images by their references.
func (a Addon) images() map[string]imageBuilder {
	if a == Monitoring {
		return map[string]imageBuilder{
			"docker.io/prom/prometheus:v2.42.0":   packaged("/usr/bin/prometheus", "/bin/prometheus"),
			"docker.io/prom/alertmanager:v0.25.0": packaged("/usr/bin/prometheus-alertmanager", "/bin/alertmanager", "/usr/share/prometheus/alertmanager"),
			"bluegreen.dev/discovery:lab":         compiled("discovery", image.Static),
			"bluegreen.dev/faultproxy:lab":        compiled("faultproxy", image.Static),
		}
	}
	return map[string]imageBuilder{
		"docker.io/library/postgres:15-alpine":                    compiled("postgres", image.PostgreSQL),
		"docker.io/prometheuscommunity/postgres-exporter:v0.11.1": packaged("/usr/bin/prometheus-postgres-exporter", "/bin/postgres_exporter"),
	}
}

// imageBuilder says what an image holds. folder is for files that it makes.
type imageBuilder func(ctx context.Context, folder string) (image.Contents, error)

// packaged is an image of a program that Debian packages, with the folders
// that it reads.
func packaged(source, target string, trees ...string) imageBuilder {
	return func(ctx context.Context, _ string) (image.Contents, error) {
		contents, err := image.Debian(ctx, source, target)
		contents.Trees = trees
		return contents, err
	}
}

// compiled is an image with one of the lab's own programs in it.
func compiled(name string, contents func(context.Context, string) (image.Contents, error)) imageBuilder {
	return func(ctx context.Context, folder string) (image.Contents, error) {
		binary, err := buildContainer(ctx, name, filepath.Join(folder, name))
		if err != nil {
			return image.Contents{}, err
		}
		return contents(ctx, binary)
	}
}

// addMissing brings up those of the wanted addons that don't run yet, each
// while the others do.
func (l *Lab) addMissing(ctx context.Context, options Options) error {
	known, err := l.record.read()
	if err != nil {
		return err
	}
	told := newProgress(options.Out)
	group, ctx := errgroup.WithContext(ctx)
	for _, addon := range options.With {
		if slices.Contains(known.Addons, addon) {
			continue
		}
		group.Go(func() error { return told.step(string(addon), func() error { return l.add(ctx, addon) }) })
	}
	return group.Wait()
}

// add loads an addon's images, applies it and waits until it is ready.
func (l *Lab) add(ctx context.Context, addon Addon) error {
	group, loading := errgroup.WithContext(ctx)
	for reference, builder := range addon.images() {
		group.Go(func() error { return l.loadBuilt(loading, reference, builder) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("bring up %s: %w", addon, err)
	}
	// A pod whose image isn't there yet would look for it in the world.
	if err := l.Apply(ctx, addon.manifests()...); err != nil {
		return fmt.Errorf("bring up %s: %w", addon, err)
	}
	if err := l.AwaitDeployments(ctx, string(addon)); err != nil {
		return fmt.Errorf("bring up %s: %w", addon, err)
	}
	return l.record.update(func(r *record) {
		if !slices.Contains(r.Addons, addon) {
			r.Addons = append(r.Addons, addon)
		}
	})
}

// loadBuilt builds an image and loads it.
func (l *Lab) loadBuilt(ctx context.Context, reference string, builder imageBuilder) error {
	folder := l.layout.file("images")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	contents, err := builder(ctx, folder)
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	built, err := image.Build(contents)
	if err != nil {
		return fmt.Errorf("build image %s: %w", reference, err)
	}
	return l.LoadImage(ctx, reference, built)
}

// AwaitDeployments waits until every Deployment of a namespace has all its
// replicas ready.
func (l *Lab) AwaitDeployments(ctx context.Context, namespace string) error {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	waiting := ""
	err = await(ctx, patience, "the Deployments in "+namespace, func(ctx context.Context) (bool, error) {
		list, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		waiting = ""
		for _, deployment := range list.Items {
			if !rolledOut(deployment) {
				waiting += " " + deployment.Name
			}
		}
		return waiting == "", nil
	})
	if err != nil {
		return fmt.Errorf("%w (not ready:%s)", err, waiting)
	}
	return nil
}

// rolledOut reports whether a Deployment runs what its spec says.
func rolledOut(deployment appsv1.Deployment) bool {
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	status := deployment.Status
	return status.ObservedGeneration >= deployment.Generation &&
		status.UpdatedReplicas == wanted && status.AvailableReplicas == wanted && status.Replicas == wanted
}
