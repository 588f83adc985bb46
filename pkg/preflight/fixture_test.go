package preflight

import (
	"context"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// healthy is a release at which nothing is wrong: blue is live with three
// pods, green is ready beside it.
func healthy() *Facts {
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{
		Colors:  map[string]release.Color{"blue": declaredColor("blue"), "green": declaredColor("green")},
		Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}},
		Databases: []release.Database{{Name: "main", Connections: 60, Observe: release.Observe{DSN: release.SecretSource{
			SecretKeyRef: &release.SecretKeyReference{Name: "monitor", Key: "url"}}}, Migrations: &release.Migrations{Paths: []string{"db"}}}},
		Metrics: release.Metrics{Prometheus: &release.Prometheus{URL: "http://prometheus"}, VersionLabel: "version"},
		Logs:    release.Logs{Loki: &release.Loki{URL: "http://loki", VersionLabel: "app_version"}}, Dashboard: release.Dashboard{Grafana: &release.Grafana{URL: "http://grafana"}},
		Require: release.RequireStarter,
	}}
	facts := &Facts{
		Time: time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC), Stage: StageDeploy, Release: rel, Namespace: "shop", Target: "green",
		Colors:           map[string]Color{"blue": healthyColor("blue"), "green": healthyColor("green")},
		Manifests:        map[string]Fact[[]string]{"green": known([]string{"deployment/shop-green", "service/svc-green"})},
		ManifestMistakes: map[string]map[int][]cluster.ManifestError{},
		DryApply:         known(2),
		DryRun:           known(`[{"op":"replace"}]`),
		Access: known([]Grant{
			{Access: cluster.Access{ResourceAttributes: authorizationv1.ResourceAttributes{
				Namespace: "shop", Resource: "services", Name: "svc-production", Verb: "patch"}, Allowed: true}},
			{Access: cluster.Access{ResourceAttributes: authorizationv1.ResourceAttributes{
				Namespace: "shop", Resource: "configmaps", Verb: "delete"}, Allowed: true}, Without: "old runs are kept for ever"},
		}),
		Autoscalers: known([]autoscalingv2.HorizontalPodAutoscaler{autoscaler("green", 3, 4)}),
		Disruption:  known([]policyv1.PodDisruptionBudget{disruption("blue"), disruption("green")}),
		Quotas:      known([]corev1.ResourceQuota{quotaOf("10", "6")}),
		LimitRanges: known([]corev1.LimitRange{}),
		Services: known([]traffic.Entrance{serviceFor("svc-production", "blue", "http"), serviceFor("svc-blue", "blue", "http"), serviceFor("svc-green", "green", "http"),
			serviceFor("metrics", "green", "metrics"), {Name: "elsewhere"}}),
		RolledBack: known[*RolledBack](nil),
		Nodes:      known([]Node{{Name: "one", CPU: 1000, Memory: 1 << 30, Pods: 50}}),
		NetworkPolicies: known([]networkingv1.NetworkPolicy{policyFor("own", map[string]string{"app": "shop"}, nil),
			policyFor("database", map[string]string{"app": "postgres"}, map[string]string{"app": "shop"})}),
		Jobs:       known([]Job{}),
		Layers:     map[string]Layer{layerIngresses: {Ties: known([]Tie{})}},
		Databases:  map[string]Database{"main": healthyDatabase(rel.Spec.Databases[0])},
		Migrations: map[string]Fact[Migrations]{"main": known(Migrations{Files: 1, Statements: 1})},
		Monitoring: healthyMonitoring(),
		Dashboards: known([]measure.Dashboard{healthyDashboard()}),
	}
	facts.Logs = map[string]Fact[measure.Logs]{"blue": known(healthyLogs(facts.Time, "blue", "v1")), "green": known(healthyLogs(facts.Time, "green", "v2"))}
	facts.Route = known(Route{
		Live:   "blue",
		Sticky: map[string][]string{"": {}},
		Service: &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "shop", "version": "blue"},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}}},
		State: traffic.Route{Split: traffic.Whole("blue"), Owners: map[string][]string{"spec.selector.version": {"kubectl-client-side-apply"}}},
		Proof: known(traffic.Proof{Proven: true, Ready: podNames(facts.Colors["blue"].Pods.Value), Message: "EndpointSlices hold 3/3 ready blue pods and nothing else"}),
	})
	facts.Settings = settings(context.Background(), Inputs{Stage: StagePR}, facts)
	signEverything(facts)
	return facts
}

// signEverything signs off, for what there is, all that a person signs off.
func signEverything(facts *Facts) {
	facts.Images = images(facts)
	facts.SignOffs = known(map[string]signoff.Entry{})
	for _, kind := range signoff.Kinds() {
		binding, _ := Binding(facts, kind)
		facts.SignOffs.Value[kind.ID] = signoff.Entry{SignOff: signoff.SignOff{By: "ana", Until: "2027-01-31", Signed: facts.Time.AddDate(0, 0, -1), Binding: binding}}
	}
}

func declaredColor(color string) release.Color {
	return release.Color{Workloads: []release.Workload{{Kind: "deployment", Name: "shop-" + color}},
		Selector: map[string]string{"version": color}, Service: "svc-" + color}
}

func healthyColor(color string) Color {
	set := map[string]string{"app": "shop", "version": color}
	probe := &corev1.Probe{}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: set}, Spec: corev1.PodSpec{
		TerminationGracePeriodSeconds: ptr.To(int64(30)),
		Containers: []corev1.Container{{Name: "app", Image: "registry.example:5000/shop:v2", ReadinessProbe: probe, LivenessProbe: probe,
			Env: []corev1.EnvVar{{Name: "DB_POOL_SIZE", Value: "5"}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")}}}}}}
	var pods []corev1.Pod
	for i := range 3 {
		pods = append(pods, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("shop-%s-%d", color, i), Labels: set},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.%d.0.%d", len(color), i)}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}})
	}
	workload := "deployment/shop-" + color
	return Color{
		Name: color, Declared: declaredColor(color),
		Workloads: known([]cluster.Workload{{Ref: release.Workload{Kind: "deployment", Name: "shop-" + color}, Replicas: 3, ReadyReplicas: 3,
			Selector: labels.SelectorFromSet(set), Template: template, MaxSurge: 1, Readiness: cluster.Readiness{Done: true, Successful: true}}}),
		Pods: known(pods), Owned: known(pods),
		Service:     known(&corev1.Service{Spec: corev1.ServiceSpec{Selector: set}}),
		ServicePods: known(pods),
		Pools: map[string]map[string]postgres.PoolSize{"main": {workload: {Connections: 5, Known: true, Role: "shop", Trust: postgres.TrustConfigured,
			Provenance: workload + " env DB_POOL_SIZE", Field: workload + " env DB_POOL_SIZE", Processes: 1}}},
		Outdated: known([]Outdated{}),
	}
}

func autoscaler(color string, minimum, maximum int32) autoscalingv2.HorizontalPodAutoscaler {
	return autoscalingv2.HorizontalPodAutoscaler{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop-" + color},
		MinReplicas:    ptr.To(minimum), MaxReplicas: maximum}}
}

func disruption(color string) policyv1.PodDisruptionBudget {
	return policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: color},
		Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"version": color}}}}
}

// serviceFor is a Service that leads to a port of a colour's pods.
func serviceFor(name, color, port string) traffic.Entrance {
	return traffic.Entrance{Name: name, Selector: map[string]string{"app": "shop", "version": color}, Ports: []intstr.IntOrString{intstr.FromString(port)}}
}

// policyFor is a NetworkPolicy for some pods, which lets in others where from
// tells them.
func policyFor(name string, selector, from map[string]string) networkingv1.NetworkPolicy {
	policy := networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: selector}}}
	if from != nil {
		policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: from}}}}}
	}
	return policy
}

func quotaOf(hard, used string) corev1.ResourceQuota {
	return corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Status: corev1.ResourceQuotaStatus{
		Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(hard)},
		Used: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(used)}}}
}

func healthyDatabase(declared release.Database) Database {
	snapshot := postgres.Snapshot{Version: 150004, VersionText: "15.4", Database: "shop", Role: "monitor", SeesSessions: true,
		Limits:    postgres.Limits{MaxConnections: 100, SuperuserReserved: 3, Configured: 100},
		Databases: map[string]postgres.DatabaseState{"shop": {Limit: postgres.NoLimit}},
		Roles:     map[string]postgres.RoleLimit{}, Configuration: true, Timeouts: []postgres.TimeoutSetting{}}
	for _, timeout := range postgres.Timeouts() {
		snapshot.Timeouts = append(snapshot.Timeouts, postgres.TimeoutSetting{Timeout: timeout, Role: "shop", Value: "30s"})
	}
	for pid := range 4 {
		snapshot.Sessions = append(snapshot.Sessions, postgres.Session{PID: pid, BackendType: "client backend", Database: "shop", State: "idle"})
	}
	return Database{Declared: declared, Session: true, Target: "database main at db:5432/shop (direct)", Snapshot: known(snapshot)}
}

// sessionless is the healthy release whose database an exporter counts the
// connections of: blue's fifteen and four more of 97.
func sessionless() *Facts {
	facts := healthy()
	facts.Release.Spec.Databases[0].Observe = release.Observe{Via: release.ViaExporter, Exporter: "data/exporter:9187"}
	facts.Databases["main"] = Database{Declared: facts.Release.Spec.Databases[0], Target: "database main (exporter)", Why: "the Release says so",
		Snapshot: known(postgres.Snapshot{Counted: true, Limits: postgres.Limits{MaxConnections: 100, SuperuserReserved: 3},
			Databases: map[string]postgres.DatabaseState{"shop": {Limit: postgres.NoLimit, Backends: 19}},
			Roles:     map[string]postgres.RoleLimit{}})}
	return facts
}

// goodAlert fires in time.
const goodAlert = "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8"

func healthyMonitoring() Monitoring {
	series := func(color string) Fact[measure.Series] {
		return known(measure.Series{Selector: `{version="` + color + `"}`, Total: 40, Requests: 3, Latency: 30, Age: 5 * time.Second,
			Bounds: []float64{0.1, 0.2, 0.3, 0.5, 1, 2.5}})
	}
	return Monitoring{
		Declared: true, Up: known("newest scrape 3 s ago"),
		Series: map[string]Fact[measure.Series]{"blue": series("blue"), "green": series("green")},
		Requests: map[string]measure.Reading{
			"blue":  {Query: measure.Query{Signal: measure.RequestRate, Color: "blue", Window: time.Minute}, Source: "prometheus", State: measure.OK, Value: 20, Samples: 1200},
			"green": {Query: measure.Query{Signal: measure.RequestRate, Color: "green", Window: time.Minute}, Source: "prometheus", State: measure.NoData, Detail: "no requests of green in 1m"},
		},
		Rules: factOf(gate.Rules(release.Gates{Profile: release.ProfileWeighted}, nil, func(measure.Query) bool { return true })),
		Alerts: known([]measure.AlertRule{{Name: "PostgresConnections", Health: "ok",
			Query: goodAlert}}),
		Comparisons: []Comparison{{Query: goodAlert, Pairs: known(1)}},
		Critical:    measure.Reading{Source: "prometheus", State: measure.OK},
	}
}

// healthyLogs are those of a colour whose pods write all the time.
func healthyLogs(now time.Time, color, version string) measure.Logs {
	logs := measure.Logs{Label: "app_version", Values: []string{version}, Selector: `{namespace="shop",app_version=~"` + version + `"}`, Streams: 3, Pods: 3, Sought: 3}
	for i := range 3 {
		logs.Followed = append(logs.Followed, measure.Followed{Pod: fmt.Sprintf("shop-%s-%d", color, i), Written: now.Add(-110 * time.Second), Shipped: now.Add(-3 * time.Second)})
	}
	return logs
}

func healthyDashboard() measure.Dashboard {
	return measure.Dashboard{UID: "shop", Title: "shop", Sources: map[string]measure.SourceState{"prom": measure.SourceThere},
		Queries: []measure.PanelQuery{{Panel: "Requests", Query: "sum by (version) (rate(http_requests_total[1m]))", Source: "prom"}}}
}

// logs changes what a Loki has of a colour.
func (f *Facts) logs(name string, change func(*measure.Logs)) {
	fact := f.Logs[name]
	change(&fact.Value)
	f.Logs[name] = fact
}

// query lets the only panel of the dashboard ask something else.
func (f *Facts) query(query string, variables ...measure.DashboardVariable) {
	f.Dashboards.Value[0].Queries[0].Query = query
	f.Dashboards.Value[0].Variables = variables
}

// color changes one colour of the facts.
func (f *Facts) color(name string, change func(*Color)) {
	color := f.Colors[name]
	change(&color)
	f.Colors[name] = color
}

// workload changes the only workload of a colour.
func (f *Facts) workload(name string, change func(*cluster.Workload)) {
	f.color(name, func(color *Color) { change(&color.Workloads.Value[0]) })
}

// renewed lets a colour run as it is changed here until its manifests make of it what
// it is.
func (f *Facts) renewed(name string, change func(now *cluster.Workload)) {
	f.color(name, func(color *Color) {
		now := color.Workloads.Value[0]
		now.Template = *now.Template.DeepCopy()
		change(&now)
		color.Running = &Running{Workloads: []cluster.Workload{now}, Pools: map[string]map[string]postgres.PoolSize{}}
	})
}

// container changes the only container of a colour's template.
func (f *Facts) container(name string, change func(*corev1.Container)) {
	f.workload(name, func(w *cluster.Workload) { change(&w.Template.Spec.Containers[0]) })
}

// snapshot changes what was seen of the database.
func (f *Facts) snapshot(change func(*postgres.Snapshot)) {
	database := f.Databases["main"]
	change(&database.Snapshot.Value)
	f.Databases["main"] = database
}

// database changes the database.
func (f *Facts) database(change func(*Database)) {
	database := f.Databases["main"]
	change(&database)
	f.Databases["main"] = database
}

// series changes what a Prometheus holds of a colour.
func (f *Facts) series(name string, change func(*measure.Series)) {
	fact := f.Monitoring.Series[name]
	change(&fact.Value)
	f.Monitoring.Series[name] = fact
}

// requests sets the rate of the live colour.
func (f *Facts) requests(rate float64) {
	reading := f.Monitoring.Requests["blue"]
	reading.Value = rate
	f.Monitoring.Requests["blue"] = reading
}
