package plugin

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestUnprovenRouteIsRefused(t *testing.T) {
	behind := func(traffic release.Traffic) *release.Release {
		return &release.Release{Spec: release.Spec{Traffic: traffic, Colors: map[string]release.Color{
			"blue":  {Service: "svc-blue", Selector: map[string]string{"version": "blue"}},
			"green": {Service: "svc-green", Selector: map[string]string{"version": "green"}},
		}}}
	}
	custom := behind(release.Traffic{Custom: &release.CustomRoute{APIVersion: "v1", Resource: "configmaps", Name: "shop", Weights: map[string][]string{"blue": {"/data/blue"}, "green": {"/data/green"}}}})
	err := provenRoute(custom, false)
	if ExitStatus(t.Context(), err) != ExitBlocked || !strings.Contains(err.Error(), "configmaps/shop: this kind of route") || !strings.Contains(release.HintOf(err), "--accept-unproven-router") {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
	if err := provenRoute(custom, true); err != nil {
		t.Errorf("accepted: %v", err)
	}
	set := behind(release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}, Also: []release.AlsoRoute{{HTTPProxy: &release.NamedRoute{Name: "rpc"}}}})
	if err := provenRoute(set, false); ExitStatus(t.Context(), err) != ExitBlocked || !strings.HasPrefix(err.Error(), "httpproxy/rpc: this kind of route") {
		t.Errorf("a set: %v", err)
	}
	if err := provenRoute(behind(release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}}), false); err != nil {
		t.Errorf("a Service: %v", err)
	}
}
