package planted

import (
	"context"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// inRouting are faults of the production route and of what stands around it.
func inRouting() []Fault {
	return []Fault{
		{ID: "BG-NET-01", Name: "the incident: sticky sessions", Outcome: preflight.Fail, Says: "spec.sessionAffinity is ClientIP",
			Plant: patched("service/svc-production", `{"spec":{"sessionAffinity":"ClientIP"}}`, `{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}`)},
		{ID: "BG-NET-01", Name: "sticky sessions at a cloud's load balancer", Outcome: preflight.Fail, Says: "what stands in front of it ties clients",
			Plant: patched("service/svc-production",
				`{"metadata":{"annotations":{"service.beta.kubernetes.io/do-loadbalancer-sticky-sessions-type":"cookies"}}}`,
				`{"metadata":{"annotations":{"service.beta.kubernetes.io/do-loadbalancer-sticky-sessions-type":null}}}`)},
		{ID: "BG-NET-01", Name: "an Ingress in front that ties clients by a cookie", Outcome: preflight.Fail, Says: "nginx.ingress.kubernetes.io/affinity=cookie",
			Plant: applied(stickyIngress)},
		{ID: "BG-NET-02", Name: "a headless production Service", Outcome: preflight.Fail, Says: "it is headless", Also: []string{"BG-NET-07"},
			Plant: together(applied(headless), declared(func(document *release.Release) { document.Spec.Traffic.Service.Name = "planted" }))},
		{ID: "BG-NET-03", Name: "a load balancer in front", Outcome: preflight.Warn, Says: "it is of type LoadBalancer",
			Plant: patched("service/svc-production", `{"spec":{"type":"LoadBalancer"}}`, `{"spec":{"type":"ClusterIP"}}`)},
		{ID: "BG-NET-04", Name: "a GitOps controller that owns the selector", Outcome: preflight.Warn, Says: "argocd-controller owns its selector",
			Plant: ownedByController},
		{ID: "BG-NET-06", Name: "a network policy that lets in blue alone", Outcome: preflight.Warn, Says: "it lets in blue, and nothing does the same for green",
			Plant: applied(policyForBlue)},
		{ID: "BG-NET-07", Name: "another Service that leads to green", Outcome: preflight.Warn, Says: "it leads to green, and no shift moves it", Plant: applied(pastTheRoute)},
	}
}

const headless = `apiVersion: v1
kind: Service
metadata: {name: planted}
spec:
  clusterIP: None
  selector: {app: recommendation, version: blue}
  ports: [{name: http, port: 80, targetPort: http}]
`

const pastTheRoute = `apiVersion: v1
kind: Service
metadata: {name: planted}
spec:
  selector: {app: recommendation, version: green}
  ports: [{name: http, port: 80, targetPort: http}]
`

// stickyIngress is of a class that nothing serves.
const stickyIngress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: planted, annotations: {nginx.ingress.kubernetes.io/affinity: cookie}}
spec:
  ingressClassName: planted
  defaultBackend: {service: {name: svc-production, port: {number: 80}}}
`

// policyForBlue selects no pod that runs, so that it is in nobody's way.
const policyForBlue = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: planted}
spec:
  podSelector: {matchLabels: {app: cache}}
  ingress: [{from: [{podSelector: {matchLabels: {version: blue}}}]}]
`

// ownedByController applies production as Argo CD does, and forgets all owners
// again.
func ownedByController(ctx context.Context, site *Site) (Undo, error) {
	undo := func(ctx context.Context) error {
		return site.Kubectl(ctx, "patch", "service", "svc-production", "--type=json", "-p", `[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]`)
	}
	return undo, site.Kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "deploy/production.yaml")
}
