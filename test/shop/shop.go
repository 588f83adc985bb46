package shop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Release is the name of the release, and Service that of the production Service.
const (
	Release = "recommendation"
	Service = "svc-production"
)

// patience bounds waits for what should come to hold within seconds, on a
// machine that is busy with much else.
const patience = 4 * time.Minute

// interval is the time between two looks at what is waited for.
const interval = 200 * time.Millisecond

// Shop is the example service in a namespace of its own.
type Shop struct {
	// Namespace is the shop's, Folder where its Release and manifests are.
	Namespace, Folder string

	place   *Place
	options Options
	kind    kind
	// namespaceMade and folderMade say what is the shop's to take away.
	namespaceMade, folderMade bool
	database                  database
}

// Client reaches the shop's cluster.
func (s *Shop) Client() *cluster.Client { return s.place.Client }

// Open puts a shop on the cluster and waits until blue serves production.
// What it made before it failed is taken away again.
func (p *Place) Open(ctx context.Context, options Options) (*Shop, error) {
	shop := &Shop{Namespace: options.Namespace, Folder: options.Folder, place: p, options: options}
	err := shop.open(ctx)
	if err == nil {
		return shop, nil
	}
	err = fmt.Errorf("open shop %s: %w", options.Namespace, err)
	return nil, errors.Join(err, shop.Close(context.WithoutCancel(ctx)))
}

func (s *Shop) open(ctx context.Context) error {
	var err error
	if s.kind, err = kindOf(s.options.Route); err != nil {
		return err
	}
	if err := s.writeManifests(); err != nil {
		return err
	}
	if err := s.writeRelease(); err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace, Labels: s.options.Labels}}
	if _, err := s.place.Client.Kubernetes.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create namespace: %w", err)
	}
	s.namespaceMade = true
	if err := s.openDatabase(ctx); err != nil {
		return err
	}
	files := append(slices.Clone(s.kind.ahead), production)
	if s.kind.entrance != nil {
		files = append(files, entrance)
	}
	for _, file := range files {
		if err := s.kubectl(ctx, "apply", "-f", filepath.Join("deploy", file)); err != nil {
			return err
		}
	}
	colors := []string{Blue}
	if s.options.GreenByHand {
		colors = append(colors, Green)
	}
	for _, color := range colors {
		if err := s.Deploy(ctx, color); err != nil {
			return err
		}
	}
	for _, color := range colors {
		if err := s.AwaitReady(ctx, color); err != nil {
			return err
		}
	}
	return nil
}

// Deploy applies a colour's manifests, as a person with kubectl does.
func (s *Shop) Deploy(ctx context.Context, color string) error {
	return s.kubectl(ctx, "apply", "-f", filepath.Join("deploy", color))
}

// Kubectl runs kubectl in the shop's folder and namespace, as a person does. A
// code other than 0 is an error.
func (s *Shop) Kubectl(ctx context.Context, args ...string) error {
	return s.kubectl(ctx, append(slices.Clone(args), "-n", s.Namespace)...)
}

func (s *Shop) kubectl(ctx context.Context, args ...string) error {
	result, err := s.place.Run(ctx, s.Folder, nil, "kubectl", args...)
	if err == nil && result.Code != 0 {
		err = fmt.Errorf("exit code %d: %s", result.Code, result.Stderr)
	}
	if err != nil {
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}

// AwaitReady waits until every wanted pod of a colour is ready and the
// EndpointSlices of its own Service say so.
func (s *Shop) AwaitReady(ctx context.Context, color string) error {
	missing := ""
	err := await(ctx, func(ctx context.Context) (bool, error) {
		deployment, err := s.deployment(ctx, color)
		if err != nil {
			return false, err
		}
		wanted := ptr.Deref(deployment.Spec.Replicas, 1)
		missing = fmt.Sprintf("%d of %d pods are ready", deployment.Status.AvailableReplicas, wanted)
		if deployment.Status.ObservedGeneration < deployment.Generation || deployment.Status.AvailableReplicas < wanted {
			return false, nil
		}
		endpoints, err := s.Endpoints(ctx, "svc-"+color)
		missing = fmt.Sprintf("the EndpointSlices of svc-%s hold %d of %d pods", color, len(endpoints), wanted)
		return len(endpoints) == int(wanted), err
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w (%s)", color, err, missing)
	}
	return nil
}

// AwaitControllers waits until the controller of Deployments sees what is written
// to them now: after a restart of the API server it looks away for up to half a
// minute, while what it wrote before still stands there.
func (s *Shop) AwaitControllers(ctx context.Context) error {
	deployments := s.place.Client.Kubernetes.AppsV1().Deployments(s.Namespace)
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"shop/asked":%q}}}`, time.Now().Format(time.RFC3339Nano))
	for _, color := range []string{Blue, Green} {
		err := await(ctx, func(ctx context.Context) (bool, error) {
			written, err := deployments.Patch(ctx, Deployment(color), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "shop"})
			if apierrors.IsNotFound(err) {
				return true, nil // a shift will create it
			}
			return err == nil && written.Status.ObservedGeneration >= written.Generation, err
		})
		if err != nil {
			return fmt.Errorf("wait for the controller of %s: %w", Deployment(color), err)
		}
	}
	return nil
}

// Deployment is the name of a colour's Deployment.
func Deployment(color string) string { return "recommendation-" + color }

// Close takes away what the shop has made, and nothing else.
func (s *Shop) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var failures []error
	if s.namespaceMade {
		failures = append(failures, s.closeNamespace(ctx))
	}
	if s.folderMade {
		failures = append(failures, os.RemoveAll(s.Folder))
	}
	return errors.Join(failures...)
}

// closeNamespace takes away the pods, at once and without their drain, for
// nobody uses them any more, then the rest.
func (s *Shop) closeNamespace(ctx context.Context) error {
	client := s.place.Client.Kubernetes
	err := client.CoreV1().Namespaces().Delete(ctx, s.Namespace, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		err = nil
	}
	err = errors.Join(err, s.closeDatabase(ctx))
	return errors.Join(err, await(ctx, func(ctx context.Context) (bool, error) {
		atOnce := metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(0))}
		_ = client.CoreV1().Pods(s.Namespace).DeleteCollection(ctx, atOnce, metav1.ListOptions{})
		_, err := client.CoreV1().Namespaces().Get(ctx, s.Namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	}))
}

// await looks until something holds. What the API server can't answer for
// once is asked again.
func await(ctx context.Context, holds func(context.Context) (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		held, err := holds(ctx)
		last = err
		return held && err == nil, nil
	})
	if err != nil && last != nil {
		return errors.Join(err, last)
	}
	return err
}
