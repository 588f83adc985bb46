package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// A crowd is the rest of a cluster: pods that have nothing to do with a release, on
// nodes that no kubelet runs. To the API server, and so to whoever reads from it,
// they are like any others.
const (
	crowdLabel = "bench/crowd"
	// crowdNodes have a hundred pods each.
	crowdNodes    = 55
	crowdAtOnce   = 32
	heartbeat     = 10 * time.Second
	nodeLeases    = "kube-node-lease"
	crowdPatience = 5 * time.Minute
)

// crowd is what was put on a cluster.
type crowd struct {
	client     kubernetes.Interface
	namespaces []string
	stop       context.CancelFunc
}

// gather puts pods into namespaces, so many in each, and keeps their nodes alive
// until disperse.
func gather(ctx context.Context, client kubernetes.Interface, pods map[string]int) (*crowd, error) {
	beating, stop := context.WithCancel(ctx)
	c := &crowd{client: client, stop: stop}
	for node := range crowdNodes {
		if err := c.node(ctx, crowdNode(node)); err != nil {
			return c, err
		}
	}
	go c.beat(beating)
	number := 0
	for namespace, count := range pods {
		c.namespaces = append(c.namespaces, namespace)
		if err := c.namespace(ctx, namespace); err != nil {
			return c, err
		}
		making, ctx := errgroup.WithContext(ctx)
		making.SetLimit(crowdAtOnce)
		for range count {
			name, node := fmt.Sprintf("crowd-%04d", number), crowdNode(number%crowdNodes)
			number++
			making.Go(func() error { return c.pod(ctx, namespace, name, node) })
		}
		if err := making.Wait(); err != nil {
			return c, err
		}
	}
	return c, nil
}

func crowdNode(number int) string { return fmt.Sprintf("crowd-%02d", number) }

// namespace makes a namespace where there is none, and waits for what a pod needs
// there.
func (c *crowd) namespace(ctx context.Context, name string) error {
	_, err := c.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{crowdLabel: "yes"}}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, crowdPatience)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		if _, err := c.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{}); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the service account of %s: %w", name, ctx.Err())
		case <-look.C:
		}
	}
}

func (c *crowd) node(ctx context.Context, name string) error {
	room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("250")}
	nodes := c.client.CoreV1().Nodes()
	if _, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{crowdLabel: "yes"}}}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create node %s: %w", name, err)
	}
	status, err := json.Marshal(map[string]any{"status": corev1.NodeStatus{Allocatable: room, Capacity: room, Conditions: []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Crowd", LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}}}})
	if err != nil {
		return err
	}
	// A patch: controllers write to a node as soon as it is there.
	if _, err := nodes.Patch(ctx, name, types.StrategicMergePatchType, status, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("make node %s ready: %w", name, err)
	}
	return nil
}

// beat renews the leases of the nodes, as a kubelet does: a node without one is
// soon taken for dead, and its pods with it.
func (c *crowd) beat(ctx context.Context) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		for node := range crowdNodes {
			c.renew(ctx, crowdNode(node))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renew leaves an error to the next beat.
func (c *crowd) renew(ctx context.Context, node string) {
	leases := c.client.CoordinationV1().Leases(nodeLeases)
	spec := coordinationv1.LeaseSpec{HolderIdentity: &node, LeaseDurationSeconds: ptr.To(int32(40)), RenewTime: ptr.To(metav1.NowMicro())}
	lease, err := leases.Get(ctx, node, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, _ = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: node}, Spec: spec}, metav1.CreateOptions{})
		return
	}
	if err == nil {
		lease.Spec = spec
		_, _ = leases.Update(ctx, lease, metav1.UpdateOptions{})
	}
}

func (c *crowd) pod(ctx context.Context, namespace, name, node string) error {
	_, err := c.client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{crowdLabel: "yes", "app": "crowd"}},
		Spec: corev1.PodSpec{
			NodeName: node, AutomountServiceAccountToken: ptr.To(false), TerminationGracePeriodSeconds: ptr.To(int64(0)),
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Containers: []corev1.Container{{Name: "crowd", Image: "crowd", Env: []corev1.EnvVar{{Name: "VERSION", Value: "v1"}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")}}}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create pod %s: %w", name, err)
	}
	return nil
}

// disperse takes everything away again.
func (c *crowd) disperse(ctx context.Context) {
	c.stop()
	zero := metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(0))}
	ours := metav1.ListOptions{LabelSelector: crowdLabel}
	for _, namespace := range c.namespaces {
		_ = c.client.CoreV1().Pods(namespace).DeleteCollection(ctx, zero, ours)
	}
	for node := range crowdNodes {
		_ = c.client.CoreV1().Nodes().Delete(ctx, crowdNode(node), zero)
		_ = c.client.CoordinationV1().Leases(nodeLeases).Delete(ctx, crowdNode(node), zero)
	}
}
