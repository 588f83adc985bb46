package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// belongings are what the demo puts on a cluster.
type belongings struct {
	client kubernetes.Interface
}

// addonNamespaces are those of the database and the monitoring.
func addonNamespaces() []string { return []string{"database", "monitoring"} }

// ownNamespaces are all that the demo makes, that of the service among them.
func ownNamespaces() []string { return append([]string{namespace}, addonNamespaces()...) }

// claim makes sure that the demo's namespaces are free. What an earlier demo
// left is taken away; what is somebody else's is left alone, and the demo with
// it.
func (b *belongings) claim(ctx context.Context) error {
	for _, name := range ownNamespaces() {
		_, own, err := b.find(ctx, name)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil && !own {
			return fmt.Errorf("the cluster has a namespace %s, and the demo needs one of that name for itself: use a cluster without it", name)
		}
	}
	return b.remove(ctx)
}

// find looks for a namespace, and whether it is the demo's own. The error for
// one that is not there is the API server's.
func (b *belongings) find(ctx context.Context, name string) (found *corev1.Namespace, own bool, err error) {
	found, err = b.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, false, fmt.Errorf("look for namespace %s: %w", name, err)
	}
	return found, found.Labels[ownLabel] != "", nil
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
	for _, name := range addonNamespaces() {
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
	for _, name := range ownNamespaces() {
		failures = append(failures, b.removeNamespace(ctx, name))
	}
	own := metav1.ListOptions{LabelSelector: ownLabel}
	roles := b.client.RbacV1()
	return errors.Join(append(failures,
		roles.ClusterRoleBindings().DeleteCollection(ctx, metav1.DeleteOptions{}, own),
		roles.ClusterRoles().DeleteCollection(ctx, metav1.DeleteOptions{}, own))...)
}

// removeNamespace takes a namespace of the demo away, its pods at once: nobody
// uses them any more. Somebody else's is left alone, and so is one that takes
// its place meanwhile.
func (b *belongings) removeNamespace(ctx context.Context, name string) error {
	found, own, err := b.find(ctx, name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || !own {
		return err
	}
	thatOne := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(found.UID))}
	if err := b.client.CoreV1().Namespaces().Delete(ctx, name, thatOne); err != nil && !apierrors.IsNotFound(err) {
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
