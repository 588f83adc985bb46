package traffic_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestALBIngressReadsActions: what shares, what does not, and what can't be
// read.
func TestALBIngressReadsActions(t *testing.T) {
	const path = `{path: /, pathType: Prefix, backend: {service: {name: split, port: {name: use-annotation}}}}`
	const spec = "spec:\n  ingressClassName: alb\n"
	direct := strings.NewReplacer("path: /", "path: /old", "name: split", "name: svc-blue", "name: use-annotation", "number: 80").Replace(path)
	for name, c := range map[string]struct{ change, with, says, split string }{
		"fields in another case":                 {"targetGroups", "TargetGroups", "", "blue=100"},
		"a path leads to blue alone, for good":   {path, path + ", " + direct, "path shop.example/old has no backend for green", ""},
		"the default leads to blue, for good":    {spec, spec + "  defaultBackend: {service: {name: svc-blue, port: {number: 80}}}\n", "spec.defaultBackend has no backend for green", ""},
		"a header leads to blue alone":           {path + "]}\n", path + ", " + direct + "]}\n", "", "blue=100"},
		"two paths lead to one action":           {path, path + ", " + strings.Replace(path, "path: /", "path: /api", 1), "", "blue=100"},
		"an action that nobody leads to":         {"name: split", "name: other", "read annotation alb.ingress.kubernetes.io/actions.other: ", ""},
		"a group without a weight beside others": {`, "weight": 0`, "", "read annotation alb.ingress.kubernetes.io/actions.split: target group 1 has no weight", ""},
		"a weight of a half":                     {`"weight": 0`, `"weight": 0.5`, "the weight of target group 1 is 0.5, expected a whole number", ""},
		"a weight below nothing":                 {`"weight": 0`, `"weight": -1`, "the weight of target group 1 is -1", ""},
		"an action that is no JSON":              {`{"type"`, `["type"`, "read annotation alb.ingress.kubernetes.io/actions.split: ", ""},
		"an action that forwards nothing":        {`"forwardConfig"`, `"redirectConfig"`, "no part of it leads to service svc-blue and to service svc-green", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(routertest.ALBIngress().Fresh, c.change, c.with, 1)
			if text == routertest.ALBIngress().Fresh {
				t.Fatalf("%q is not there", c.change)
			}
			if name == "a header leads to blue alone" {
				text = strings.Replace(text, "  annotations:\n", `  annotations:
    alb.ingress.kubernetes.io/conditions.svc-blue: '[{"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "x-color", "values": ["blue"]}}]'
`, 1)
			}
			wantSplitOf(t, routertest.ALBIngress(), text, c.split, c.says)
		})
	}
}

// TestALBIngressKeepsTheRest: an action is one text, and of that only weights
// are others afterwards.
func TestALBIngressKeepsTheRest(t *testing.T) {
	const before = `{"type":"forward","forwardConfig":{"targetGroups":[{"ServiceName":"svc-blue","ServicePort":"80","Weight":1},` +
		`{"serviceName":"svc-green","servicePort":80,"weight":0},{"targetGroupARN":"arn:aws:x?a&b","weight":10}],"targetGroupStickinessConfig":{"durationSeconds":12345678901234567890,"enabled":true}}}`
	const after = `{"forwardConfig":{"targetGroupStickinessConfig":{"durationSeconds":12345678901234567890,"enabled":true},"targetGroups":[` +
		`{"ServiceName":"svc-blue","ServicePort":"80","Weight":0},{"serviceName":"svc-green","servicePort":80,"weight":1},{"targetGroupARN":"arn:aws:x?a&b","weight":10}]},"type":"forward"}`
	fresh := routertest.Object(t, routertest.ALBIngress().Fresh)
	fresh.SetAnnotations(map[string]string{"alb.ingress.kubernetes.io/actions.split": before})
	text, err := fresh.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	shop := openWeighted(t, routertest.ALBIngress(), string(text))
	route := mustRead(t, shop.router)
	if route.Affinity != "cookie (targetGroupStickinessConfig of action split)" {
		t.Errorf("affinity %q", route.Affinity)
	}
	patch, err := shop.router.Plan(route, traffic.Whole("green"), cluster.Fence{Epoch: 1, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	written, err := shop.router.Write(t.Context(), patch, false)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := written.Live.(*unstructured.Unstructured)
	if diff := cmp.Diff(after, object.GetAnnotations()["alb.ingress.kubernetes.io/actions.split"]); diff != "" {
		t.Error(diff)
	}
}

// TestALBIngressRefusesWeightsThatNoLoadBalancerTakes: 999 of 1000 parts would
// have to be multiplied.
func TestALBIngressRefusesWeightsThatNoLoadBalancerTakes(t *testing.T) {
	heavy := strings.Replace(routertest.ALBIngress().Fresh, `"weight": 1}`, `"weight": 11}`, 1)
	shop := openWeighted(t, routertest.ALBIngress(), heavy)
	_, err := shop.router.Plan(mustRead(t, shop.router), traffic.Between("green", "blue", 1), cluster.Fence{Epoch: 1, Holder: "ann"})
	if err == nil || !strings.Contains(err.Error(), "the weight of target group 0 of action split would be 1089, and a load balancer takes 999 at most") {
		t.Errorf("err = %v", err)
	}
}

// TestALBIngressOwners: who else writes the action, and not who writes other
// annotations.
func TestALBIngressOwners(t *testing.T) {
	object := routertest.Object(t, routertest.ALBIngress().Fresh)
	field := func(manager, annotation string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{"f:` + annotation + `":{}}}}`)}
	}
	object.SetManagedFields([]metav1.ManagedFieldsEntry{field("argocd", "alb.ingress.kubernetes.io/actions.split"), field("helm", "team")})
	text, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"metadata.annotations.alb.ingress.kubernetes.io/actions.split": {"argocd"}}
	if diff := cmp.Diff(want, mustRead(t, openWeighted(t, routertest.ALBIngress(), string(text)).router).Owners); diff != "" {
		t.Error(diff)
	}
}

// TestALBIngressUndoIsALineForAShell: whatever stands in an action, a shell takes the
// patch as one word.
func TestALBIngressUndoIsALineForAShell(t *testing.T) {
	fresh := routertest.Object(t, routertest.ALBIngress().Fresh)
	fresh.SetAnnotations(map[string]string{"alb.ingress.kubernetes.io/actions.split": `{"type":"forward","note":"the shop's; $(exit 1) \\ 'x'","forwardConfig":{"targetGroups":[` +
		`{"serviceName":"svc-blue","servicePort":80,"weight":1},{"serviceName":"svc-green","servicePort":80,"weight":0}]}}`})
	text, err := fresh.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	router := openWeighted(t, routertest.ALBIngress(), string(text)).router
	line := router.Undo(mustRead(t, router), "green")
	_, patch, found := strings.Cut(line, " -p ")
	if !found {
		t.Fatalf("line %q", line)
	}
	word, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\n' "+patch).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(word) || !strings.Contains(string(word), "the shop's; ") {
		t.Errorf("a shell reads %s", word)
	}
}
