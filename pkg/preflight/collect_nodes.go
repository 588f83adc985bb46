package preflight

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// nodesAtOnce is how many nodes' pods are read at once.
const nodesAtOnce = 8

// nodes is what every node that takes pods can give to pods at all.
func nodes(ctx context.Context, in Inputs) Fact[[]Node] {
	list, err := in.Client.Kubernetes.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]Node](fmt.Errorf("list nodes: %w", err))
	}
	var able []Node
	for _, node := range list.Items {
		if takesPods(node) {
			able = append(able, Node{Name: node.Name, CPU: node.Status.Allocatable.Cpu().MilliValue(),
				Memory: node.Status.Allocatable.Memory().Value(), Pods: node.Status.Allocatable.Pods().Value()})
		}
	}
	return known(able)
}

// room are the nodes that were looked at, with what their pods leave: as many
// as it takes to place the pods that are to come, and none where none is. The
// pods of a whole cluster may be a hundred times those of the release, so they
// are read a few nodes at a time, until there is room.
func room(ctx context.Context, in Inputs, facts *Facts) Fact[[]Node] {
	if !facts.Nodes.Known {
		return facts.Nodes
	}
	parts := podsToCome(facts)
	var looked []Node
	for some := range slices.Chunk(facts.Nodes.Value, nodesAtOnce) {
		if _, unplaced := placeAll(looked, parts); unplaced == 0 {
			break
		}
		if err := occupied(ctx, in.Client, some); err != nil {
			return notKnown[[]Node](err)
		}
		looked = append(looked, some...)
	}
	return known(looked)
}

// occupied subtracts from each of the nodes what the pods on it ask for.
func occupied(ctx context.Context, client *cluster.Client, nodes []Node) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range nodes {
		group.Go(func() error {
			pods, err := client.PodsOn(ctx, nodes[i].Name)
			if err == nil {
				nodes[i] = nodes[i].without(pods)
			}
			return err
		})
	}
	return group.Wait()
}

// without is what pods leave of a node.
func (n Node) without(pods []corev1.Pod) Node {
	for i := range pods {
		cpu, memory := podRequests(pods[i].Spec)
		n.CPU -= cpu
		n.Memory -= memory
		n.Pods--
	}
	return n
}

func takesPods(node corev1.Node) bool {
	if node.Spec.Unschedulable {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
