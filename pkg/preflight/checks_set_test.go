package preflight

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// healthySet is the healthy release with a second production Service.
func healthySet() *Facts {
	facts := healthy()
	facts.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}
	facts.Route.Value.Service.Name = "svc-production"
	also := facts.Route.Value.Service.DeepCopy()
	also.Name = "svc-internal"
	facts.Route.Value.Also = []*corev1.Service{also}
	facts.Route.Value.Sticky = map[string][]string{"svc-production": {}, "svc-internal": {}}
	signEverything(facts)
	return facts
}

// TestEveryRouteOfASetIsChecked: what is wrong with a further Service is found,
// and told of it.
func TestEveryRouteOfASetIsChecked(t *testing.T) {
	if report := Evaluate(healthySet(), Catalogue(), StageDeploy); report.Blocked() {
		t.Errorf("blocked by %v", report.Blocking)
	}
	internal := func(change func(*corev1.ServiceSpec)) func(*Facts) {
		return func(f *Facts) { change(&f.Route.Value.Also[0].Spec) }
	}
	for name, test := range map[string]struct {
		id      string
		plant   func(*Facts)
		outcome Outcome
		subject string
	}{
		"sticky":                       {"BG-NET-01", internal(func(s *corev1.ServiceSpec) { s.SessionAffinity = corev1.ServiceAffinityClientIP }), Fail, "service/svc-internal"},
		"headless":                     {"BG-NET-02", internal(func(s *corev1.ServiceSpec) { s.ClusterIP = corev1.ClusterIPNone }), Fail, "service/svc-internal"},
		"a load balancer":              {"BG-NET-03", internal(func(s *corev1.ServiceSpec) { s.Type = corev1.ServiceTypeLoadBalancer }), Warn, "service/svc-internal"},
		"the first is as it should be": {"BG-NET-01", internal(func(s *corev1.ServiceSpec) { s.SessionAffinity = corev1.ServiceAffinityClientIP }), Pass, "service/svc-production"},
		"pods that the further one alone would select": {"BG-COL-03", func(f *Facts) {
			f.Route.Value.Also[0].Spec.Selector = map[string]string{"version": "blue"}
			f.color("green", func(c *Color) {
				c.Pods.Value = []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "debug", Labels: map[string]string{"app": "debug", "version": "green"}}}}
			})
		}, Fail, "colour green"},
		"another way to a port of the further one": {"BG-NET-07", func(f *Facts) {
			f.Route.Value.Also[0].Spec.Ports = []corev1.ServicePort{{Port: 9000, TargetPort: intstr.FromString("metrics")}}
		}, Warn, "service/metrics"},
		"manifests hold it": {"BG-COL-15", func(f *Facts) { f.Manifests["green"] = known([]string{"service/svc-internal"}) }, Fail, "manifests of green"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthySet()
			test.plant(facts)
			for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), test.id) {
				if finding.Outcome == test.outcome && finding.Subject == test.subject {
					return
				}
			}
			t.Errorf("%s of %s is not %s", test.id, test.subject, test.outcome)
		})
	}
}

// TestASetThatDiffersBlocks: no colour is live, and the finding says which route
// has what.
func TestASetThatDiffersBlocks(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "svc-internal", ResourceVersion: "8"},
			Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.8", Selector: map[string]string{"app": "shop", "version": "green"}}}
		if err := client.Tracker().Add(service); err != nil {
			t.Fatal(err)
		}
	})
	in.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}
	in.Target = "green"
	facts := &Facts{Release: in.Release, Stage: StageDeploy, Namespace: "shop", Target: "green"}
	collectRoute(context.Background(), in, facts)
	if route := facts.Route.Value; !facts.Route.Known || route.Live != "" || len(route.Also) != 1 {
		t.Fatalf("route %+v", facts.Route)
	}
	finding := productionRoute().Evaluate(facts)[0]
	if want := "its routes differ: mixed (service/svc-production has blue=100, service/svc-internal has green=100)"; finding.Outcome != Fail || !strings.Contains(finding.Cause, want) {
		t.Errorf("finding %+v, want %q", finding, want)
	}
}
