package rollout

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// spare is a pod that a trial of a colour's termination has left.
func spare(color string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color + "-spare-x", Namespace: "shop", UID: "spare-of-" + "x",
		Labels: map[string]string{traffic.LabelPurpose: traffic.PurposeTermination}, Annotations: map[string]string{"bluegreen.dev/workload": "deployment/shop-" + color}}}
}

// TestWhatWasCutOffIsSettled: intents without a result are looked at, a spare
// pod that nobody would delete is, and the record says what was found.
func TestWhatWasCutOffIsSettled(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), spare("blue"), spare("green"))
	driving(t, runner, release.DrainNone)
	intents := []journal.Entry{
		{Kind: journal.Intent, Action: "switch", Object: "service/svc"},
		{Kind: journal.Intent, Action: actionTrial, Object: "deployment/shop-blue"},
		{Kind: journal.Intent, Action: "scale", Object: "deployment/shop-green"},
		{Kind: journal.Intent, Action: "apply", Object: "3 objects"},
	}
	if err := runner.tenure.Record(t.Context(), intents...); err != nil {
		t.Fatal(err)
	}
	runner.settle(t.Context(), Switch)
	entries := runner.tenure.Run().Entries
	if open := journal.Open(entries); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
	for action, says := range map[string]string{"switch": "green=100", actionTrial: "1 spare pods", "scale": "2 replicas", "apply": "looks again"} {
		if !slices.ContainsFunc(entries, func(entry journal.Entry) bool {
			return entry.Kind == journal.Result && entry.Action == action && strings.Contains(entry.Message, says)
		}) {
			t.Errorf("the record does not say %q of %s: %+v", says, action, entries)
		}
	}
	pods, err := runner.Client.Kubernetes.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 || pods.Items[0].Name != "shop-green-spare-x" {
		t.Errorf("pods left: %+v, %v; want green's spare pod, which is somebody else's", pods.Items, err)
	}
}

func TestNothingOpenIsNothingToSettle(t *testing.T) {
	runner, _, _ := newRunner(t)
	driving(t, runner, release.DrainNone)
	runner.settle(t.Context(), Switch)
	if entries := runner.tenure.Run().Entries; len(entries) != 0 {
		t.Errorf("recorded %+v", entries)
	}
}
