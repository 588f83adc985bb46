package preflight

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The annotations of each controller mean what its documentation says.
func TestStickyBy(t *testing.T) {
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
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{test.name: test.value}}}
		if difference := cmp.Diff(test.want, stickyBy(service)); difference != "" {
			t.Errorf("%s=%s (-want +got):\n%s", test.name, test.value, difference)
		}
	}
}
