package planted

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// inColors are faults of the colours while both run.
func inColors() []Fault {
	return []Fault{
		{ID: "BG-COL-01", Name: "the incident: a readiness probe that asks for what is not there", Outcome: preflight.Fail, Says: "replicas run the newest template",
			Plant: misconfiguredReadiness},
		{ID: "BG-COL-04", Name: "green's Service reaches blue", Outcome: preflight.Fail, Says: "it also selects pods that are not green's",
			// What somebody patches by hand is theirs, and the manifests are refused.
			Also:  []string{"BG-COL-17"},
			Plant: patched("service/svc-green", `{"spec":{"selector":{"version":"blue"}}}`, `{"spec":{"selector":{"version":"green"}}}`)},
		{ID: "BG-COL-05", Name: "a pod of green behind the production route", Outcome: preflight.Fail, Says: "recommendation-green-",
			Plant: strangeEndpoint},
		{ID: "BG-COL-09", Name: "no PodDisruptionBudget", Outcome: preflight.Warn, Says: "no PodDisruptionBudget covers it",
			Plant: withoutBudget},
		{ID: "BG-COL-18", Name: "a green that the last run was rolled back from", Outcome: preflight.Warn, Says: "which is what it was then (deployment/recommendation-green): it was planted",
			Plant: rolledBack},
		// Green, whose manifests the shift applies, is made anew by it.
		{ID: "BG-COL-20", Name: "a Secret that was written since the pods were started", Outcome: preflight.Warn, Says: "secret/recommendation-database was written at",
			Plant: patched("secret/recommendation-database", `{"stringData":{"planted":"since"}}`, `{"data":{"planted":null}}`)},
	}
}

// misconfiguredReadiness rolls out a green that answers and is never ready.
func misconfiguredReadiness(ctx context.Context, site *Site) (Undo, error) {
	rewrite, err := container(func(c *corev1.Container) { c.ReadinessProbe.HTTPGet.Path = "/nowhere" })(ctx, site)
	if err != nil {
		return rewrite, err
	}
	return func(ctx context.Context) error {
		if err := rewrite(ctx); err != nil {
			return err
		}
		if err := site.Deploy(ctx, shop.Green); err != nil {
			return err
		}
		return site.Kubectl(ctx, "rollout", "status", "deployment/"+shop.Deployment(shop.Green), "--timeout=2m")
	}, site.Deploy(ctx, shop.Green)
}

// strangeEndpoint writes a pod of green into an EndpointSlice of production, as
// a controller of somebody's own may do.
func strangeEndpoint(ctx context.Context, site *Site) (Undo, error) {
	pods, err := site.Pods(ctx, shop.Green)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("plant an endpoint: no pod of %s runs", shop.Green)
	}
	pod := pods[0]
	return applied(fmt.Sprintf(endpoint, pod.Status.PodIP, pod.Name))(ctx, site)
}

const endpoint = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: planted, labels: {kubernetes.io/service-name: svc-production}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [%s], conditions: {ready: true}, targetRef: {kind: Pod, name: %s}}
`

// withoutBudget deletes blue's PodDisruptionBudget: that of green is in the manifests
// that a shift applies.
func withoutBudget(ctx context.Context, site *Site) (Undo, error) {
	undo := func(ctx context.Context) error { return site.Deploy(ctx, shop.Blue) }
	return undo, site.Kubectl(ctx, "delete", "poddisruptionbudget", shop.Deployment(shop.Blue))
}
