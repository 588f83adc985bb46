package preflight

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func ingressTo(name, service string, annotations map[string]string) *networkingv1.Ingress {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service}}
	return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: annotations},
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Backend: backend}}}}}}}}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	found := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &found.Object); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestIngressTies(t *testing.T) {
	const nginx, alb = "nginx.ingress.kubernetes.io/affinity", "alb.ingress.kubernetes.io/"
	forward := `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"svc-blue","weight":1}],"targetGroupStickinessConfig":{"enabled":%,"durationSeconds":60}}}`
	both := strings.Replace(forward, `"weight":1}`, `"weight":1},{"serviceName":"svc-green","weight":1}`, 1)
	for _, test := range []struct {
		service     string
		annotations map[string]string
		want        string
	}{
		{"svc-production", map[string]string{nginx: "cookie"}, nginx + "=cookie"},
		{"svc-green", map[string]string{nginx: "cookie"}, "alone " + nginx + "=cookie"},
		{"weighted", map[string]string{alb + "actions.weighted": strings.ReplaceAll(both, "%", "true")}, alb + "actions.weighted with targetGroupStickinessConfig"},
		{"svc-others", map[string]string{nginx: "cookie"}, ""},
		{"svc-production", map[string]string{"nginx.ingress.kubernetes.io/session-cookie-name": "x"}, ""},
		{"svc-production", map[string]string{"nginx.org/lb-method": "least_conn"}, ""},
		{"svc-production", map[string]string{"nginx.org/lb-method": "ip_hash"}, "nginx.org/lb-method with hash"},
		{"svc-production", map[string]string{"haproxy.org/cookie-persistence": "shop"}, "haproxy.org/cookie-persistence=shop"},
		{"svc-production", map[string]string{"traefik.ingress.kubernetes.io/affinity": "false"}, ""},
		{"svc-production", map[string]string{alb + "target-group-attributes": "stickiness.enabled=true,stickiness.type=lb_cookie"}, alb + "target-group-attributes with stickiness.enabled=true"},
		{"weighted", map[string]string{alb + "actions.weighted": strings.ReplaceAll(forward, "%", "true")}, "alone " + alb + "actions.weighted with targetGroupStickinessConfig"},
		{"weighted", map[string]string{alb + "actions.weighted": strings.ReplaceAll(forward, "%", "false")}, ""},
	} {
		got := ""
		for _, tie := range ingressTies(ingressTo("shop", test.service, test.annotations), destinations{[]string{"svc-production"}, []string{"svc-blue", "svc-green"}}) {
			got += told(tie)
		}
		if got != test.want {
			t.Errorf("%s by %v: %q, want %q", test.service, test.annotations, got, test.want)
		}
	}
}

// told is by what something ties, and whether it leads to one colour alone.
func told(tie Tie) string {
	if tie.Alone {
		return "alone " + tie.By
	}
	return tie.By
}

func TestMeshAndProxyTies(t *testing.T) {
	services := destinations{[]string{"svc-production"}, []string{"svc-blue", "svc-green"}}
	hosts := destinations{[]string{"svc-production.shop"}, []string{"svc-blue.shop", "svc-green.shop"}}
	rule := func(host, spec string) string {
		return "metadata: {name: shop, namespace: shop}\nspec: {host: \"" + host + "\", " + spec + "}"
	}
	hash := "trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: x, ttl: 0s}}}}"
	for _, test := range []struct {
		name string
		ties []Tie
		want string
	}{
		{"a cookie", destinationRuleTies(object(t, rule("svc-production", hash)), hosts), "spec.trafficPolicy.loadBalancer.consistentHash (httpCookie)"},
		{"a colour's own host", destinationRuleTies(object(t, rule("svc-green", hash)), hosts), "alone spec.trafficPolicy.loadBalancer.consistentHash (httpCookie)"},
		{"Contour, one colour", httpProxyTies(object(t, "metadata: {name: shop}\nspec: {routes: [{loadBalancerPolicy: {strategy: Cookie}, services: [{name: svc-green}]}]}"), services), "alone spec.routes[0].loadBalancerPolicy.strategy=Cookie"},
		{"Contour, both colours", httpProxyTies(object(t, "metadata: {name: shop}\nspec: {routes: [{loadBalancerPolicy: {strategy: Cookie}, services: [{name: svc-blue}, {name: svc-green}]}]}"), services), "spec.routes[0].loadBalancerPolicy.strategy=Cookie"},
		{"in full", destinationRuleTies(object(t, rule("svc-production.shop.svc.cluster.local", hash)), hosts), "spec.trafficPolicy.loadBalancer.consistentHash (httpCookie)"},
		{"every host", destinationRuleTies(object(t, rule("*.shop.svc.cluster.local", hash)), hosts), "spec.trafficPolicy.loadBalancer.consistentHash (httpCookie)"},
		{"every host of another namespace", destinationRuleTies(object(t, rule("*.other.svc.cluster.local", hash)), hosts), ""},
		{"another host", destinationRuleTies(object(t, rule("svc-production.other.svc.cluster.local", hash)), hosts), ""},
		{"a port and a subset", destinationRuleTies(object(t, rule("svc-production",
			"trafficPolicy: {portLevelSettings: [{loadBalancer: {simple: RANDOM}}, {loadBalancer: {consistentHash: {useSourceIp: true}}}]}, subsets: [{name: v1, "+hash+"}]")), hosts),
			"spec.trafficPolicy.portLevelSettings[1].loadBalancer.consistentHash (useSourceIp), spec.subsets[0].trafficPolicy.loadBalancer.consistentHash (httpCookie)"},
		{"none", destinationRuleTies(object(t, rule("svc-production", "trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}")), hosts), ""},
		{"Contour", httpProxyTies(object(t, "metadata: {name: shop}\nspec: {routes: [{services: [{name: svc-production}]}, {loadBalancerPolicy: {strategy: Cookie}, services: [{name: svc-production}]}]}"), services),
			"spec.routes[1].loadBalancerPolicy.strategy=Cookie"},
		{"Contour, others", httpProxyTies(object(t, "metadata: {name: shop}\nspec: {routes: [{loadBalancerPolicy: {strategy: Cookie}, services: [{name: others}]}]}"), services), ""},
		{"Gateway API", gatewayRouteTies(object(t, "kind: HTTPRoute\nmetadata: {name: shop, namespace: shop}\nspec: {rules: [{backendRefs: [{name: svc-production}]}, {sessionPersistence: {sessionName: cart}, backendRefs: [{name: svc-production}]}]}"), services),
			"spec.rules[1].sessionPersistence"},
		{"Gateway API, one colour", gatewayRouteTies(object(t, "kind: HTTPRoute\nmetadata: {name: shop, namespace: shop}\nspec: {rules: [{sessionPersistence: {}, backendRefs: [{name: svc-green}]}]}"), services), "alone spec.rules[0].sessionPersistence"},
		{"Gateway API, another namespace", gatewayRouteTies(object(t, "kind: GRPCRoute\nmetadata: {name: shop, namespace: shop}\nspec: {rules: [{sessionPersistence: {}, backendRefs: [{name: svc-production, namespace: other}]}]}"), services), ""},
		{"Gateway API, others", gatewayRouteTies(object(t, "kind: GRPCRoute\nmetadata: {name: shop, namespace: shop}\nspec: {rules: [{sessionPersistence: {}, backendRefs: [{name: others}]}]}"), services), ""},
		{"Google", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: GENERATED_COOKIE}}"), false), "spec.sessionAffinity.affinityType=GENERATED_COOKIE"},
		{"Google, off", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: NONE}}"), false), ""},
		{"Google, of a colour", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: CLIENT_IP}}"), true), "alone spec.sessionAffinity.affinityType=CLIENT_IP"},
	} {
		got := ""
		for _, tie := range test.ties {
			got += told(tie)
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		"cloud.google.com/backend-config": `{"default":"one","ports":{"http":"two"}}`, "beta.cloud.google.com/backend-config": `not JSON`}}}
	if diff := cmp.Diff([]string{"two", "one"}, backendConfigsOf(service)); diff != "" {
		t.Error(diff)
	}
}

// Kinds are listed only where the cluster serves them. What may not be listed is not
// known, which blocks under require: production; what can't be blocks always.
func TestLayersOfACluster(t *testing.T) {
	rules := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: layerDestinationRules}
	forbidden := apierrors.NewForbidden(rules.GroupResource(), "", errors.New("no"))
	for _, test := range []struct {
		name    string
		served  bool
		failure error
		want    map[string]string
	}{
		{"no mesh", false, forbidden, map[string]string{"ingress/sticky": "fail", "destinationrules": ""}},
		{"a mesh", true, nil, map[string]string{"ingress/sticky": "fail", "destinationrule/shop": "fail"}},
		{"a mesh that may not be seen", true, forbidden, map[string]string{"destinationrules": "unknown"}},
		{"a mesh that does not answer", true, apierrors.NewInternalError(errors.New("down")), map[string]string{"destinationrules": "unknown"}},
	} {
		in := inputs(t, "", "3", func(client *fake.Clientset) {
			for _, ingress := range []*networkingv1.Ingress{
				ingressTo("sticky", "svc-production", map[string]string{"nginx.ingress.kubernetes.io/affinity": "cookie"}), ingressTo("plain", "svc-production", nil)} {
				if err := client.Tracker().Add(ingress); err != nil {
					t.Fatal(err)
				}
			}
			if test.served {
				client.Resources = append(client.Resources, &metav1.APIResourceList{GroupVersion: rules.GroupVersion().String(), APIResources: []metav1.APIResource{{Name: rules.Resource}}})
			}
		})
		mesh := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{rules: "DestinationRuleList"})
		rule := object(t, "apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\nmetadata: {name: shop, namespace: shop}\nspec: {host: svc-production, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}}")
		if err := mesh.Tracker().Create(rules, rule, "shop"); err != nil {
			t.Fatal(err)
		}
		lists := 0
		mesh.PrependReactor("list", "*", func(kubetesting.Action) (bool, runtime.Object, error) {
			lists++
			return test.failure != nil, nil, test.failure
		})
		in.Client.Dynamic = mesh
		facts := Collect(t.Context(), in)
		got := map[string]string{}
		for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-NET-01") {
			got[finding.Subject] = string(finding.Outcome)
		}
		for subject, want := range test.want {
			if got[subject] != want {
				t.Errorf("%s: %s is %q, want %q", test.name, subject, got[subject], want)
			}
		}
		if (lists > 0) != test.served {
			t.Errorf("%s: %d lists of rules", test.name, lists)
		}
		rights, err := Rights(Inputs{Client: in.Client, Release: in.Release, Live: mustLive(t, in)})
		if err != nil {
			t.Fatal(err)
		}
		asked := false
		for _, right := range rights {
			asked = asked || right.Resource == layerDestinationRules
		}
		if asked != test.served {
			t.Errorf("%s: the right to list %s is asked for: %t", test.name, layerDestinationRules, asked)
		}
		assertReplayed(t, facts)
	}
}

// TestTheRouteItselfTiesClients: by the same annotations and fields as what stands
// beside it, and that is told once.
func TestTheRouteItselfTiesClients(t *testing.T) {
	const annotations, services = "  annotations:\n    ", "    services:\n"
	for name, test := range map[string]struct {
		kind         routertest.Kind
		change, with string
		says         string
	}{
		"nginx":           {routertest.NginxIngress(), "", "", ""},
		"nginx, hashed":   {routertest.NginxIngress(), annotations, annotations + "nginx.ingress.kubernetes.io/upstream-hash-by: $remote_addr\n    ", "upstream-hash-by=$remote_addr"},
		"Skipper":         {routertest.SkipperIngress(), "", "", ""},
		"Skipper, sticky": {routertest.SkipperIngress(), "annotations: {", "annotations: {haproxy.org/cookie-persistence: shop, ", "haproxy.org/cookie-persistence=shop"},
		"AWS":             {routertest.ALBIngress(), "", "", ""},
		"AWS, sticky":     {routertest.ALBIngress(), annotations, annotations + "alb.ingress.kubernetes.io/target-group-attributes: stickiness.enabled=true\n    ", "target-group-attributes with stickiness.enabled=true"},
		"Contour":         {routertest.HTTPProxy(), "", "", ""},
		"Contour, hashed": {routertest.HTTPProxy(), services, "    loadBalancerPolicy: {strategy: RequestHash}\n" + services, "RequestHash (spec.routes[0].loadBalancerPolicy)"},
	} {
		t.Run(name, func(t *testing.T) {
			in := behind(t, test.kind, strings.Replace(test.kind.Fresh, test.change, test.with, 1))
			var failed []string
			for _, finding := range findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-NET-01") {
				if finding.Outcome != Pass {
					failed = append(failed, finding.Subject+": "+finding.Cause)
				}
			}
			if want := min(len(test.says), 1); len(failed) != want || want == 1 && !strings.Contains(failed[0], test.says) {
				t.Errorf("%q, want %q", failed, test.says)
			}
		})
	}
}

// behind are the inputs of a release whose route is of a kind.
func behind(t *testing.T, kind routertest.Kind, route string) Inputs {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, text := range append(kind.Beside, route) {
		objects = append(objects, routertest.Object(t, text))
	}
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		client.Resources = append(client.Resources, &metav1.APIResourceList{
			GroupVersion: kind.Resource.GroupVersion().String(), APIResources: []metav1.APIResource{{Name: kind.Resource.Resource}}})
		if kind.Resource.Resource != layerIngresses {
			return
		}
		for _, object := range objects {
			ingress := &networkingv1.Ingress{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, ingress); err != nil {
				t.Fatal(err)
			}
			if err := client.Tracker().Add(ingress); err != nil {
				t.Fatal(err)
			}
		}
	})
	clustertest.Dynamic(in.Client, objects...)
	in.Release.Spec.Traffic.Service = nil
	kind.Declare(&in.Release.Spec.Traffic)
	return in
}

func mustLive(t *testing.T, in Inputs) Live {
	t.Helper()
	live, err := ReadLive(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func TestLayersAreJudged(t *testing.T) {
	facts := healthy()
	if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-NET-01")[1]; finding.Outcome != Pass || !strings.Contains(finding.Cause, "of the ingresses of namespace shop none ties clients") {
		t.Errorf("%+v", finding)
	}
	facts.Layers[layerHTTPProxies] = unreadLayer(apierrors.NewForbidden(schema.GroupResource{Resource: layerHTTPProxies}, "", errors.New("no")))
	if report := Evaluate(facts, Catalogue(), StageDeploy); len(report.Blocking) > 0 {
		t.Errorf("what may not be listed blocks: %v", report.Blocking)
	}
	facts.Release.Spec.Require = release.RequireProduction
	if report := Evaluate(facts, Catalogue(), StageDeploy); !slices.Contains(report.Blocking, "BG-NET-01") {
		t.Errorf("under require: production what may not be listed does not block: %v", report.Blocking)
	}
	facts.Release.Spec.Require = release.RequireStarter
	facts.Layers[layerHTTPProxies] = Layer{Ties: known([]Tie{{Object: "httpproxy/preview", By: "x", Alone: true}})}
	if report := Evaluate(facts, Catalogue(), StageDeploy); len(report.Blocking) > 0 {
		t.Errorf("a preview blocks: %v", report.Blocking)
	}
	facts.Layers = nil
	if report := Evaluate(facts, Catalogue(), StageDeploy); !cmp.Equal(report.Blocking, []string{"BG-NET-01"}) {
		t.Errorf("what was not looked at does not block: %v", report.Blocking)
	}
}

// Lists come in pages, and of BackendConfigs those are read that a Service names.
func TestLayersInPagesAndByName(t *testing.T) {
	configs := schema.GroupVersionResource{Group: "cloud.google.com", Version: "v1", Resource: layerBackendConfigs}
	rules := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: layerDestinationRules}
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{configs: "BackendConfigList", rules: "DestinationRuleList"})
	for _, name := range []string{"named", "preview", "stranger"} {
		config := object(t, "apiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata: {name: "+name+", namespace: shop}\nspec: {sessionAffinity: {affinityType: CLIENT_IP}}")
		if err := client.Tracker().Create(configs, config, "shop"); err != nil {
			t.Fatal(err)
		}
	}
	pages := 0
	client.PrependReactor("list", rules.Resource, func(kubetesting.Action) (bool, runtime.Object, error) {
		pages++
		page := &unstructured.UnstructuredList{Items: []unstructured.Unstructured{*object(t, "apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\nmetadata: {name: shop, namespace: shop}")}}
		page.SetAPIVersion("networking.istio.io/v1beta1")
		page.SetKind("DestinationRuleList")
		if pages < 3 {
			page.SetContinue("more")
		}
		return true, page, nil
	})
	in := inputs(t, "", "3", nil)
	in.Client.Dynamic = client
	ties, err := namedTies(t.Context(), in, configs, destinations{production: []string{"named", "missing"}, colors: []string{"named", "preview"}})
	const by = "spec.sessionAffinity.affinityType=CLIENT_IP"
	if diff := cmp.Diff([]Tie{{Object: "backendconfig/named", By: by}, {Object: "backendconfig/preview", By: by, Alone: true}}, ties); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	ties, err = listedTies(t.Context(), in, rules, func(object *unstructured.Unstructured) []Tie { return []Tie{{Object: object.GetName()}} })
	if len(ties) != 3 || err != nil {
		t.Errorf("%d of the objects on 3 pages, %v", len(ties), err)
	}
}

// A rollback is judged by none of what is read for a shift, so nothing of it is.
func TestRollbackReadsNoSettings(t *testing.T) {
	in := inputs(t, "", "3", nil)
	in.Stage = StageRollback
	if facts := Collect(t.Context(), in); facts.Settings != nil || facts.Layers != nil || facts.Jobs.Known {
		t.Errorf("settings %v, layers %v, jobs %+v", facts.Settings, facts.Layers, facts.Jobs)
	}
}
