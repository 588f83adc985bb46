package custom

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Variables are what an expression sees, by the names of the fields. They are a
// contract with the checks that people wrote: a field may be added, and none
// renamed or given another meaning. A Fact that is not known is an error to
// whoever reads it.
type Variables struct {
	// Now is when the facts were collected.
	Now time.Time `json:"now"`
	// Stage is pr, deploy or rollback.
	Stage string `json:"stage"`
	// Release is the document with its defaults, as in docs/release.md.
	Release *release.Release `json:"release"`
	// Target is the colour that is to get the traffic.
	Target preflight.Fact[string] `json:"target"`
	// Live is the colour that has all of it.
	Live preflight.Fact[string] `json:"live"`
	// Colors are both colours by name.
	Colors map[string]Color `json:"colors"`
	// Route is the production route.
	Route preflight.Fact[Route] `json:"route"`
	// Rights are the answers about every right that a shift needs.
	Rights preflight.Fact[[]Right] `json:"rights"`
	// Autoscalers, DisruptionBudgets and Quotas are the objects of the namespace,
	// as Kubernetes has them.
	Autoscalers preflight.Fact[[]autoscalingv2.HorizontalPodAutoscaler] `json:"autoscalers"`
	// DisruptionBudgets: see autoscalers.
	DisruptionBudgets preflight.Fact[[]policyv1.PodDisruptionBudget] `json:"disruptionBudgets"`
	// Quotas: see autoscalers.
	Quotas preflight.Fact[[]corev1.ResourceQuota] `json:"quotas"`
	// Nodes are as many of those that take pods as it took to find room for the
	// pods that are to come, with what is left on each by requests.
	Nodes preflight.Fact[[]Node] `json:"nodes"`
	// Databases are those of the Release, by name.
	Databases preflight.Fact[map[string]Database] `json:"databases"`
	// Monitoring is what was found of the metrics.
	Monitoring preflight.Fact[Monitoring] `json:"monitoring"`
}

// Color is what was found of one colour.
type Color struct {
	// Name of the colour.
	Name string `json:"name"`
	// Planned: none of its pods is wanted yet, and the workloads are as the
	// shift will make them.
	Planned bool `json:"planned"`
	// Workloads are its Deployments and StatefulSets: those of a target with
	// manifests as these will make them, with the pods that are ready now.
	Workloads preflight.Fact[[]Workload] `json:"workloads"`
	// Pods are those that its selector matches, as Kubernetes has them.
	Pods preflight.Fact[[]corev1.Pod] `json:"pods"`
	// OwnedPods are those of its workloads.
	OwnedPods preflight.Fact[[]corev1.Pod] `json:"ownedPods"`
	// Service is its own, absent where none is declared.
	Service preflight.Fact[*corev1.Service] `json:"service,omitempty"`
	// Manifests are the objects, as kind/name, in its manifests.
	Manifests preflight.Fact[[]string] `json:"manifests"`
	// Pools are the connection pools of its workloads.
	Pools []Pool `json:"pools"`
}

// Workload is a Deployment or a StatefulSet.
type Workload struct {
	// Kind is deployment or statefulset.
	Kind string `json:"kind"`
	// Name of the object.
	Name string `json:"name"`
	// Replicas are wanted, ReadyReplicas are ready.
	Replicas int32 `json:"replicas"`
	// ReadyReplicas are those of them that are ready.
	ReadyReplicas int32 `json:"readyReplicas"`
	// MaxSurge is how many more there may be while it rolls out.
	MaxSurge int32 `json:"maxSurge"`
	// Template is what its pods are made from, as Kubernetes has it.
	Template corev1.PodTemplateSpec `json:"template"`
}

// Pool is the pool size of a workload's pods.
type Pool struct {
	// Database is its name in the Release.
	Database string `json:"database"`
	// Workload is kind/name.
	Workload string `json:"workload"`
	// Connections of one pod.
	Connections preflight.Fact[int] `json:"connections"`
	// Provenance says where the number comes from.
	Provenance string `json:"provenance"`
	// Trust is declared, configured, assumed, or "" where it is not known.
	Trust string `json:"trust"`
}

// Route is the production route.
type Route struct {
	// Object is kind/name.
	Object string `json:"object"`
	// Split is the share of each colour in percent.
	Split map[string]int `json:"split"`
	// Affinity is its session affinity, "" where it has none.
	Affinity string `json:"affinity"`
	// Owners are the other field managers of what a shift writes, by field.
	Owners map[string][]string `json:"owners"`
	// Services are the production Services, where it is one of those.
	Services []corev1.Service `json:"services"`
	// Proven: the endpoints are the ready pods of the live colour, and no other.
	Proven preflight.Fact[bool] `json:"proven"`
}

// Right is the API server's answer about one right.
type Right struct {
	// Verb, such as patch.
	Verb string `json:"verb"`
	// Group of the API, "" for the core.
	Group string `json:"group"`
	// Resource, such as services.
	Resource string `json:"resource"`
	// Subresource, such as log; often "".
	Subresource string `json:"subresource"`
	// Name of the object, "" for all.
	Name string `json:"name"`
	// Namespace of it.
	Namespace string `json:"namespace"`
	// Allowed or not.
	Allowed bool `json:"allowed"`
}

// Node is a node that takes pods.
type Node struct {
	// Name of the node.
	Name string `json:"name"`
	// MilliCPU is left of it, in thousandths of a CPU.
	MilliCPU int64 `json:"milliCPU"`
	// MemoryBytes are left of it.
	MemoryBytes int64 `json:"memoryBytes"`
	// Pods may still come.
	Pods int64 `json:"pods"`
}

// Database is what was found of one database.
type Database struct {
	// Session: it is looked at by a session, not by way of an exporter.
	Session bool `json:"session"`
	// Version is server_version_num, such as 160004.
	Version preflight.Fact[int] `json:"version"`
	// Limits of the server.
	Limits preflight.Fact[postgres.Limits] `json:"limits"`
	// Databases of the server by name, with their limits and backends.
	Databases preflight.Fact[map[string]postgres.DatabaseState] `json:"databases"`
	// Roles that may log in, by name.
	Roles preflight.Fact[map[string]postgres.RoleLimit] `json:"roles"`
	// Sessions, known where the observer may see those of others.
	Sessions preflight.Fact[[]postgres.Session] `json:"sessions"`
}

// Monitoring is what was found of the metrics.
type Monitoring struct {
	// ScrapeAge is since the newest scrape of any target.
	ScrapeAge preflight.Fact[time.Duration] `json:"scrapeAge"`
	// Colors hold the series and the request rate of each colour.
	Colors map[string]ColorMetrics `json:"colors"`
	// Alerts are the alerting rules of Prometheus.
	Alerts preflight.Fact[[]Alert] `json:"alerts"`
	// CriticalAlerts is how many critical alerts fire.
	CriticalAlerts preflight.Fact[float64] `json:"criticalAlerts"`
	// Rules are those of the gate.
	Rules preflight.Fact[[]gate.Rule] `json:"rules"`
}

// ColorMetrics are what is measured of one colour.
type ColorMetrics struct {
	// Series in Prometheus.
	Series preflight.Fact[Series] `json:"series"`
	// RequestRate is in requests a second.
	RequestRate preflight.Fact[float64] `json:"requestRate"`
}

// Series are the series of one colour.
type Series struct {
	// Total counts those of any name.
	Total int `json:"total"`
	// Requests counts those of the request counter.
	Requests int `json:"requests"`
	// Latency counts those of the latency histogram.
	Latency int `json:"latency"`
	// Bounds are the upper bounds of its buckets in seconds.
	Bounds []float64 `json:"bounds"`
}

// Alert is an alerting rule.
type Alert struct {
	// Name of the alert.
	Name string `json:"name"`
	// Query in PromQL.
	Query string `json:"query"`
	// Severity by its label.
	Severity string `json:"severity"`
	// Health is ok where it is evaluated.
	Health string `json:"health"`
}

// variablesOf are the variables of facts.
func variablesOf(facts *preflight.Facts) Variables {
	found := Variables{
		Now: facts.Time, Stage: string(facts.Stage), Release: facts.Release,
		Target: named(facts.Target, "no colour was chosen, and none is idle"), Live: liveOf(facts),
		Colors: map[string]Color{}, Route: then(facts.Route, routeOf),
		Rights: then(facts.Access, rightsOf), Nodes: then(facts.Nodes, nodesOf),
		Autoscalers: facts.Autoscalers, DisruptionBudgets: facts.Disruption, Quotas: facts.Quotas,
	}
	for name, color := range facts.Colors {
		found.Colors[name] = colorOf(facts, color)
	}
	if facts.Stage != preflight.StagePR { // which looks at neither
		found.Databases = known(databasesOf(facts))
		found.Monitoring = known(monitoringOf(facts))
	}
	return found
}

func known[T any](value T) preflight.Fact[T] { return preflight.Fact[T]{Value: value, Known: true} }

func notKnown[T any](problem string) preflight.Fact[T] { return preflight.Fact[T]{Problem: problem} }

// then makes a fact of another; what is not known stays so.
func then[T, U any](fact preflight.Fact[T], make func(T) U) preflight.Fact[U] {
	if !fact.Known {
		return preflight.Fact[U]{Problem: fact.Problem, Remedy: fact.Remedy, Transient: fact.Transient}
	}
	return known(make(fact.Value))
}

func named(name, otherwise string) preflight.Fact[string] {
	if name == "" {
		return notKnown[string](otherwise)
	}
	return known(name)
}

func liveOf(facts *preflight.Facts) preflight.Fact[string] {
	live := then(facts.Route, func(route preflight.Route) string { return route.Live })
	if live.Known {
		return named(live.Value, "no colour has all of the traffic")
	}
	return live
}

func routeOf(route preflight.Route) Route {
	found := Route{
		Object: route.State.Object, Split: route.State.Split, Affinity: route.State.Affinity, Owners: route.State.Owners,
		Proven: preflight.Fact[bool]{Value: route.Proof.Value.Proven, Known: route.Proof.Known, Problem: route.Proof.Problem, Transient: route.Proof.Transient},
	}
	for _, service := range append([]*corev1.Service{route.Service}, route.Also...) {
		if service != nil {
			found.Services = append(found.Services, *service)
		}
	}
	return found
}

func rightsOf(grants []preflight.Grant) []Right {
	var found []Right
	for _, grant := range grants {
		found = append(found, Right{
			Verb: grant.Verb, Group: grant.Group, Resource: grant.Resource, Subresource: grant.Subresource,
			Name: grant.Name, Namespace: grant.Namespace, Allowed: grant.Allowed,
		})
	}
	return found
}

func nodesOf(nodes []preflight.Node) []Node {
	var found []Node
	for _, node := range nodes {
		found = append(found, Node{Name: node.Name, MilliCPU: node.CPU, MemoryBytes: node.Memory, Pods: node.Pods})
	}
	return found
}
