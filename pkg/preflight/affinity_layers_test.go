package preflight

import (
	"errors"
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
	for _, test := range []struct {
		service     string
		annotations map[string]string
		want        string
	}{
		{"svc-production", map[string]string{nginx: "cookie"}, nginx + "=cookie"},
		{"svc-green", map[string]string{nginx: "cookie"}, nginx + "=cookie"},
		{"svc-others", map[string]string{nginx: "cookie"}, ""},
		{"svc-production", map[string]string{"nginx.ingress.kubernetes.io/session-cookie-name": "x"}, ""},
		{"svc-production", map[string]string{"nginx.org/lb-method": "least_conn"}, ""},
		{"svc-production", map[string]string{"nginx.org/lb-method": "ip_hash"}, "nginx.org/lb-method with hash"},
		{"svc-production", map[string]string{"haproxy.org/cookie-persistence": "shop"}, "haproxy.org/cookie-persistence=shop"},
		{"svc-production", map[string]string{"traefik.ingress.kubernetes.io/affinity": "false"}, ""},
		{"svc-production", map[string]string{alb + "target-group-attributes": "stickiness.enabled=true,stickiness.type=lb_cookie"}, alb + "target-group-attributes with stickiness.enabled=true"},
		{"weighted", map[string]string{alb + "actions.weighted": strings.ReplaceAll(forward, "%", "true")}, alb + "actions.weighted with targetGroupStickinessConfig"},
		{"weighted", map[string]string{alb + "actions.weighted": strings.ReplaceAll(forward, "%", "false")}, ""},
	} {
		got := ""
		for _, tie := range ingressTies(ingressTo("shop", test.service, test.annotations), []string{"svc-production", "svc-blue", "svc-green"}) {
			got += tie.By
		}
		if got != test.want {
			t.Errorf("%s by %v: %q, want %q", test.service, test.annotations, got, test.want)
		}
	}
}

func TestMeshAndProxyTies(t *testing.T) {
	services, hosts := []string{"svc-production"}, []string{"svc-production.shop"}
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
		{"Google", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: GENERATED_COOKIE}}"), []string{"shop"}), "spec.sessionAffinity.affinityType=GENERATED_COOKIE"},
		{"Google, off", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: NONE}}"), []string{"shop"}), ""},
		{"Google, not named", backendConfigTies(object(t, "metadata: {name: shop}\nspec: {sessionAffinity: {affinityType: CLIENT_IP}}"), []string{"other"}), ""},
	} {
		got := ""
		for _, tie := range test.ties {
			got += tie.By
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

// Kinds are listed only where the cluster serves them, and what may not be listed
// warns; what can't be is not known, which blocks.
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
		{"a mesh that may not be seen", true, forbidden, map[string]string{"destinationrules": "warn"}},
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
	facts.Layers = nil
	if report := Evaluate(facts, Catalogue(), StageDeploy); !cmp.Equal(report.Blocking, []string{"BG-NET-01"}) {
		t.Errorf("what was not looked at does not block: %v", report.Blocking)
	}
}
