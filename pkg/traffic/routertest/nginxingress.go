package routertest

import (
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// NginxIngress is a canary of ingress-nginx that leads to green, beside a main
// Ingress that leads to blue.
func NginxIngress() Kind {
	const weight, total = "nginx.ingress.kubernetes.io/canary-weight", "nginx.ingress.kubernetes.io/canary-weight-total"
	const canary = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-weight: "0"
    nginx.ingress.kubernetes.io/canary-weight-total: "1"
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: svc-green, port: {number: 80}}}}]}
`
	main := strings.NewReplacer("name: shop\n", "name: shop-main\n", "svc-green", "svc-blue",
		`    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-weight: "0"
    nginx.ingress.kubernetes.io/canary-weight-total: "1"
`, "    team: a\n").Replace(canary)
	// The canary's part and the main Ingress's, in this order.
	parts := func(object map[string]any) (green, blue int64) {
		annotations := Within(object, "metadata", "annotations")
		text, _ := annotations[weight].(string)
		green, _ = strconv.ParseInt(text, 10, 64)
		text, _ = annotations[total].(string)
		sum, _ := strconv.ParseInt(text, 10, 64)
		return green, sum - green
	}
	return Kind{
		Resource: ingresses(),
		Declare: func(traffic *release.Traffic) {
			traffic.NginxIngress = &release.NginxIngressRoute{Name: Name, Main: "shop-main"}
		},
		Fresh: canary, Beside: []string{main},
		Backends: func(object map[string]any) []Backend {
			green, blue := parts(object)
			return []Backend{{Color: "svc-green", Weight: green}, {Color: "svc-blue", Weight: blue}}
		},
		Set: func(object map[string]any, service string, part int64) {
			green, blue := parts(object)
			if service == "svc-green" {
				green = part
			} else {
				blue = part
			}
			annotations := Within(object, "metadata", "annotations")
			annotations[weight], annotations[total] = strconv.FormatInt(green, 10), strconv.FormatInt(green+blue, 10)
		},
	}
}
