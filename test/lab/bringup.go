package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// patience is how long a component may take to answer. It is a guard against
// hanging, many times what it takes.
const patience = 2 * time.Minute

// bringUp starts everything in the order that each needs the other, and in
// parallel where none does.
func (l *Lab) bringUp(ctx context.Context, options Options, programs map[string]string) error {
	told := newProgress(options.Out)
	fmt.Fprintf(options.Out, "lab %s\n", l.Name())
	return told.step("up", func() error {
		if err := told.step("network namespace, mounts, certificates", func() error {
			return l.prepare(ctx, options, programs)
		}); err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return l.bringUpContainerd(ctx, told) })
		group.Go(func() error { return l.bringUpControlPlane(ctx, told) })
		if err := group.Wait(); err != nil {
			return err
		}
		return l.record.update(func(r *record) { r.Ready = true })
	})
}

// prepare makes all that processes need before they start.
func (l *Lab) prepare(ctx context.Context, options Options, programs map[string]string) error {
	for _, folder := range []string{"bin", "cni", "logs", "images", "accounts"} {
		if err := os.MkdirAll(l.layout.file(folder), 0o755); err != nil {
			return fmt.Errorf("make the lab's folder: %w", err)
		}
	}
	owner, err := options.owner()
	if err != nil {
		return err
	}
	if err := l.record.update(func(r *record) {
		r.Owner, r.Audit = owner, options.Audit
		for _, component := range Components() {
			r.Arguments[component] = l.arguments(component, options)
		}
	}); err != nil {
		return err
	}
	if err := link(programs, l.Path()); err != nil {
		return err
	}
	if err := l.layout.writeConfiguration(); err != nil {
		return err
	}
	if err := l.layout.writeCredentials(); err != nil {
		return err
	}
	if err := l.layout.cgroup().Create(); err != nil {
		return err
	}
	if err := l.layout.namespace().Create(ctx); err != nil {
		return err
	}
	return l.hold(ctx)
}

// link puts programs into a folder. Those that are there stay: a lab that runs
// keeps what it was started with.
func link(programs map[string]string, folder string) error {
	for name, path := range programs {
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("link programs: %w", err)
		}
	}
	return nil
}

// bringUpContainerd starts containerd and gives it the image that every pod
// needs.
func (l *Lab) bringUpContainerd(ctx context.Context, told *progress) error {
	pause, err := l.ownBinary(ctx, "pause")
	if err != nil {
		return err
	}
	return told.step("containerd", func() error {
		if err := l.launch(Containerd); err != nil {
			return err
		}
		if err := l.awaitComponent(ctx, Containerd, l.containerdAnswers); err != nil {
			return err
		}
		return l.LoadBinary(ctx, pauseImage, pause)
	})
}

// bringUpControlPlane starts etcd, the API server and then all its clients,
// and waits until the node is ready and names resolve.
func (l *Lab) bringUpControlPlane(ctx context.Context, told *progress) error {
	if err := told.step("etcd", func() error { return l.bringUpEtcd(ctx) }); err != nil {
		return err
	}
	if err := told.step("kube-apiserver", func() error { return l.bringUpServer(ctx) }); err != nil {
		return err
	}
	for _, component := range []Component{ControllerManager, Scheduler, Kubelet, KubeProxy, CoreDNS} {
		if err := l.launch(component); err != nil {
			return err
		}
	}
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return told.step("kubelet, kube-scheduler: the node is ready", func() error {
			return l.awaitComponent(ctx, Kubelet, func(ctx context.Context) bool { return nodeReady(ctx, client) })
		})
	})
	group.Go(func() error {
		return told.step("kube-controller-manager", func() error {
			return l.awaitComponent(ctx, ControllerManager, func(ctx context.Context) bool {
				_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
				return err == nil
			})
		})
	})
	group.Go(func() error {
		return told.step("kube-proxy", func() error {
			return l.awaitComponent(ctx, KubeProxy, l.answers(kubeProxyHealth))
		})
	})
	group.Go(func() error { return told.step("cluster DNS", func() error { return l.bringUpDNS(ctx) }) })
	return group.Wait()
}

// bringUpEtcd starts etcd.
func (l *Lab) bringUpEtcd(ctx context.Context) error {
	if err := l.launch(Etcd); err != nil {
		return err
	}
	return l.awaitComponent(ctx, Etcd, l.answers(etcdHealth))
}

// bringUpServer starts the API server.
func (l *Lab) bringUpServer(ctx context.Context) error {
	if err := l.connect(); err != nil {
		return err
	}
	if err := l.launch(APIServer); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	return l.awaitComponent(ctx, APIServer, func(ctx context.Context) bool { return serverReady(ctx, client) })
}

// bringUpDNS makes CoreDNS known and waits until it knows the cluster.
func (l *Lab) bringUpDNS(ctx context.Context) error {
	if err := l.Apply(ctx, manifests.ClusterDNS); err != nil {
		return err
	}
	return l.awaitComponent(ctx, CoreDNS, l.answers(dnsHealth))
}

// ownBinary builds one of the lab's own small programs for a container and
// returns its path.
func (l *Lab) ownBinary(ctx context.Context, name string) (string, error) {
	return buildContainer(ctx, name, filepath.Join(l.layout.file("images"), name))
}
