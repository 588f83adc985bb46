package preflight

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// healthyWeighted is the healthy release behind an HTTPRoute.
func healthyWeighted() *Facts {
	facts := healthy()
	facts.Release.Spec.Traffic = release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}}
	facts.Route.Value.Service = nil
	signEverything(facts)
	return facts
}

// TestWeightedRouteIsChecked: behind a route with weights it is the colours'
// Services that get the traffic, and the route's own stickiness that keeps it.
func TestWeightedRouteIsChecked(t *testing.T) {
	for name, test := range map[string]struct {
		id      string
		plant   func(*Facts)
		outcome Outcome
		says    string
	}{
		"not sticky":             {"BG-NET-01", func(*Facts) {}, Pass, "does not tie clients"},
		"sticky by a cookie":     {"BG-NET-01", func(f *Facts) { f.Route.Value.State.Affinity = "Cookie (sessionPersistence of rule 1)" }, Fail, "by Cookie (sessionPersistence of rule 1)"},
		"no DNS in the way":      {"BG-NET-02", func(*Facts) {}, Pass, "its proxy"},
		"no balancer of its own": {"BG-NET-03", func(*Facts) {}, Pass, "its proxy stands in front"},
		"both Services":          {"BG-COL-05", func(*Facts) {}, Pass, "3 ready pods of green and no others"},
		"the target's Service leads to the other colour": {"BG-COL-05", func(f *Facts) {
			f.color("green", func(c *Color) { c.ServicePods = f.Colors["blue"].Pods })
		}, Fail, "shop-blue-0"},
		"a Gateway that has not taken it": {"BG-COL-05", func(f *Facts) {
			f.Route.Value.Proof = known(traffic.Proof{Ready: []string{"shop-blue-0"}, Message: "httproute/shop has blue=100, but gateway public has seen generation 1 of it, not 3", Remedy: "gateway public has to take the route as it stands"})
		}, Fail, "has seen generation 1 of it"},
		"the target's Service is not there": {"BG-COL-05", func(f *Facts) {
			f.color("green", func(c *Color) { c.Service = Fact[*corev1.Service]{Problem: `services "svc-green" not found`} })
		}, Fail, "does not exist"},
		"a stranger behind a colour's Service": {"BG-COL-03", func(f *Facts) {
			f.color("green", func(c *Color) {
				c.Workloads.Value[0].Selector = selectorOfLabels("app=shop,version=green,pod-template-hash")
				c.Pods.Value = []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "debug", Labels: map[string]string{"app": "shop", "version": "green"}}}}
			})
		}, Fail, "debug"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthyWeighted()
			test.plant(facts)
			findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), test.id)
			for _, finding := range findings {
				if finding.Outcome == test.outcome && strings.Contains(finding.Cause, test.says) {
					if test.outcome == Fail && !finding.Blocks {
						t.Errorf("it does not block: %+v", finding)
					}
					return
				}
			}
			t.Errorf("none of %+v is %s with %q", findings, test.outcome, test.says)
		})
	}
}

// TestHealthyWeightedReleasePasses: nothing else stumbles over the kind of route.
func TestHealthyWeightedReleasePasses(t *testing.T) {
	report := Evaluate(healthyWeighted(), Catalogue(), StageDeploy)
	if report.Blocked() {
		t.Errorf("blocked by %v", report.Blocking)
	}
}

// What is done about a route that is not proven is told by what keeps it from that: by
// the pods, by who serves it, or by both.
func TestAnUnprovenRouteNamesWhatKeepsIt(t *testing.T) {
	refused := "gateway public has to take the route as it stands"
	for name, test := range map[string]struct {
		proof traffic.Proof
		want  string
	}{
		"no pod":               {traffic.Proof{Message: "no blue pod behind the route is ready"}, "bring blue back first: nothing is behind the route now"},
		"a Gateway":            {traffic.Proof{Ready: []string{"shop-blue-0"}, Remedy: refused}, refused},
		"a Gateway and no pod": {traffic.Proof{Remedy: refused}, refused + "; bring blue back first: nothing is behind the route now"},
	} {
		facts := healthyWeighted()
		facts.Route.Value.Proof = known(test.proof)
		findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-05")
		if len(findings) != 1 || findings[0].Outcome != Fail || findings[0].Remedy != test.want {
			t.Errorf("%s: %+v, want %q", name, findings, test.want)
		}
	}
}
