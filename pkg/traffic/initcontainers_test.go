package traffic

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A migration must not run because somebody wants to know how a pod ends.
func TestPodsWithInitContainersAreNotTried(t *testing.T) {
	client, clientset := clustertest.New()
	workload := &cluster.Workload{Ref: release.Workload{Kind: "deployment", Name: "shop-blue"}}
	workload.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate"}}
	got, err := ProveTermination(t.Context(), client, "shop", workload, release.HTTPProbe{Path: "/health"}, clock.RealClock{})
	if err != nil || got.Graceful || !strings.Contains(got.Message, "init containers") {
		t.Errorf("termination = %+v, %v", got, err)
	}
	if actions := clientset.Actions(); len(actions) != 0 {
		t.Errorf("the cluster was asked: %v", actions)
	}
}
