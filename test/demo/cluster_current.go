package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// namespace is where the released service runs.
const namespace = "bluegreen-demo"

// tellInCurrent tells the story on the cluster of the kubeconfig and takes
// away what it put there, however the story ended.
func tellInCurrent(ctx context.Context, o options, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "bluegreen-demo-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	client, err := cluster.Connect(genericclioptions.NewConfigFlags(true))
	if err != nil {
		return err
	}
	loader, architecture, err := chooseLoader(ctx, client, o, folder)
	if err != nil {
		return err
	}
	own := &belongings{client: client.Kubernetes}
	if !o.deployed {
		if err := own.claim(ctx); err != nil {
			return err
		}
	}
	if !o.keep {
		defer func() { err = errors.Join(err, takeAway(ctx, out, cleaning, own.remove)) }()
	}
	source, err := shop.Source(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nBuilding the example service and the clients, and giving the cluster their images.")
	builder := workshop{source: source, folder: folder, architecture: architecture}
	if err := builder.images(ctx, loader, o.deployed); err != nil {
		return err
	}
	if !o.deployed {
		fmt.Fprintln(out, "Deploying PostgreSQL, Prometheus and Alertmanager.")
		if err := own.deploy(ctx); err != nil {
			return err
		}
	}
	place := &shop.Place{Source: source, Plugin: o.plugin, Client: client}
	return tell(ctx, place, o, out)
}

// cleaning bounds what the demo does to leave a cluster as it was. A namespace
// is gone within seconds, or never: where a finalizer of somebody else's waits.
const cleaning = 5 * time.Minute

// takeAway takes away what the demo put on the cluster, even after an interrupt.
// It ends at the limit, and at another interrupt; then it says how to go on by
// hand.
func takeAway(ctx context.Context, out io.Writer, limit time.Duration, remove func(context.Context) error) error {
	fmt.Fprintln(out, "\nTaking away what the demo put on the cluster.")
	// The first interrupt has ended ctx; this one waits for the next.
	last, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	last, cancel := context.WithTimeout(last, limit)
	defer cancel()
	err := remove(last)
	if err != nil {
		fmt.Fprintf(out, "Something of it may be left. To see it:\n  kubectl get namespaces,clusterroles,clusterrolebindings -l %s\n", ownLabel)
	}
	return err
}

// chooseLoader finds out how the cluster takes images, and its nodes'
// architecture.
func chooseLoader(ctx context.Context, client *cluster.Client, o options, folder string) (shop.Images, string, error) {
	if o.inside != "" {
		inside, err := lab.Attach(o.inside)
		return inside, runtime.GOARCH, err
	}
	nodes, err := client.Kubernetes.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, "", fmt.Errorf("list nodes: %w", err)
	}
	found, err := detect(client.Context, client.Config.Host, nodes.Items)
	if err != nil {
		return nil, "", fmt.Errorf("use the cluster of context %s: %w", client.Context, err)
	}
	if err := found.consent(client.Context, client.Config.Host, o.yes); err != nil {
		return nil, "", err
	}
	loader := &archiveLoader{cluster: found, folder: folder}
	err = loader.available()
	return loader, found.architecture, err
}

// awaitGone waits until a namespace is no more.
func awaitGone(ctx context.Context, client kubernetes.Interface, name string) error {
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return fmt.Errorf("wait until namespace %s is gone: %w", name, err)
	}
	return nil
}
