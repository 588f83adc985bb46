package preflight

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
)

// The pods of a cluster are read only as far as it takes to place those that
// are to come, and not at all where none is.
func TestRoomReadsNoMoreThanItNeeds(t *testing.T) {
	const count = 30
	for name, test := range map[string]struct {
		// full are the nodes that have no room left, the first ones.
		full, gone int
		want       int
		outcome    Outcome
	}{
		"nothing to come":              {full: count, gone: 0, want: 0, outcome: Pass},
		"room on the first":            {full: 0, gone: 1, want: nodesAtOnce, outcome: Pass},
		"room after a few":             {full: nodesAtOnce, gone: 1, want: 2 * nodesAtOnce, outcome: Pass},
		"no room":                      {full: count, gone: 1, want: count, outcome: Warn},
		"room for one of two, at last": {full: count - 1, gone: 2, want: count, outcome: Pass},
	} {
		t.Run(name, func(t *testing.T) {
			var asked sync.Map
			in := inputs(t, "", "3", func(client *fake.Clientset) { crowded(t, client, count, test.full, test.gone, &asked) })
			finding := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-11")[0]
			looked := 0
			asked.Range(func(any, any) bool { looked++; return true })
			if finding.Outcome != test.outcome || looked != test.want {
				t.Errorf("%s (%s), pods of %d nodes read; want %s and %d", finding.Outcome, finding.Cause, looked, test.outcome, test.want)
			}
		})
	}
}

// crowded adds nodes, each with room for two pods of the target and, on those
// that are full, one pod that takes it all; takes away some pods of the target;
// and keeps of which nodes the pods are asked for.
func crowded(t *testing.T, client *fake.Clientset, count, full, gone int, asked *sync.Map) {
	t.Helper()
	var others []corev1.Pod
	for i := range count {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%02d", i)}, Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi"), corev1.ResourcePods: resource.MustParse("2")},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
		if err := client.Tracker().Add(node); err != nil {
			t.Fatal(err)
		}
		if i < full {
			pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "pod-on-" + node.Name}, Spec: corev1.PodSpec{NodeName: node.Name,
				Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}}}}}
			others = append(others, pod)
		}
	}
	for i := range gone {
		err := client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), "shop", healthyColor("green").Pods.Value[i].Name)
		if err != nil {
			t.Fatal(err)
		}
	}
	client.PrependReactor("list", "pods", func(action kubetesting.Action) (bool, runtime.Object, error) {
		list, _ := action.(kubetesting.ListAction)
		if list.GetNamespace() != metav1.NamespaceAll {
			return false, nil, nil
		}
		node, found := list.GetListRestrictions().Fields.RequiresExactMatch("spec.nodeName")
		if !found || !strings.HasPrefix(node, "node-") {
			t.Errorf("the pods of all nodes are read: %s", list.GetListRestrictions().Fields)
		}
		asked.Store(node, true)
		on := slices.DeleteFunc(slices.Clone(others), func(pod corev1.Pod) bool { return pod.Spec.NodeName != node })
		return true, &corev1.PodList{Items: on}, nil
	})
}
