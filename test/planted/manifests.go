package planted

import (
	"context"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// inManifests are faults of what green will be made from.
func inManifests() []Fault {
	return []Fault{
		{ID: "BG-COL-02", Name: "no readiness probe", Outcome: preflight.Fail, Says: "no container has a readinessProbe",
			Plant: container(func(c *corev1.Container) { c.ReadinessProbe = nil })},
		{ID: "BG-COL-03", Name: "a selector that matches no pod", Outcome: preflight.Fail, Says: "selector version=gren does not match the pods of deployment/recommendation-green",
			Plant: color(func(green *release.Color) { green.Selector = map[string]string{"version": "gren"} })},
		{ID: "BG-COL-08", Name: "fewer replicas than blue has ready", Outcome: preflight.Fail, Says: "it wants 1 pods while blue has 2 ready",
			Plant: written(shop.Slot{Replicas: 1})},
		{ID: "BG-COL-12", Name: "an image that moves", Outcome: preflight.Warn, Says: "runs image recommendation:latest, which can change under it",
			Plant: container(func(c *corev1.Container) { c.Image = "recommendation:latest" })},
		{ID: "BG-COL-13", Name: "pods that are killed at once", Outcome: preflight.Fail, Says: "terminationGracePeriodSeconds is 0",
			Plant: written(shop.Slot{Pod: func(pod *corev1.PodSpec) { pod.TerminationGracePeriodSeconds = ptr.To(int64(0)) }})},
		{ID: "BG-COL-14", Name: "a variable that only green has", Outcome: preflight.Warn, Says: "only green has FEATURE_CART",
			Plant: written(shop.Slot{Env: map[string]string{"FEATURE_CART": "on"}})},
		{ID: "BG-COL-14", Name: "a value that green has otherwise", Outcome: preflight.Warn, Says: "the values differ of env DRAIN_SECONDS",
			Plant: written(shop.Slot{Env: map[string]string{"DRAIN_SECONDS": "4"}})},
		{ID: "BG-COL-15", Name: "the production route among them", Outcome: preflight.Fail, Says: "they hold service/svc-production, the production route",
			Plant: production},
		{ID: "BG-COL-16", Name: "another account and memory limit", Outcome: preflight.Warn, Says: "they differ in containers[recommendation].resources.limits, serviceAccountName",
			Plant: written(shop.Slot{Pod: func(pod *corev1.PodSpec) {
				pod.ServiceAccountName = "elsewhere"
				pod.Containers[0].Resources.Limits[corev1.ResourceMemory] = resource.MustParse("64Mi")
			}})},
		{ID: "BG-COL-19", Name: "a field that there is not", Outcome: preflight.Warn, Says: "unknown field",
			Also:  []string{"BG-COL-17"}, // the server refuses it too
			Plant: brought(misspelt)},
		{ID: "BG-DB-03", Name: "the incident: pools that together exhaust the database", Outcome: preflight.Fail, Says: "198 connections are asked for at the peak",
			Also:  []string{"BG-COL-14"}, // blue's pool is another one
			Plant: written(shop.Slot{Env: map[string]string{"DB_POOL_SIZE": "60"}})},
		{ID: "BG-DB-03", Name: "an autoscaler among them that asks for more than there is", Outcome: preflight.Fail, Says: "connections are asked for at the peak",
			Plant: brought(greedyAutoscaler)},
		{ID: "BG-DB-10", Name: "pools that are more than was agreed on", Outcome: preflight.Fail, Says: "connections, and spec.database[0].connections allows 10;",
			Plant: agreed(10)},
	}
}

const greedyAutoscaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: planted}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: recommendation-green}
  minReplicas: 2
  maxReplicas: 100
`

const misspelt = `apiVersion: v1
kind: ConfigMap
metadata: {name: planted}
dat: {flavour: sour}
`

// brought puts another manifest among green's.
func brought(manifest string) Plant {
	return func(_ context.Context, site *Site) (Undo, error) {
		file := filepath.Join(site.Folder, "deploy", shop.Green, "planted.yaml")
		return func(context.Context) error { return os.Remove(file) }, os.WriteFile(file, []byte(manifest), 0o600)
	}
}

// inRenewal are faults of the manifests that a green which runs is to be made anew
// from.
func inRenewal() []Fault {
	return []Fault{
		{ID: "BG-COL-02", Name: "no readiness probe in what replaces it", Outcome: preflight.Fail, Says: "no container has a readinessProbe",
			Plant: container(func(c *corev1.Container) { c.ReadinessProbe = nil })},
		{ID: "BG-COL-08", Name: "fewer replicas than run", Outcome: preflight.Fail, Says: "it wants 1 pods while blue has 2 ready",
			Also:  []string{"BG-COL-17"}, // whoever deployed it owns the count, and the pool below
			Plant: written(shop.Slot{Replicas: 1})},
		{ID: "BG-DB-03", Name: "pools that replace smaller ones", Outcome: preflight.Fail, Says: "198 connections are asked for at the peak",
			Also:  []string{"BG-COL-14", "BG-COL-17"}, // blue's pool is another one
			Plant: written(shop.Slot{Env: map[string]string{"DB_POOL_SIZE": "60"}})},
	}
}

// container changes green's container.
func container(change func(*corev1.Container)) Plant {
	return written(shop.Slot{Pod: func(pod *corev1.PodSpec) { change(&pod.Containers[0]) }})
}

// color changes what the Release says of green.
func color(change func(*release.Color)) Plant {
	return declared(func(document *release.Release) {
		green := document.Spec.Colors[shop.Green]
		change(&green)
		document.Spec.Colors[shop.Green] = green
	})
}

// agreed lets the Release declare so many connections of the database.
func agreed(connections int) Plant {
	return declared(func(document *release.Release) { document.Spec.Databases[0].Connections = connections })
}

// production puts the production route among green's manifests.
func production(_ context.Context, site *Site) (Undo, error) {
	text, err := os.ReadFile(filepath.Join(site.Folder, "deploy", "production.yaml"))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(site.Folder, "deploy", shop.Green, "production.yaml")
	return func(context.Context) error { return os.Remove(file) }, os.WriteFile(file, text, 0o600)
}
