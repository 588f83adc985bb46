package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/network"
)

// Where components answer for themselves, inside the lab.
const (
	etcdHealth      = etcdAddress + "/health"
	kubeletHealth   = "http://127.0.0.1:10248/healthz"
	kubeProxyHealth = "http://" + network.Node + ":10256/healthz"
	dnsHealth       = "http://127.0.0.1:8181/ready"
)

// AwaitHealthy waits until every component runs and answers for itself, and
// the node takes pods. What has ended is not started again: that is an error
// at once, with the end of its log. See [Lab.Mend].
func (l *Lab) AwaitHealthy(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(l.config)
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for component, answers := range l.answering(client) {
		group.Go(func() error { return l.awaitComponent(ctx, component, answers) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("wait until lab %s is healthy: %w", l.Name(), err)
	}
	return nil
}

// answering says how each component is asked whether it is well. One that
// can't be asked is well while it runs.
func (l *Lab) answering(client kubernetes.Interface) map[Component]func(context.Context) bool {
	kubelet := l.answers(kubeletHealth)
	return map[Component]func(context.Context) bool{
		Etcd:              l.answers(etcdHealth),
		Containerd:        l.containerdAnswers,
		APIServer:         func(ctx context.Context) bool { return serverReady(ctx, client) },
		ControllerManager: func(context.Context) bool { return true },
		Scheduler:         func(context.Context) bool { return true },
		Kubelet:           func(ctx context.Context) bool { return kubelet(ctx) && nodeReady(ctx, client) },
		KubeProxy:         l.answers(kubeProxyHealth),
		CoreDNS:           l.answers(dnsHealth),
	}
}

// Mend lets every paused component go on, starts every one that has ended, and
// waits until the cluster is healthy: what a test does last that has broken
// something, so that the next one finds a cluster as it should be.
func (l *Lab) Mend(ctx context.Context) error {
	var problems []error
	for _, component := range Components() {
		err := l.Resume(component)
		if errors.Is(err, os.ErrProcessDone) {
			err = l.Start(component)
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("mend lab %s: %w", l.Name(), err)
	}
	return l.AwaitHealthy(ctx)
}

// containerdAnswers reports whether containerd takes connections.
func (l *Lab) containerdAnswers(ctx context.Context) bool {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", l.layout.file("containerd.sock"))
	return err == nil && connection.Close() == nil
}

// serverReady reports whether the API server says that it is ready.
func serverReady(ctx context.Context, client kubernetes.Interface) bool {
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
}

// answers returns whether a URL inside the lab answers 200.
func (l *Lab) answers(url string) func(context.Context) bool {
	client := &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{DialContext: l.layout.namespace().DialContext, DisableKeepAlives: true},
	}
	return func(ctx context.Context) bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}
}

// nodeReady reports whether the node takes pods.
func nodeReady(ctx context.Context, client kubernetes.Interface) bool {
	node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil || len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
