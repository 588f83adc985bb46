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

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// Addon is something that runs in the cluster beside the tested services, in
// the namespace of its name.
type Addon string

// parts are what an addon is made of.
type parts struct {
	// addon is its name.
	addon Addon
	// standard says that it runs in every lab for which nothing else is said.
	standard bool
	// sets are built from source, and only for a lab that has the addon.
	sets []programs.Set
	// images are built, by their references.
	images map[string]imageBuilder
	// definitions names a program of the sets, beside which lie the definitions
	// of the kinds that it serves, or a set without programs; empty if there are
	// none.
	definitions string
	// manifests are applied in this order, after the definitions.
	manifests []string
}

// catalogue lists all addons, each in a file of its own.
func catalogue() []parts {
	return []parts{
		monitoring(),
		database(),
		gateway(),
		routeDefinitions(),
		skipper(),
		mesh(),
		logs(),
	}
}

// Addons lists all of them.
func Addons() []Addon { return chosen(func(parts) bool { return true }) }

// Standard lists those that run in a lab for which nothing else is said.
func Standard() []Addon { return chosen(func(p parts) bool { return p.standard }) }

// chosen lists the addons that fit.
func chosen(fits func(parts) bool) []Addon {
	var addons []Addon
	for _, parts := range catalogue() {
		if fits(parts) {
			addons = append(addons, parts.addon)
		}
	}
	return addons
}

// AddonNames are what [ParseAddons] reads, for people.
func AddonNames() string {
	names := ""
	for _, addon := range Addons() {
		names += string(addon) + ", "
	}
	return names + "all or none"
}

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
			return nil, fmt.Errorf("no addon %q: say %s", name, AddonNames())
		}
	}
	return addons, nil
}

// sets are what a lab with these addons is built from.
func sets(addons []Addon) []programs.Set {
	all := programs.Cluster()
	for _, parts := range catalogue() {
		if slices.Contains(addons, parts.addon) {
			all = append(all, parts.sets...)
		}
	}
	return all
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
	for _, parts := range catalogue() {
		if !slices.Contains(options.With, parts.addon) || slices.Contains(known.Addons, parts.addon) {
			continue
		}
		group.Go(func() error { return told.step(string(parts.addon), func() error { return l.add(ctx, parts) }) })
	}
	return group.Wait()
}

// add brings an addon up and remembers it.
func (l *Lab) add(ctx context.Context, parts parts) error {
	if err := l.install(ctx, parts); err != nil {
		return fmt.Errorf("bring up %s: %w", parts.addon, err)
	}
	return l.record.update(func(r *record) {
		if !slices.Contains(r.Addons, parts.addon) {
			r.Addons = append(r.Addons, parts.addon)
		}
	})
}

// install loads an addon's images, applies it and waits until it is ready.
func (l *Lab) install(ctx context.Context, parts parts) error {
	group, loading := errgroup.WithContext(ctx)
	for reference, builder := range parts.images {
		group.Go(func() error { return l.loadBuilt(loading, reference, builder) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if parts.definitions != "" {
		kinds, err := definitions(l.layout.file("bin", parts.definitions))
		if err != nil {
			return err
		}
		if err := l.Apply(ctx, kinds...); err != nil {
			return err
		}
	}
	// A pod whose image isn't there yet would look for it in the world.
	if err := l.Apply(ctx, parts.manifests...); err != nil {
		return err
	}
	return l.AwaitDeployments(ctx, string(parts.addon))
}

// definitions reads the YAML files that lie with a program, where a link to it
// leads, or in a folder to which the link does.
func definitions(link string) ([]string, error) {
	folder, err := filepath.EvalSymlinks(link)
	if err != nil {
		return nil, fmt.Errorf("find definitions: %w", err)
	}
	if info, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("find definitions: %w", err)
	} else if !info.IsDir() {
		folder = filepath.Dir(folder)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("find definitions: %w", err)
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read definitions: %w", err)
		}
		texts = append(texts, string(text))
	}
	return texts, nil
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
