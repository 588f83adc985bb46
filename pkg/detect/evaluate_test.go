package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// only is an HTTPRoute that leads everything to one Service.
func only(name, host, path, service string) string {
	return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ` + name + `}
spec:
  hostnames: ["` + host + `"]
  rules:
  - matches: [{path: {type: PathPrefix, value: ` + path + `}}]
    backendRefs: [{name: ` + service + `, port: 80}]
`
}

func TestServiceAlone(t *testing.T) {
	tests := map[string]struct {
		change  func(service *corev1.Service)
		release *release.Release
		verdict Verdict
		says    string // in the finding's Why, or else in the message about colours
	}{
		"a Release names both colours": {release: declared(release.Traffic{}), verdict: Served, says: "it selects blue, and its selector can select green"},
		"nothing says which":           {verdict: Possible, says: "which labels tell the colours apart"},
		"of no colour":                 {release: declared(release.Traffic{}), change: func(s *corev1.Service) { s.Spec.Selector = map[string]string{"version": "red"} }, verdict: Possible, says: "of no colour"},
		"an ExternalName": {release: declared(release.Traffic{}), verdict: Impossible, says: "ExternalName for db.example.com",
			change: func(s *corev1.Service) {
				s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "db.example.com"
			}},
		"headless":    {release: declared(release.Traffic{}), change: func(s *corev1.Service) { s.Spec.ClusterIP = corev1.ClusterIPNone }, verdict: Impossible, says: "headless"},
		"no selector": {release: declared(release.Traffic{}), change: func(s *corev1.Service) { s.Spec.Selector = nil }, verdict: Impossible, says: "no selector"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			facts := aboutService(t, "svc-production", "")
			facts.Release = test.release
			if test.change != nil {
				test.change(&facts.Services[0])
			}
			report := Evaluate(facts)
			finding := found(t, report, "service/svc-production")
			said := finding.Why
			if finding.Driver != nil {
				said = finding.Colors.Message
				if want := "traffic:\n  service: {name: svc-production}\n"; finding.Driver.Traffic != want || finding.Driver.Unproven {
					t.Errorf("driver %+v", finding.Driver)
				}
			} else if finding.Hint == "" {
				t.Error("no hint")
			}
			if report.Verdict != test.verdict || !strings.Contains(said, test.says) {
				t.Errorf("%s: %s: %q", report.Verdict, report.Answer, said)
			}
		})
	}
}

// TestAnotherServiceOfTheSamePods: a second production Service stays where it
// is, and is named; a colour's own one is none.
func TestAnotherServiceOfTheSamePods(t *testing.T) {
	facts := aboutService(t, "svc-production", "")
	if notes := found(t, Evaluate(facts), "service/svc-production").Notes; len(notes) > 0 {
		t.Errorf("the colours' own Services are no second production: %v", notes)
	}
	facts.Services = append(facts.Services, service("svc-internal", "app=shop", "version=blue"))
	facts.Release = declared(release.Traffic{})
	notes := found(t, Evaluate(facts), "service/svc-production").Notes
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "service/svc-internal selects the same pods") {
		t.Errorf("notes %v", notes)
	}
	facts.Release = declared(release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}, Also: []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}})
	if one := found(t, Evaluate(facts), "service/svc-production"); len(one.Notes) > 0 || !one.Declared {
		t.Errorf("one of a set: %+v", one)
	}
}

// TestColorsOwnService: the Service of one colour is no production route.
func TestColorsOwnService(t *testing.T) {
	facts := aboutService(t, "svc-green", sharing75()["httproute"])
	if why := found(t, Evaluate(facts), "service/svc-green").Why; !strings.HasPrefix(why, "httproute/shop shares requests between it and service/svc-blue") {
		t.Errorf("without a Release: %q", why)
	}
	facts.Release, facts.Origin = declared(release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}}), "bluegreen.yaml"
	report := Evaluate(facts)
	if why := found(t, report, "service/svc-green").Why; !strings.HasPrefix(why, "it is the Service of colour green alone") {
		t.Errorf("with one: %q", why)
	}
	if route := found(t, report, "httproute/shop"); !route.Declared {
		t.Error("the Release's own route is not told as that")
	}
}

// TestOneServiceOnly: a route that leads everything to the production Service
// leaves the move to that.
func TestOneServiceOnly(t *testing.T) {
	facts := aboutService(t, "svc-production", only("shop", "shop.example.com", "/", "svc-production"))
	facts.Release = declared(release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}})
	report := Evaluate(facts)
	if want := "spec.traffic.service serves it, by service/svc-production in namespace shop"; report.Verdict != Served || report.Answer != want {
		t.Errorf("%s: %s", report.Verdict, report.Answer)
	}
	route := found(t, report, "httproute/shop")
	if route.Colors.Standing != StandNone || !strings.Contains(route.Hint, "move service svc-production by its selector") {
		t.Errorf("%+v %+v", route.Colors, route)
	}
	if by := found(t, report, "service/svc-production").By; !cmp.Equal(by, []string{"httproute/shop"}) {
		t.Errorf("what leads to it: %v", by)
	}
	facts.Release = nil
	if route := found(t, Evaluate(facts), "httproute/shop"); route.Colors.Standing != StandOne {
		t.Errorf("without a Release: %+v", route.Colors)
	}
}

func TestWithoutARelease(t *testing.T) {
	report := Evaluate(aboutService(t, "svc-blue", sharing75()["route"]))
	route := found(t, report, "route/shop")
	want := `traffic:
  custom:
    apiVersion: route.openshift.io/v1
    resource: routes
    name: shop
    weights:
      blue: [/spec/to/weight]  # service svc-blue
      green: [/spec/alternateBackends/0/weight]  # service svc-green
`
	if diff := cmp.Diff(want, route.Driver.Traffic); diff != "" {
		t.Error(diff)
	}
	if report.Verdict != Possible || route.Colors.Standing != StandUnknown || route.Colors.Message != "which of svc-blue and svc-green is which colour is for the Release to say" {
		t.Errorf("%s: %s: %+v", report.Verdict, report.Answer, route.Colors)
	}
}

// TestOneColorMissing: the driver's own words say from where.
func TestOneColorMissing(t *testing.T) {
	facts := aboutService(t, "svc-blue", strings.Replace(sharing75()["httproute"], "svc-green", "svc-other", 1))
	facts.Release = declared(release.Traffic{})
	colors := found(t, Evaluate(facts), "httproute/shop").Colors
	if colors.Standing != StandOne || !strings.Contains(colors.Message, "has no backend for green (service svc-green)") {
		t.Errorf("%+v", colors)
	}
}

func TestWeightThatIsNotWritten(t *testing.T) {
	facts := aboutService(t, "svc-blue", strings.ReplaceAll(strings.ReplaceAll(sharing75()["ingressroutetcp"], ", weight: 75", ""), ", weight: 25", ""))
	facts.Release = declared(release.Traffic{})
	proxy := found(t, Evaluate(facts), "ingressroutetcp/shop")
	want := []string{"no weight stands at /spec/routes/0/services/0/weight and /spec/routes/0/services/1/weight yet: the driver writes one only where one is"}
	if diff := cmp.Diff(want, proxy.Notes); diff != "" {
		t.Error(diff)
	}
	if proxy.Colors.Standing == StandBoth {
		t.Errorf("%+v", proxy.Colors)
	}
}

func TestTwoProductionServices(t *testing.T) {
	text := `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  hostnames: [shop.example.com]
  rules:
  - {matches: [{path: {value: /a}}], backendRefs: [{name: svc-production}]}
  - {matches: [{path: {value: /b}}], backendRefs: [{name: svc-other}]}
`
	route := found(t, Evaluate(aboutHost(t, "shop.example.com", text)), "httproute/shop")
	if route.Driver != nil || !strings.HasPrefix(route.Why, "it leads different requests to 2 production Services (svc-production, svc-other)") {
		t.Errorf("%+v", route)
	}
}

// TestTwoRoutesOfOnePair: a release moves one of them.
func TestTwoRoutesOfOnePair(t *testing.T) {
	facts := aboutService(t, "svc-blue", sharing75()["httproute"]+"\n---\n"+sharing75()["ingress"])
	report := Evaluate(facts)
	for object, other := range map[string]string{"httproute/shop": "ingress/shop", "ingress/shop": "httproute/shop"} {
		if notes := found(t, report, object).Notes; len(notes) != 1 || !strings.HasPrefix(notes[0], other+" shares requests between the same two") {
			t.Errorf("%s: %v", object, notes)
		}
	}
}

// TestDeclaredRouteFirst: of two routes that could serve the Release's own is the
// answer.
func TestDeclaredRouteFirst(t *testing.T) {
	facts := aboutService(t, "svc-blue", sharing75()["httproute"]+"\n---\n"+sharing75()["ingress"])
	facts.Release = declared(release.Traffic{SkipperIngress: &release.NamedRoute{Name: "shop"}})
	if report, want := Evaluate(facts), "spec.traffic.skipperIngress serves it, by ingress/shop in namespace shop"; report.Answer != want {
		t.Errorf("%s, want %s", report.Answer, want)
	}
}

// TestDiscoveredWithoutServices: discovery has found colours that no Service of
// their own reaches, so nothing says which backend is which.
func TestDiscoveredWithoutServices(t *testing.T) {
	facts := aboutService(t, "svc-production", strings.ReplaceAll(sharing75()["httproute"], "svc-blue", "svc-production"))
	facts.Services = services()[:1]
	facts.Release, facts.Discovered = declared(release.Traffic{}), true
	for name, color := range facts.Release.Spec.Colors {
		color.Service = ""
		facts.Release.Spec.Colors[name] = color
	}
	if colors := found(t, Evaluate(facts), "httproute/shop").Colors; colors.Standing != StandUnknown || colors.Message != "which of svc-production and svc-green is which colour is for the Release to say" {
		t.Errorf("%+v", colors)
	}
}

func TestServedInAnotherVersion(t *testing.T) {
	route := found(t, Evaluate(aboutService(t, "svc-blue", strings.Replace(sharing75()["httproute"], "/v1\n", "/v1beta1\n", 1))), "httproute/shop")
	if want := "the driver speaks gateway.networking.k8s.io/v1, and the cluster serves this object as gateway.networking.k8s.io/v1beta1"; route.Driver != nil || route.Why != want {
		t.Errorf("%+v", route)
	}
}

func TestSubsets(t *testing.T) {
	text := `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [svc-production]
  http:
  - route: [{destination: {host: svc-production, subset: v1}, weight: 100}, {destination: {host: svc-production, subset: v2}, weight: 0}]
`
	facts := aboutService(t, "svc-production", text)
	route := found(t, Evaluate(facts), "virtualservice/shop")
	want := "traffic:\n  virtualService:\n    name: shop\n    host: svc-production\n    subsets:\n      blue: v1\n      green: v2\n"
	if diff := cmp.Diff(want, route.Driver.Traffic); diff != "" {
		t.Error(diff)
	}
	if backends := route.Ways[0].Backends; backends[1].Subset != "v2" || backends[1].To != "service/svc-production" {
		t.Errorf("backends %+v", backends)
	}
	facts.Release = declared(release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "svc-production", Subsets: map[string]string{"blue": "v2", "green": "v1"}}})
	if route := found(t, Evaluate(facts), "virtualservice/shop"); route.Colors.Split != "green=100" || !route.Declared || len(route.Notes) > 0 {
		t.Errorf("the Release's own subsets: %+v %+v", route.Colors, route)
	}
}

// TestWhatTakesAServicesRequests: inside a mesh a route stands in a Service's
// place and may lead elsewhere.
func TestWhatTakesAServicesRequests(t *testing.T) {
	mesh := map[string]string{
		"virtualservice": strings.Replace(sharing75()["virtualservice"], "hosts: [shop.example.com]", "hosts: [svc-production]", 1),
		"httproute":      strings.Replace(sharing75()["httproute"], "hostnames: [shop.example.com]", "parentRefs: [{group: '', kind: Service, name: svc-production}]", 1),
		"trafficsplit":   sharing75()["trafficsplit"],
	}
	for kind, text := range mesh {
		t.Run(kind, func(t *testing.T) {
			found(t, Evaluate(aboutService(t, "svc-production", text)), kind+"/shop")
			found(t, Evaluate(aboutHost(t, "svc-production.shop.svc.cluster.local", text)), kind+"/shop")
			if report := Evaluate(aboutHost(t, "shop.example.com", text)); len(report.Findings) > 0 {
				t.Errorf("no host of the outside is meant: %+v", report.Findings)
			}
		})
	}
}

// TestThroughAnotherObject: what claims a host and what holds the weights may be
// two objects.
func TestThroughAnotherObject(t *testing.T) {
	tests := map[string]struct{ outer, inner, outerObject, innerObject string }{
		"TraefikService": {outerObject: "ingressroute/web", innerObject: "traefikservice/shop", inner: sharing75()["traefikservice"], outer: `
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec: {routes: [{match: "Host(` + "`shop.example.com`" + `)", services: [{kind: TraefikService, name: shop}]}]}
`},
		"delegate": {outerObject: "virtualservice/web", innerObject: "virtualservice/shop", inner: strings.Replace(sharing75()["virtualservice"], "  hosts: [shop.example.com]\n", "", 1), outer: `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: web, namespace: edge}
spec: {hosts: [shop.example.com], http: [{delegate: {name: shop, namespace: shop}}]}
`},
		"include": {outerObject: "httpproxy/web", innerObject: "httpproxy/shop", inner: strings.Replace(sharing75()["httpproxy"], "  virtualhost: {fqdn: shop.example.com}\n", "", 1), outer: `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: web}
spec: {virtualhost: {fqdn: shop.example.com}, includes: [{name: shop}]}
`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			facts := aboutHost(t, "shop.example.com", test.outer+"\n---\n"+test.inner)
			facts.Release = declared(release.Traffic{})
			report := Evaluate(facts)
			inner := found(t, report, test.innerObject)
			if report.Verdict != Served || !cmp.Equal(inner.By, []string{test.outerObject}) || inner.Colors.Standing != StandBoth {
				t.Errorf("%s: %s: %+v", report.Verdict, report.Answer, inner)
			}
			outer := found(t, report, test.outerObject)
			if want := "it leads on to " + test.innerObject + " and has no weights of its own"; outer.Driver != nil || outer.Why != want {
				t.Errorf("%+v", outer)
			}
			if alone := Evaluate(aboutHost(t, "shop.example.com", test.inner)); len(alone.Findings) > 0 {
				t.Errorf("it claims no host by itself: %+v", alone.Findings)
			}
		})
	}
}

// TestControllersKeepWhatTheyMove: two that move the same traffic undo each
// other.
func TestControllersKeepWhatTheyMove(t *testing.T) {
	rollout := `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec: {strategy: {canary: {stableService: svc-blue, canaryService: svc-green, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: shop}}}}}}
`
	canary := `
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec: {targetRef: {kind: Deployment, name: shop}}
`
	tests := map[string]struct{ objects, asked, object, why string }{
		"Argo's route":    {sharing75()["httproute"] + "\n---\n" + rollout, "svc-blue", "httproute/shop", "Argo Rollouts moves it already, by rollout/shop"},
		"Argo's Service":  {rollout, "svc-blue", "service/svc-blue", "Argo Rollouts moves it already"},
		"the Rollout":     {rollout, "svc-green", "rollout/shop", "Argo Rollouts moves service/svc-blue, service/svc-green, httproute/shop"},
		"Flagger's route": {sharing75()["virtualservice"] + "\n---\n" + canary, "svc-blue", "virtualservice/shop", "Flagger moves it already, by canary/shop"},
		"by its owner":    {strings.Replace(sharing75()["httproute"], "{name: shop}", "{name: shop, ownerReferences: [{apiVersion: flagger.app/v1beta1, kind: Canary, name: web}]}", 1), "svc-blue", "httproute/shop", "Flagger moves it already, by canary/web"},
		"of a blue-green": {`
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec: {strategy: {blueGreen: {activeService: svc-production, previewService: svc-preview}}}
`, "svc-production", "service/svc-production", "Argo Rollouts moves it already"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			facts := aboutService(t, test.asked, test.objects)
			facts.Release = declared(release.Traffic{})
			finding := found(t, Evaluate(facts), test.object)
			if finding.Driver != nil || !strings.HasPrefix(finding.Why, test.why) || finding.Hint == "" {
				t.Errorf("%+v", finding)
			}
		})
	}
	// A rollout of something else is not told.
	if report := Evaluate(aboutService(t, "svc-production", canary)); len(report.Findings) != 1 {
		t.Errorf("findings %v", objectsFound(report))
	}
}

// TestIngressWithoutWeights: what no annotation makes share.
func TestIngressWithoutWeights(t *testing.T) {
	rules := `spec: {rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: svc-production, port: {number: 80}}}}]}}]}`
	head := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: "
	canary := head + `{name: canary, annotations: {nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "30"}}` + "\n" + strings.Replace(rules, "svc-production", "svc-green", 1)
	tests := map[string]struct{ text, object, why, leads string }{
		"plain":                   {head + "{name: shop}\n" + rules, "ingress/shop", "an Ingress has no weights", "service/svc-production"},
		"canary of nothing":       {canary, "ingress/canary", "it is a canary of ingress-nginx, and no Ingress beside it has all its hosts and paths", "service/svc-green"},
		"canary of another path":  {canary + "\n---\n" + head + "{name: shop}\n" + strings.Replace(rules, "path: /", "path: /api", 1), "ingress/canary", "it is a canary of ingress-nginx, and no Ingress", "service/svc-green"},
		"what has a canary":       {canary + "\n---\n" + head + "{name: shop}\n" + rules, "ingress/shop", "ingress-nginx gives a part of its requests to ingress/canary", "service/svc-production"},
		"canary in other's place": {canary + "\n---\n" + head + "{name: shop, namespace: other}\n" + rules, "ingress/canary", "it is a canary of ingress-nginx, and no Ingress", "service/svc-green"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			finding := found(t, Evaluate(aboutHost(t, "shop.example.com", test.text)), test.object)
			last := finding.Ways[0].Backends[len(finding.Ways[0].Backends)-1]
			if finding.Driver != nil || !strings.HasPrefix(finding.Why, test.why) || finding.Hint == "" || last.To != test.leads {
				t.Errorf("%+v", finding)
			}
		})
	}
}

// TestCanaryIsServed: the canary holds the weight, and the Ingress beside it is
// named in what is told to write.
func TestCanaryIsServed(t *testing.T) {
	main := `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main}
spec: {rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: svc-blue, port: {number: 80}}}}]}}]}
`
	canary := strings.NewReplacer("{name: main}", `{name: shop, annotations: {nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "25"}}`, "svc-blue", "svc-green").Replace(main)
	facts := aboutService(t, "svc-green", canary+"\n---\n"+main)
	facts.Release, facts.Origin = declared(release.Traffic{}), "bluegreen.yaml"
	report := Evaluate(facts)
	finding := found(t, report, "ingress/shop")
	want := &Driver{Field: "nginxIngress", Traffic: "traffic:\n  nginxIngress: {name: shop, main: main}\n", Unproven: true}
	if diff := cmp.Diff(want, finding.Driver); diff != "" || report.Verdict != Served || finding.Colors.Split != "blue=75,green=25" {
		t.Errorf("%s: %+v\n%s", report.Answer, finding.Colors, diff)
	}
	facts.Release = nil
	if finding := found(t, Evaluate(facts), "ingress/shop"); finding.Colors.Message != "which of svc-green and svc-blue is which colour is for the Release to say" {
		t.Errorf("without a Release: %+v", finding.Colors)
	}
	readsTheSame(t, finding.Driver.Traffic, facts.Objects["ingress"][0])
}

// TestActionThatForwardsNothing: a redirect leads nowhere, whatever it is called.
func TestActionThatForwardsNothing(t *testing.T) {
	text := strings.NewReplacer(`"type": "forward"`, `"type": "redirect"`, `"forwardConfig"`, `"redirectConfig"`).Replace(sharing75()["ingress of the AWS load balancer"])
	finding := found(t, Evaluate(aboutHost(t, "shop.example.com", text)), "ingress/shop")
	if finding.Driver != nil || len(finding.Ways[0].Backends) > 0 || finding.Why != "it leads to no Service of its namespace" {
		t.Errorf("%+v", finding)
	}
}

// TestLeadsOnToAnotherKind: what holds the weights may be of a kind that nobody
// here knows.
func TestLeadsOnToAnotherKind(t *testing.T) {
	route := strings.Replace(only("shop", "shop.example.com", "/", "shop-lanes"), "{name: shop-lanes", "{group: example.com, kind: Lane, name: shop-lanes", 1)
	finding := found(t, Evaluate(aboutHost(t, "shop.example.com", route)), "httproute/shop")
	if finding.Driver != nil || !strings.HasPrefix(finding.Why, "it leads on to lane/shop-lanes, which was not found") || !strings.Contains(finding.Hint, "spec.traffic.custom moves it; the places of its numbers: kubectl get lane/shop-lanes") {
		t.Errorf("%+v", finding)
	}
}

// TestLeadsNowhere: a redirect has no backend.
func TestLeadsNowhere(t *testing.T) {
	route := strings.Replace(only("shop", "shop.example.com", "/", "x"), "    backendRefs: [{name: x, port: 80}]\n", "", 1)
	finding := found(t, Evaluate(aboutHost(t, "shop.example.com", route)), "httproute/shop")
	if finding.Driver != nil || finding.Why != "it leads to no Service of its namespace" {
		t.Errorf("%+v", finding)
	}
}

func TestNothingFound(t *testing.T) {
	for name, facts := range map[string]Facts{
		"host":    aboutHost(t, "nobody.example.com", sharing75()["httproute"]),
		"mirrors": aboutHost(t, "nobody.example.com", ""),
	} {
		report := Evaluate(facts)
		if want := "nothing that was looked at routes to nobody.example.com"; report.Verdict != Nothing || report.Answer != want || report.Findings == nil || len(report.Findings) > 0 {
			t.Errorf("%s: %+v", name, report)
		}
	}
}

// TestUnreadableObject: one object that can't be read hides no other one, and is
// told.
func TestUnreadableObject(t *testing.T) {
	broken := strings.Replace(strings.Replace(sharing75()["httproute"], "name: shop}", "name: broken}", 1), "weight: 75", "weight: heavy", 1)
	report := Evaluate(aboutHost(t, "shop.example.com", broken+"\n---\n"+sharing75()["httproute"]))
	found(t, report, "httproute/shop")
	if len(report.Unlisted) != 1 || report.Unlisted[0].Resource != "httproute/broken" || !strings.Contains(report.Unlisted[0].Why, "heavy is not a number") {
		t.Errorf("%+v", report.Unlisted)
	}
}

func TestMissingService(t *testing.T) {
	facts := aboutHost(t, "shop.example.com", only("shop", "shop.example.com", "/", "gone"))
	facts.Missing = []string{"shop/gone"}
	if notes := found(t, Evaluate(facts), "httproute/shop").Notes; !cmp.Equal(notes, []string{"service/gone, to which it leads, does not exist in namespace shop"}) {
		t.Errorf("%v", notes)
	}
}
