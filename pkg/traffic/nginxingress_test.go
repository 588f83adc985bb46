package traffic_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

const (
	nginxPath  = `{path: /, pathType: Prefix, backend: {service: {name: svc-green, port: {number: 80}}}}`
	nginxTotal = `    nginx.ingress.kubernetes.io/canary-weight-total: "1"` + "\n"
)

// TestNginxIngressReadsTheCanary: what its annotations say, and what they can't.
func TestNginxIngressReadsTheCanary(t *testing.T) {
	for name, c := range map[string]struct{ change, with, says, split string }{
		"no total is a hundred":   {`canary-weight: "0"` + "\n" + nginxTotal, `canary-weight: "30"` + "\n", "", "blue=70,green=30"},
		"no weight is nothing":    {`    nginx.ingress.kubernetes.io/canary-weight: "0"` + "\n", "", "", "blue=100"},
		"a total of its own":      {`canary-weight: "0"` + "\n" + nginxTotal, `canary-weight: "1"` + "\n" + strings.Replace(nginxTotal, `"1"`, `"4"`, 1), "", "blue=75,green=25"},
		"no canary":               {`canary: "true"`, `canary: "false"`, `it is no canary: annotation nginx.ingress.kubernetes.io/canary is not true`, ""},
		"true in another word":    {`canary: "true"`, `canary: "1"`, "", "blue=100"},
		"a weight above it":       {`canary-weight: "0"`, `canary-weight: "2"`, "read annotation nginx.ingress.kubernetes.io/canary-weight: 2 is above the total, 1", ""},
		"a weight that is a word": {`canary-weight: "0"`, `canary-weight: "few"`, `read annotation nginx.ingress.kubernetes.io/canary-weight: "few" is not a whole number`, ""},
		"one weight for two":      {nginxPath, nginxPath + ", " + strings.NewReplacer("path: /", "path: /pay", "svc-green", "svc-pay").Replace(nginxPath), "it leads to service svc-green and to service svc-pay, and its one weight would move both", ""},
		"nobody's Service":        {"svc-green", "svc-other", "no part of it leads to service svc-blue and to service svc-green", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(routertest.NginxIngress().Fresh, c.change, c.with, 1)
			if text == routertest.NginxIngress().Fresh {
				t.Fatalf("%q is not there", c.change)
			}
			wantSplitOf(t, routertest.NginxIngress(), text, c.split, c.says)
		})
	}
}

// TestNginxIngressHoldsTheMainOneAgainstIt: where the main Ingress does not lead
// to the other colour, the weight moves nothing between the two.
func TestNginxIngressHoldsTheMainOneAgainstIt(t *testing.T) {
	blue := strings.Replace(nginxPath, "svc-green", "svc-blue", 1)
	for name, c := range map[string]struct{ change, with, says string }{
		"the same colour":               {"svc-blue", "svc-green", "its path shop.example/ leads to service svc-green and that of the canary to service svc-green, which are not both colours"},
		"nobody's Service":              {"svc-blue", "svc-other", "which are not both colours"},
		"another host":                  {"host: shop.example", "host: example.com", `it has no path shop.example/ of type "Prefix", so the canary takes nothing there`},
		"another type of path":          {"pathType: Prefix", "pathType: Exact", `it has no path shop.example/ of type "Prefix"`},
		"a canary too":                  {"team: a", `nginx.ingress.kubernetes.io/canary: "true"`, "it is a canary itself"},
		"a path that the canary lacks":  {blue, blue + ", " + strings.Replace(blue, "path: /", "path: /old", 1), "its path shop.example/old leads to service svc-blue, and the canary has no such path, so its requests would never move"},
		"a default that leads to blue":  {"  rules:\n", "  defaultBackend: {service: {name: svc-blue, port: {number: 80}}}\n  rules:\n", "its spec.defaultBackend leads to service svc-blue"},
		"a path of somebody else's":     {blue, blue + ", " + strings.NewReplacer("path: /", "path: /pay", "svc-blue", "svc-pay").Replace(blue), ""},
		"an annotation that ties users": {"team: a", "nginx.ingress.kubernetes.io/affinity: cookie", ""},
	} {
		t.Run(name, func(t *testing.T) {
			kind := routertest.NginxIngress()
			changed := strings.Replace(kind.Beside[0], c.change, c.with, 1)
			if changed == kind.Beside[0] {
				t.Fatalf("%q is not there", c.change)
			}
			kind.Beside[0] = changed
			shop := openWeighted(t, kind, kind.Fresh)
			route, err := shop.router.Read(t.Context())
			if c.says == "" {
				if tied := strings.Contains(changed, "affinity"); err != nil || tied != (route.Affinity == "nginx.ingress.kubernetes.io/affinity=cookie") {
					t.Errorf("affinity %q, %v", route.Affinity, err)
				}
				return
			}
			if !errors.Is(err, traffic.ErrNoColor) || !strings.Contains(err.Error(), "read ingress/shop-main in shop, to which ingress/shop belongs: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("err = %v, want %q", err, c.says)
			}
			if proof, err := shop.router.Prove(t.Context(), traffic.Whole("blue")); err == nil {
				t.Errorf("proof %+v", proof)
			}
		})
	}
}

// TestNginxIngressAlone: a canary of nothing takes no requests.
func TestNginxIngressAlone(t *testing.T) {
	shop := openWeighted(t, routertest.NginxIngress(), routertest.NginxIngress().Fresh)
	if err := shop.client.Dynamic.Resource(shop.Resource).Namespace("shop").Delete(t.Context(), "shop-main", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if route, err := shop.router.Read(t.Context()); !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "ingress/shop-main") {
		t.Errorf("route %+v, err = %v", route, err)
	}
}

// TestNginxIngressPlanLiterally: the total is written where one stands, for the
// plain line may be typed when it is another one.
func TestNginxIngressPlanLiterally(t *testing.T) {
	usual := strings.Replace(routertest.NginxIngress().Fresh, nginxTotal, "", 1)
	const weight, total = `{"op":"add","path":"/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight","value":"`, `{"op":"add","path":"/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight-total","value":"`
	for text, want := range map[string][2]string{
		usual:                           {weight + `50"},`, "[" + weight + `100"}]`},
		routertest.NginxIngress().Fresh: {weight + `1"},` + total + `2"},`, "[" + weight + `1"},` + total + `1"}]`},
	} {
		shop := openWeighted(t, routertest.NginxIngress(), text)
		route := mustRead(t, shop.router)
		patch, err := shop.router.Plan(route, traffic.Between("green", "blue", 50), cluster.Fence{Epoch: 1, Holder: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(patch.Body), want[0]) || strings.Contains(string(patch.Body), "total") != (text != usual) {
			t.Errorf("%s lacks %s", patch.Body, want[0])
		}
		if diff := cmp.Diff("kubectl -n shop patch ingresses.networking.k8s.io shop --type json -p '"+want[1]+"'", shop.router.Undo(route, "green")); diff != "" {
			t.Error(diff)
		}
	}
}
