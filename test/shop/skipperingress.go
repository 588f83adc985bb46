package shop

import (
	"encoding/json"
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// SkipperIngress is an Ingress with weights in an annotation that Skipper
// reads, in a lab with the addon skipper.
const SkipperIngress Route = "skipperingress"

// weightsAnnotation is where the weights are.
const weightsAnnotation = "zalando.org/backend-weights"

// skipperIngressManifest is one that gives everything to blue.
const skipperIngressManifest = `# The production route: the weights are the switch.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: %s
  namespace: %s
  labels:
    app: recommendation
  annotations:
    ` + weightsAnnotation + `: '{"svc-blue": 100, "svc-green": 0}'
spec:
  ingressClassName: skipper
  rules:
  - host: %s
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: svc-blue, port: {number: 80}}}}
      - {path: /, pathType: Prefix, backend: {service: {name: svc-green, port: {number: 80}}}}
`

// skipper is where the lab's Skipper is asked.
func skipper(*Shop) (namespace, name string) { return "skipper", "skipper" }

// skipperIngressKind is what it is made of.
func skipperIngressKind() kind {
	return weightedKind(kind{
		route:    SkipperIngress,
		resource: networkingv1.SchemeGroupVersion.WithResource("ingresses"),
		manifest: atHost(skipperIngressManifest),
		weights:  skipperIngressWeights,
		entry:    skipper,
		host:     host,
	}, func(traffic *release.Traffic) { traffic.SkipperIngress = namedRoute() })
}

func skipperIngressWeights(object *unstructured.Unstructured) (map[string]int64, error) {
	var services map[string]int64
	if err := json.Unmarshal([]byte(object.GetAnnotations()[weightsAnnotation]), &services); err != nil {
		return nil, fmt.Errorf("read annotation %s: %w", weightsAnnotation, err)
	}
	weights := map[string]int64{}
	for service, weight := range services {
		weights[strings.TrimPrefix(service, behindColor(""))] += weight
	}
	return weights, nil
}
