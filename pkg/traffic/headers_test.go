package traffic

import (
	"strings"
	"testing"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A spare pod that could not be asked is not made.
func TestNoTrialWithoutTheHeadersOfItsProbe(t *testing.T) {
	client, clientset := clustertest.New()
	workload := &cluster.Workload{Ref: release.Workload{Kind: "deployment", Name: "shop-blue"}}
	probe := release.HTTPProbe{Path: "/health", Port: 8080, HeadersFrom: map[string]release.SecretSource{
		"Authorization": {SecretKeyRef: &release.SecretKeyReference{Name: "shop-probe", Key: "header"}},
	}}
	got, err := ProveTermination(t.Context(), client, "shop", workload, probe, clock.RealClock{})
	if err != nil || got.Graceful || !strings.Contains(got.Message, "deployment/shop-blue is not proven: make header Authorization of a probe: read secret shop/shop-probe") {
		t.Errorf("termination = %+v, %v", got, err)
	}
	for _, action := range clientset.Actions() {
		if action.GetResource().Resource != "secrets" {
			t.Errorf("the cluster was asked: %v", action)
		}
	}
}
