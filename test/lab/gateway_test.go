package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// routes are the kinds of route that have weights, by the host that each
// serves. Blue's weight comes first.
func routes() map[string]string {
	return map[string]string{"traefik.gateway": `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: public, namespace: gateway}]
  hostnames: [traefik.gateway]
  rules:
  - backendRefs:
    - {name: blue, port: 80, weight: %d}
    - {name: green, port: 80, weight: %d}
`, "traefikservice.example": `
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: web, namespace: shop}
spec:
  weighted:
    services:
    - {name: blue, port: 80, weight: %d}
    - {name: green, port: 80, weight: %d}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web, namespace: shop}
spec:
  entryPoints: [web]
  routes:
  - {kind: Rule, match: "Host(` + "`traefikservice.example`" + `)", services: [{name: web, kind: TraefikService}]}
`}
}

// ingressManifest is a route without weights.
const ingressManifest = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: traefik
  rules:
  - host: ingress.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: green, port: {number: 80}}}}]}
`

// TestGateway sees that the gateway follows the weights of each kind of route,
// while nobody restarts it.
func TestGateway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	lab := start(ctx, t, Options{Name: fmt.Sprintf("gateway-%d", os.Getpid()), With: []Addon{Gateway}, Owned: true})
	deployColours(ctx, t, lab)
	address, err := lab.GatewayAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for host, route := range routes() {
		for _, blue := range []int{100, 50, 0} {
			apply(ctx, t, lab, fmt.Sprintf(route, blue, 100-blue))
			eventually(ctx, t, fmt.Sprintf("%d of 100 requests to %s at blue", blue, host), func() error {
				return shared(ctx, lab, address, host, blue)
			})
		}
	}
	apply(ctx, t, lab, ingressManifest)
	eventually(ctx, t, "all requests to ingress.example at green", func() error { return shared(ctx, lab, address, "ingress.example", 0) })

	if got := output(ctx, t, lab, "kubectl", "-n", "shop", "exec", "deploy/blue", "--", "/probe", "get", "http://traefik.gateway"); !strings.HasPrefix(got, "hello from green-") {
		t.Errorf("from a pod, by the gateway's name: %q", got)
	}
	if got := output(ctx, t, lab, "kubectl", "-n", "gateway", "get", "gateway", "public", "-o",
		`jsonpath={.status.conditions[?(@.type=="Programmed")].status} {.status.listeners[0].attachedRoutes} {.status.addresses[0].value}`); got != "True 1 traefik.gateway.svc.cluster.local" {
		t.Errorf("programmed, routes and address of the Gateway: %q", got)
	}
	if got := output(ctx, t, lab, "kubectl", "get", "--raw", "/api/v1/namespaces/gateway/services/traefik:metrics/proxy/metrics"); !strings.Contains(got, "traefik_service_requests_total{") {
		t.Error("no requests are counted")
	}
	leavesNothing(ctx, t, lab)
}

// deployColours runs a blue and a green version in the namespace shop.
func deployColours(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	binary, err := buildContainer(ctx, "probe", filepath.Join(t.TempDir(), "probe"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.LoadBinary(ctx, "bluegreen.dev/probe:lab", binary); err != nil {
		t.Fatal(err)
	}
	apply(ctx, t, lab, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
	for _, colour := range []string{"blue", "green"} {
		apply(ctx, t, lab, fmt.Sprintf(webManifest, colour, "shop"))
	}
	if err := lab.AwaitDeployments(ctx, "shop"); err != nil {
		t.Fatal(err)
	}
}

// apply applies a manifest.
func apply(ctx context.Context, t *testing.T, lab *Lab, text string) {
	t.Helper()
	if err := lab.Apply(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// shared asks a host 100 times and reports whether blue has its share of the
// answers. Traefik gives turns and draws no lots, so there is hardly any
// tolerance; none at all for a colour that shall have no request.
func shared(ctx context.Context, lab *Lab, address, host string, want int) error {
	blue, green := 0, 0
	for range 100 {
		answer, err := askHost(ctx, lab, address, host)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(answer, "hello from blue-"):
			blue++
		case strings.HasPrefix(answer, "hello from green-"):
			green++
		default:
			return fmt.Errorf("an answer of neither colour: %q", answer)
		}
	}
	if difference := blue - want; blue > 0 && want == 0 || green > 0 && want == 100 || max(difference, -difference) > 2 {
		return fmt.Errorf("blue answered %d requests and green %d", blue, green)
	}
	return nil
}

// askHost asks an address for the root page of a host, by a connection of its own.
func askHost(ctx context.Context, lab *Lab, address, host string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: lab.DialContext, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return "", err
	}
	request.Host = host
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
