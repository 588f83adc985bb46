package traffic_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestVirtualServiceReadsDestinations: what is a colour's, and what is not.
func TestVirtualServiceReadsDestinations(t *testing.T) {
	fresh := routertest.VirtualService(false).Fresh
	green := "    - {destination: {host: svc-green.shop.svc.cluster.local}}\n"
	for name, c := range map[string]struct{ change, with, says, split string }{
		"one without a weight gets nothing":    {green, green, "", "blue=100"},
		"the host of another namespace":        {"svc-green.shop.svc", "svc-green.other.svc", "has no backend for green", ""},
		"a host outside":                       {"svc-green.shop.svc.cluster.local", "svc-green.example.com", "has no backend for green", ""},
		"a host by service and namespace":      {"svc-green.shop.svc.cluster.local", "svc-green.shop", "", "blue=100"},
		"a weight below nothing":               {"weight: 1", "weight: -1", `route "all", route[0]: read weight: -1 is below 0`, ""},
		"a header leads to green alone":        {green, green + "  - match: [{headers: {x-color: {exact: green}}}]\n    route: [{destination: {host: svc-green}}]\n", "", "blue=100"},
		"a path leads to blue alone, for good": {green, green + "  - match: [{uri: {prefix: /old}}]\n    route: [{destination: {host: svc-blue}}]\n", "spec.http[1] has no backend for green", ""},
		"TCP leads to blue alone, for good":    {green, green + "  tcp:\n  - route: [{destination: {host: svc-blue}}]\n", "spec.tcp[0] has no backend for green", ""},
		"a redirect has no destination":        {green, green + "  - match: [{uri: {prefix: /moved}}]\n    redirect: {uri: /}\n", "", "blue=100"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(fresh, c.change, c.with, 1)
			route, err := openWeighted(t, routertest.VirtualService(false), text).router.Read(context.Background())
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("err = %v, want %q", err, c.says)
				}
				return
			}
			if err != nil || route.Split.String() != c.split {
				t.Errorf("split %s, %v, want %s", route.Split, err, c.split)
			}
		})
	}
}
