package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// belongings are what the demo puts on a cluster beside the service.
type belongings struct {
	folder string
	client kubernetes.Interface
	// namespaces are those of the database and the monitoring.
	namespaces []string
}

// addons is the database and the monitoring.
func addons(folder string, client kubernetes.Interface) *belongings {
	return &belongings{folder: folder, client: client, namespaces: []string{"database", "monitoring"}}
}

// claim makes sure that the demo's namespaces are free. What an earlier demo
// left is taken away; what is somebody else's is left alone, and the demo with
// it.
func (b *belongings) claim(ctx context.Context) error {
	for _, name := range b.namespaces {
		found, err := b.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("look for namespace %s: %w", name, err)
		case found.Labels[ownLabel] == "":
			return fmt.Errorf("the cluster has a namespace %s, and the demo needs one of that name for itself: use a cluster without it", name)
		}
	}
	return b.remove(ctx)
}

// deploy applies the manifests and waits until everything runs.
func (b *belongings) deploy(ctx context.Context) error {
	for _, text := range []string{manifests.Monitoring, manifests.Database} {
		changed, err := ownManifest(text)
		if err != nil {
			return err
		}
		if err := b.kubectl(ctx, changed, "apply", "--server-side", "-f", "-"); err != nil {
			return err
		}
	}
	for _, name := range b.namespaces {
		// Public images come from far away the first time.
		if err := b.kubectl(ctx, nil, "rollout", "status", "deployment", "--namespace", name, "--timeout=10m"); err != nil {
			return err
		}
	}
	return nil
}

// remove takes everything away that the demo put on the cluster.
func (b *belongings) remove(ctx context.Context) error {
	var failures []error
	for _, name := range append([]string{namespace}, b.namespaces...) {
		failures = append(failures, b.removeNamespace(ctx, name))
	}
	own := metav1.ListOptions{LabelSelector: ownLabel}
	roles := b.client.RbacV1()
	return errors.Join(append(failures,
		roles.ClusterRoleBindings().DeleteCollection(ctx, metav1.DeleteOptions{}, own),
		roles.ClusterRoles().DeleteCollection(ctx, metav1.DeleteOptions{}, own))...)
}

// removeNamespace takes a namespace away, its pods at once: nobody uses them
// any more.
func (b *belongings) removeNamespace(ctx context.Context, name string) error {
	err := b.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove namespace %s: %w", name, err)
	}
	atOnce := metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(0))}
	if err := b.client.CoreV1().Pods(name).DeleteCollection(ctx, atOnce, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("remove the pods of namespace %s: %w", name, err)
	}
	return awaitGone(ctx, b.client, name)
}

// kubectl runs a command of kubectl behind the scenes.
func (b *belongings) kubectl(ctx context.Context, input []byte, args ...string) error {
	command := exec.CommandContext(ctx, "kubectl", args...)
	command.Stdin = bytes.NewReader(input)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("run kubectl %s: %w\n%s", args[0], err, output)
	}
	return nil
}
