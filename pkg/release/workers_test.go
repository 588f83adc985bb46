package release

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWorkers reads a release whose switch is scaling. What stands in front of a
// worker is nothing, so no Service is asked for.
func TestWorkers(t *testing.T) {
	text := read(t, "workers.yaml")
	for name, test := range map[string]struct {
		workers, order string
		steps          []Step
	}{
		"as it is written": {"{order: newFirst}", NewFirst, []Step{{Weight: 50, Hold: Duration(3 * time.Minute)}, {Weight: 100, Hold: Duration(5 * time.Minute)}}},
		"with defaults":    {"{}", NewFirst, []Step{{Weight: 50, Hold: DefaultStepHold}, {Weight: 100, Hold: DefaultHold}}},
		"old first":        {"{order: oldFirst}", OldFirst, []Step{{Weight: 100, Hold: DefaultHold}}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(text, "{order: newFirst}", test.workers, 1)
			if name != "as it is written" {
				text, _, _ = strings.Cut(text, "    steps:")
			}
			loaded, err := Parse("f", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, compiled(t), text); err != nil {
				t.Errorf("the schema: %v", err)
			}
			traffic := loaded.Release.Spec.Traffic
			if diff := cmp.Diff([]DeclaredRoute{{Field: "workers"}}, traffic.Routes()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.steps, traffic.Steps); diff != "" || traffic.Workers.Order != test.order {
				t.Errorf("order %s, steps %s", traffic.Workers.Order, diff)
			}
			if traffic.NamesServices() || traffic.Weighted() != (test.order == NewFirst) || traffic.Needs("svc-blue") {
				t.Errorf("names Services %v, weighted %v, needs a Service %v", traffic.NamesServices(), traffic.Weighted(), traffic.Needs("svc-blue"))
			}
			// A switch starts pods, and may wait until others are gone.
			if deadlines := traffic.Deadlines; deadlines.Reroute != DefaultRollout+DefaultDrain || deadlines.Rollback != deadlines.Reroute {
				t.Errorf("deadlines %+v", deadlines)
			}
		})
	}
}

func TestParseTellsEveryMistakeAboutWorkers(t *testing.T) {
	for _, m := range []mistake{
		{name: "order", old: "{order: newFirst}", new: "{order: newfirst}", want: []string{
			"14:22: spec.traffic.workers.order: \"newfirst\" is not known; did you mean \"newFirst\"?",
		}},
		{name: "a name", old: "{order: newFirst}", new: "{name: orders}", want: []string{
			"14:15: spec.traffic.workers.name: unknown field; known here: order",
		}},
		{name: "a part of two versions that never take at once", old: "{order: newFirst}", new: "{order: oldFirst}", want: []string{
			"15:22: spec.traffic.steps[0].weight: with workers.order oldFirst two versions never take jobs at once, and 50% is a part; leave only the step of weight 100, or write workers: {order: newFirst}",
		}},
		{name: "beside a route", old: "{order: newFirst}", new: "{order: newFirst}\n    service: {name: orders}", want: []string{
			"14:14: spec.traffic.workers: stands beside service, and a release has one production route; leave one of them, or move both: write the other under spec.traffic.also",
			"16:22: spec.traffic.steps[0].weight: a Service can't give 50% to a colour: its selector switches everything at once; leave only the step of weight 100",
		}},
		{name: "with a further route", old: "    steps:", new: "    also: [{service: {name: orders}}]\n    steps:", want: []string{
			"15:11: spec.traffic.also: stands beside workers, which are switched by their replicas and alone; make two releases of them, one for each kind of route",
			"16:22: spec.traffic.steps[0].weight: a Service can't give 50% to a colour: its selector switches everything at once, and spec.traffic.also[0].service, \"orders\", is moved with the others; leave only the step of weight 100",
		}},
		{name: "as a further route", old: "    steps:", new: "    also: [{workers: {}}]\n    steps:", want: []string{
			"15:13: spec.traffic.also[0].workers: unknown field; known here: service, httpRoute, grpcRoute, tcpRoute, tlsRoute, virtualService, traefikService, ingressRoute, routeGroup, httpProxy, skipperIngress, albIngress, nginxIngress, custom",
		}},
		{name: "two workloads", old: "[deployment/orders-worker-blue]", new: "[deployment/orders-worker-blue, deployment/mail-worker-blue]", want: []string{
			"8:18: spec.colors.blue.workloads: has 2 workloads, and with traffic.workers the replicas of one are the share of its colour; make a release for each Deployment of workers",
		}},
		{name: "a StatefulSet", old: "[deployment/orders-worker-green]", new: "[statefulset/orders-worker-green]", want: []string{
			"11:19: spec.colors.green.workloads[0]: \"statefulset/orders-worker-green\" is no Deployment, and with traffic.workers each colour is one; write workloads: [deployment/NAME]",
		}},
		{name: "recycling", old: "    steps:", new: "    drain: recycle\n    steps:", want: []string{
			"15:12: spec.traffic.drain: recycle restarts pods to which connections are open, and workers have none; write wait, which waits until the old side's pods are gone, or none",
		}},
	} {
		m.document = "workers.yaml"
		t.Run(m.name, m.run)
	}
}
