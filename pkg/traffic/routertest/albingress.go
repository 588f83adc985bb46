package routertest

import (
	"encoding/json"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ALBIngress is one of the AWS Load Balancer Controller, whose path leads to an
// action.
func ALBIngress() Kind {
	const annotation = "alb.ingress.kubernetes.io/actions.split"
	type action struct {
		Type          string `json:"type"`
		ForwardConfig struct {
			TargetGroups []map[string]any `json:"targetGroups"`
		} `json:"forwardConfig"`
	}
	// change reads the groups, lets them be changed, and writes them.
	change := func(object map[string]any, change func(groups []map[string]any) []map[string]any) {
		annotations, said := Within(object, "metadata", "annotations"), action{}
		text, _ := annotations[annotation].(string)
		_ = json.Unmarshal([]byte(text), &said)
		said.ForwardConfig.TargetGroups = change(said.ForwardConfig.TargetGroups)
		written, _ := json.Marshal(said)
		annotations[annotation] = string(written)
	}
	const head, tail = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/actions.split: '{"type": "forward", "forwardConfig": {"targetGroups": [
      {"serviceName": "svc-blue", "servicePort": 80, "weight": 1}`, `]}}'
spec:
  ingressClassName: alb
  rules:
  - host: shop.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: split, port: {name: use-annotation}}}}]}
`
	return Kind{
		Resource: ingresses(),
		Declare:  func(traffic *release.Traffic) { traffic.ALBIngress = &release.NamedRoute{Name: Name} },
		Fresh:    head + `, {"serviceName": "svc-green", "servicePort": "http", "weight": 0}` + tail, None: head + tail,
		Backends: func(object map[string]any) []Backend {
			var found []Backend
			change(object, func(groups []map[string]any) []map[string]any {
				for _, group := range groups {
					service, _ := group["serviceName"].(string)
					weight, _ := group["weight"].(float64)
					found = append(found, Backend{Color: service, Weight: int64(weight)})
				}
				return groups
			})
			return found
		},
		Set: func(object map[string]any, service string, weight int64) {
			change(object, func(groups []map[string]any) []map[string]any {
				for _, group := range groups {
					if group["serviceName"] == service {
						group["weight"] = weight
					}
				}
				return groups
			})
		},
		Insert: func(object map[string]any, service string, weight int64) {
			change(object, func(groups []map[string]any) []map[string]any {
				return append(groups, map[string]any{"serviceName": service, "servicePort": 80, "weight": weight})
			})
		},
	}
}
