package preflight

import (
	"cmp"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Fact is what one collector found out, or why it did not.
type Fact[T any] struct {
	Value T
	// Known is false when the collector failed, or did not run.
	Known bool
	// Problem is why, in one sentence without secrets.
	Problem string
	// Remedy is what would make it known, "" where nothing better can be said
	// than what the check says.
	Remedy string
	// Transient: asking again may find it out.
	Transient bool
	// InManifests: it is for a mistake in manifests, which BG-COL-19 tells.
	InManifests bool `json:",omitempty"`
}

// known is a fact that was found out.
func known[T any](value T) Fact[T] { return Fact[T]{Value: value, Known: true} }

// notKnown is a fact that was not, because of err.
func notKnown[T any](err error) Fact[T] {
	passes, manifests := cluster.Transient(err), inManifests(err)
	err = cluster.Explain(err)
	return Fact[T]{Problem: err.Error(), Remedy: release.HintOf(err), Transient: passes, InManifests: manifests}
}

func factOf[T any](value T, err error) Fact[T] {
	if err != nil {
		return notKnown[T](err)
	}
	return known(value)
}

// unknown is the finding about a fact that is not known.
func (f Fact[T]) unknown(subject string) []Finding {
	unread := f.Unread()
	finding := unknown(subject, "%s", unread.Problem)
	finding.Remedy, finding.Transient, finding.InManifests = unread.Remedy, unread.Transient, f.InManifests
	return []Finding{finding}
}

// Unread says why a fact is not known.
type Unread struct {
	Problem, Remedy string
	Transient       bool
}

// Unread is nil of a fact that is known.
func (f Fact[T]) Unread() *Unread {
	if f.Known {
		return nil
	}
	return &Unread{Problem: cmp.Or(f.Problem, notLookedAt), Remedy: f.Remedy, Transient: f.Transient}
}

// Facts is everything that the checks look at, at one moment.
type Facts struct {
	Time    time.Time
	Stage   Stage
	Release *release.Release
	// Custom are the checks that the Release and the files beside it declare.
	Custom []release.DeclaredCheck `json:",omitempty"`
	// Places are where in files a finding may be put right.
	Places Places
	// Namespace is where the release lives.
	Namespace string
	// Target is the colour that is to get the traffic.
	Target string
	Colors map[string]Color
	// Settings are what the containers of each colour are configured with, by its
	// name and in the order of its workloads, as far as the colours may differ in
	// it. It is nil where nothing was looked at.
	Settings map[string][]map[string]Setting
	// Manifests are the objects, as kind/name, in the manifests of each colour
	// that declares some.
	Manifests map[string]Fact[[]string]
	// ManifestMistakes are those in the manifests of each colour that declares some,
	// by the index of the path that it names. It is nil where nobody looked.
	ManifestMistakes map[string]map[int][]cluster.ManifestError
	// Migrations are what was found in those of each database that names some.
	Migrations map[string]Fact[Migrations]
	// Unreachable says that no cluster answered the first that it was asked, nil
	// where one did.
	Unreachable *Unreachable `json:",omitempty"`
	Route       Fact[Route]
	// DryRun is the server's answer to the switch; Value is the patch.
	DryRun Fact[string]
	// DryRunRefused: the server said no, as opposed to not having answered,
	// or to somebody else having written in between.
	DryRunRefused bool
	// DryRunUntried are operations of the switch about which the server can't be asked
	// before an earlier step is written, by the step.
	DryRunUntried []string `json:",omitempty"`
	// DryApply is its answer to the target's manifests; Value counts the
	// objects. DryApplyRefused: the server said no.
	DryApply        Fact[int]
	DryApplyRefused bool
	Access          Fact[[]Grant]
	// DestinationRules are those of the release's namespace, where a route of it
	// tells the colours apart by subsets.
	DestinationRules Fact[[]DestinationRule]

	// Layers are what stands before and behind the route and may tie clients, by
	// the resource; a kind that the cluster does not serve is not there. It is nil
	// where nothing was looked at.
	Layers map[string]Layer

	Autoscalers Fact[[]autoscalingv2.HorizontalPodAutoscaler]
	Disruption  Fact[[]policyv1.PodDisruptionBudget]
	Quotas      Fact[[]corev1.ResourceQuota]
	LimitRanges Fact[[]corev1.LimitRange]
	Nodes       Fact[[]Node]
	// RolledBack is the last run, where it was rolled back from the target; its
	// Value is nil where it was not.
	RolledBack Fact[*RolledBack]
	// Services are those of the release's namespace.
	Services Fact[[]traffic.Entrance]
	// NetworkPolicies are those of the release's namespace.
	NetworkPolicies Fact[[]networkingv1.NetworkPolicy]

	// SignOffs are by the id of their check; Images are those of both colours,
	// as a shift would leave them.
	SignOffs Fact[map[string]signoff.Entry]
	Images   Fact[[]signoff.Image]

	// Jobs are those beside the colours that use a database of the release.
	Jobs Fact[[]Job]

	// Databases are by their name in the Release.
	Databases  map[string]Database
	Monitoring Monitoring
	// Logs are by colour, empty where no Loki is declared.
	Logs map[string]Fact[measure.Logs]
	// Dashboards are those that a Grafana has for the release.
	Dashboards Fact[[]measure.Dashboard]
}

// Color is what was found of one colour.
type Color struct {
	Name     string
	Declared release.Color
	// Planned: none of its pods is wanted yet. Workloads are then as the
	// shift will make them, by the colour's manifests or by the replicas
	// that it gives back.
	Planned bool
	// Running is what runs of a target now, where Workloads are what its
	// manifests will make of that; nil elsewhere.
	Running *Running `json:",omitempty"`
	// ServicePlanned: its manifests hold its own Service.
	ServicePlanned bool
	// AutoscalersPlanned are the HorizontalPodAutoscalers of its manifests.
	AutoscalersPlanned []autoscalingv2.HorizontalPodAutoscaler `json:",omitempty"`
	// BudgetsPlanned are the PodDisruptionBudgets of its manifests.
	BudgetsPlanned []policyv1.PodDisruptionBudget
	// PoliciesPlanned are the NetworkPolicies of its manifests.
	PoliciesPlanned []networkingv1.NetworkPolicy

	Workloads Fact[[]cluster.Workload]
	// Pods are those that the colour's selector matches in the namespace of
	// the release; Owned are those of its workloads.
	Pods  Fact[[]corev1.Pod]
	Owned Fact[[]corev1.Pod]
	// Service is the colour's own, nil when none is declared; ServicePods
	// are the pods that it selects.
	Service     Fact[*corev1.Service]
	ServicePods Fact[[]corev1.Pod]
	// Pools are the connection pools of its workloads, by database and then
	// by workload.
	Pools map[string]map[string]postgres.PoolSize
	// Outdated are those of its pods that run with variables of before.
	Outdated Fact[[]Outdated]

	// absent: a workload of it does not exist.
	absent bool
}

// Running is what runs of a colour until its manifests are applied.
type Running struct {
	// Workloads are those that want pods, Pools theirs.
	Workloads []cluster.Workload
	Pools     map[string]map[string]postgres.PoolSize
}

// Route is the production route.
type Route struct {
	// Live is the colour that it gives everything to, "" when it is split.
	Live string
	// Ambiguous says why no colour can be read out of it: the selector has
	// lost its label. Nothing else may then be built on the route.
	Ambiguous string
	// Service is the production Service; nil where the route is of another
	// kind.
	Service *corev1.Service
	// Also are the further Services of a set.
	Also []*corev1.Service
	// Sticky are the annotations of each production Service, by its name, that
	// let what stands in front of it tie clients.
	Sticky map[string][]string
	State  traffic.Route
	// Proof holds the EndpointSlices against the live colour's ready pods.
	Proof Fact[traffic.Proof]
}

// Node is what one node that takes pods has left, by requests.
type Node struct {
	Name string
	// CPU is in millicores, Memory in bytes, Pods a count.
	CPU, Memory, Pods int64
}

// Database is what was found of one database.
type Database struct {
	Declared release.Database
	// Target says for people where and how it was looked at; Session is
	// false when it is not by a session (an exporter, Prometheus), and Why
	// says why not. Snapshot is then Counted.
	Target   string
	Session  bool
	Why      string
	Snapshot Fact[postgres.Snapshot]
	// Exhausted: the server refused us with SQLSTATE 53300. RoleFull: it
	// did so for the CONNECTION LIMIT of the observer's own role, which says
	// nothing of anybody else.
	Exhausted, RoleFull bool
	// Pooler is what stands between the colours and it, nil where nothing is
	// declared.
	Pooler *postgres.Pooler
}

// sessionless reports whether it is observed without a session, so that
// nobody's sessions are seen.
func (d Database) sessionless() bool { return !d.Session && d.Target != "" }

// Monitoring is what was found of the metrics.
type Monitoring struct {
	// Declared: the Release declares a Prometheus.
	Declared bool
	// Up is the Prometheus' own build, or why it does not answer.
	Up Fact[string]
	// ScrapeAge is since its newest scrape of any target.
	ScrapeAge time.Duration
	// Series is by colour; Requests are the readings of the request rate,
	// from whatever source there is.
	Series   map[string]Fact[measure.Series]
	Requests map[string]measure.Reading
	// Rules are those of the gate; Required says that a source answers.
	Rules  Fact[[]gate.Rule]
	Alerts Fact[[]measure.AlertRule]
	// Comparisons are those of the alerts on connections that fire in time, as
	// far as they were asked for.
	Comparisons []Comparison `json:",omitempty"`
	// Critical is the reading of firing critical alerts; its Source is ""
	// when nothing declared can tell.
	Critical measure.Reading
}

// Comparison is what an alert compares.
type Comparison struct {
	// Query is the alert's.
	Query string
	// Pairs are how many series of both sides come together now.
	Pairs Fact[int]
}

// pairsOf are those of the alert with a query.
func (m Monitoring) pairsOf(query string) Fact[int] {
	for _, comparison := range m.Comparisons {
		if comparison.Query == query {
			return comparison.Pairs
		}
	}
	return Fact[int]{}
}

// live is the live colour's name and facts; ok is false when it is not known.
func (f *Facts) live() (Color, bool) {
	if !f.Route.Known || f.Route.Value.Live == "" {
		return Color{}, false
	}
	color, found := f.Colors[f.Route.Value.Live]
	return color, found
}

// target is the target colour's facts.
func (f *Facts) target() Color { return f.Colors[f.Target] }

// colors are the colours, sorted by name.
func (f *Facts) colors() []Color {
	var colors []Color
	for _, name := range f.Release.Spec.ColorNames() {
		colors = append(colors, f.Colors[name])
	}
	return colors
}

// readyCount counts ready pods.
func readyCount(pods []corev1.Pod) int {
	count := 0
	for i := range pods {
		if cluster.PodReadiness(&pods[i]).Successful {
			count++
		}
	}
	return count
}
