package traffic_test

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestIngressAffinityIsSeen: an Ingress that is the route ties clients by the same
// annotations as one that leads to it.
func TestIngressAffinityIsSeen(t *testing.T) {
	for _, test := range []struct {
		kind                    routertest.Kind
		annotation, value, want string
	}{
		{routertest.NginxIngress(), "nginx.ingress.kubernetes.io/affinity", "cookie", "nginx.ingress.kubernetes.io/affinity=cookie"},
		{routertest.NginxIngress(), "nginx.ingress.kubernetes.io/upstream-hash-by", "$remote_addr", "nginx.ingress.kubernetes.io/upstream-hash-by=$remote_addr"},
		{routertest.NginxIngress(), "nginx.ingress.kubernetes.io/session-cookie-name", "shop", ""},
		{routertest.SkipperIngress(), "haproxy.org/cookie-persistence", "shop", "haproxy.org/cookie-persistence=shop"},
		{routertest.SkipperIngress(), "zalando.org/skipper-loadbalancer", "random", ""},
		{routertest.ALBIngress(), "alb.ingress.kubernetes.io/target-group-attributes", "stickiness.enabled=true", "alb.ingress.kubernetes.io/target-group-attributes with stickiness.enabled=true"},
		{routertest.ALBIngress(), "alb.ingress.kubernetes.io/target-group-attributes", "stickiness.enabled=false", ""},
	} {
		object := routertest.Object(t, test.kind.Fresh)
		routertest.Within(object.Object, "metadata", "annotations")[test.annotation] = test.value
		text, err := object.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if got := mustRead(t, openWeighted(t, test.kind, string(text)).router).Affinity; got != test.want {
			t.Errorf("%s: %s: affinity %q, want %q", test.annotation, test.value, got, test.want)
		}
	}
}
