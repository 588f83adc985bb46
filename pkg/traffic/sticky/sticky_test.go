package sticky

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The annotations of each controller mean what its documentation says.
func TestService(t *testing.T) {
	const aws = "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes"
	const cookies = "service.beta.kubernetes.io/do-loadbalancer-sticky-sessions-type"
	for _, test := range []struct {
		name, value string
		want        []string
	}{
		{aws, "deregistration_delay.timeout_seconds=30, stickiness.enabled=true", []string{aws + " with stickiness.enabled=true"}},
		{aws, "stickiness.enabled=false", []string{}},
		{cookies, "cookies", []string{cookies + "=cookies"}},
		{cookies, "None", []string{}},
		{cookies, "", []string{}},
		{"service.beta.kubernetes.io/scw-loadbalancer-sticky-sessions", "table", []string{"service.beta.kubernetes.io/scw-loadbalancer-sticky-sessions=table"}},
		{"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-sticky-session", "off", []string{}},
		{"load-balancer.hetzner.cloud/http-sticky-sessions", "true", []string{"load-balancer.hetzner.cloud/http-sticky-sessions=true"}},
		{"kubernetes.io/elb.session-affinity-mode", "SOURCE_IP", []string{"kubernetes.io/elb.session-affinity-mode=SOURCE_IP"}},
		{"traefik.ingress.kubernetes.io/service.sticky.cookie", "false", []string{}},
		{"example.com/sticky", "true", []string{}},
	} {
		if difference := cmp.Diff(test.want, Service(map[string]string{test.name: test.value})); difference != "" {
			t.Errorf("%s=%s (-want +got):\n%s", test.name, test.value, difference)
		}
	}
}

func TestHTTPProxyRoute(t *testing.T) {
	for strategy, want := range map[string]string{"Cookie": "Cookie", "RequestHash": "RequestHash", "WeightedLeastRequest": "", "": ""} {
		route := map[string]any{"loadBalancerPolicy": map[string]any{"strategy": strategy}}
		if got := HTTPProxyRoute(route); got != want {
			t.Errorf("%s: %q, want %q", strategy, got, want)
		}
	}
}

func TestGatewayRule(t *testing.T) {
	for name, test := range map[string]struct {
		rule map[string]any
		want string
	}{
		"nothing":      {map[string]any{}, ""},
		"the default":  {map[string]any{"sessionPersistence": map[string]any{"sessionName": "cart"}}, "Cookie"},
		"a header":     {map[string]any{"sessionPersistence": map[string]any{"type": "Header"}}, "Header"},
		"not an entry": {map[string]any{"sessionPersistence": nil}, ""},
	} {
		if got := GatewayRule(test.rule); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
