package preflight

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// planted is one fault, the check that must see it and what it must say.
type planted struct {
	id    string
	name  string
	plant func(*Facts)
	want  Outcome
	says  string
}

func plantedFaults() []planted {
	return slices.Concat(plantedInColors(), plantedInCapacity(), plantedInRouting(), plantedInDatabase(), plantedInDeclarations(), plantedInConfiguration(), plantedInMonitoring(), plantedInLogs(), plantedInDashboards(), plantedInSignOffs())
}

func plantedInColors() []planted {
	return []planted{
		{"BG-COL-01", "a pod is not ready", func(f *Facts) { f.workload("green", func(w *cluster.Workload) { w.ReadyReplicas = 2 }) }, Fail, "2/3 pods are ready"},
		{"BG-COL-01", "a pod is not ready, and will be replaced", func(f *Facts) {
			f.renewed("green", func(now *cluster.Workload) { now.ReadyReplicas, now.Template.Spec.Containers[0].Image = 2, "shop:v1" })
		}, Warn, "2/3 pods are ready; the shift replaces them by those of its manifests"},
		{"BG-COL-01", "a pod is not ready, and stays", func(f *Facts) {
			f.renewed("green", func(now *cluster.Workload) { now.ReadyReplicas = 2 })
		}, Fail, "2/3 pods are ready"},
		{"BG-COL-01", "scaled to zero", func(f *Facts) { f.workload("green", func(w *cluster.Workload) { w.Replicas, w.ReadyReplicas = 0, 0 }) }, Fail, "scaled to zero"},
		{"BG-COL-01", "not known", func(f *Facts) {
			f.color("green", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "forbidden"} })
		}, Unknown, "forbidden"},
		{"BG-COL-01", "rolling back to fewer", func(f *Facts) {
			f.Stage = StageRollback
			f.workload("green", func(w *cluster.Workload) { w.ReadyReplicas = 1 })
		}, Warn, "1/3"},
		{"BG-COL-01", "rolling back to none", func(f *Facts) {
			f.Stage = StageRollback
			f.workload("green", func(w *cluster.Workload) { w.ReadyReplicas = 0 })
		}, Fail, "0/3"},
		{"BG-COL-02", "no readiness probe", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.ReadinessProbe = nil }) }, Fail, "no container has a readinessProbe"},
		{"BG-COL-02", "no liveness probe", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.LivenessProbe = nil }) }, Warn, "livenessProbe"},
		{"BG-COL-03", "the selector matches nothing", func(f *Facts) {
			f.workload("green", func(w *cluster.Workload) { w.Template.Labels = map[string]string{"app": "shop"} })
		}, Fail, "does not match the pods of deployment/shop-green"},
		{"BG-COL-03", "the selector matches both", func(f *Facts) {
			f.color("green", func(c *Color) { c.Declared.Selector = map[string]string{"app": "shop"} })
		}, Fail, "matches the pods of deployment/shop-blue"},
		{"BG-COL-03", "a stranger wears the label", func(f *Facts) {
			stranger := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "debug", Labels: map[string]string{"app": "shop", "version": "green"}}}
			f.color("green", func(c *Color) {
				c.Workloads.Value[0].Selector = selectorOfLabels("app=shop,version=green,pod-template-hash")
				c.Pods.Value = []corev1.Pod{stranger}
			})
		}, Fail, "debug"},
		{"BG-COL-04", "the Service reaches the other colour", func(f *Facts) { f.color("green", func(c *Color) { c.ServicePods = f.Colors["blue"].Pods }) }, Fail, "shop-blue-0"},
		{"BG-COL-04", "the Service does not exist", func(f *Facts) {
			f.color("green", func(c *Color) { c.Service = Fact[*corev1.Service]{Problem: `services "svc-green" not found`} })
		}, Fail, "does not exist"},
		{"BG-COL-04", "not declared", func(f *Facts) { f.color("green", func(c *Color) { c.Declared.Service = "" }) }, Skip, "not declared: Service of colour green"},
		{"BG-COL-05", "the selector has lost its label", func(f *Facts) {
			f.Route.Value.Live, f.Route.Value.Ambiguous = "", "its selector has no key version, so it may send traffic to every colour"
		}, Fail, "no key version"},
		{"BG-COL-05", "a foreign endpoint", func(f *Facts) {
			f.Route.Value.Proof.Value.Proven, f.Route.Value.Proof.Value.Message = false, "not theirs: 10.0.0.9"
		}, Fail, "not theirs"},
		{"BG-COL-05", "not known", func(f *Facts) { f.Route = Fact[Route]{Problem: "no cluster answers"} }, Unknown, "no cluster answers"},
		{"BG-COL-05", "broken while rolling back", func(f *Facts) {
			f.Stage = StageRollback
			f.Route.Value.Proof.Value.Proven, f.Route.Value.Proof.Value.Ready = false, nil
		}, Warn, ""},
		{"BG-COL-06", "admission refuses", func(f *Facts) {
			f.DryRun, f.DryRunRefused = Fact[string]{Problem: `denied the request: frozen until Monday`}, true
		}, Fail, "frozen until Monday"},
		{"BG-COL-06", "no answer", func(f *Facts) { f.DryRun = Fact[string]{Problem: "context deadline exceeded"} }, Unknown, "deadline exceeded"},
		{"BG-COL-07", "a right is missing", func(f *Facts) { f.Access.Value[0].Allowed = false }, Fail, "verb patch on resource services/svc-production"},
		{"BG-COL-07", "a right that a shift can do without is missing", func(f *Facts) { f.Access.Value[1].Allowed = false }, Warn, "without it, old runs are kept for ever"},
		{"BG-COL-07", "not known", func(f *Facts) { f.Access = Fact[[]Grant]{Problem: "ask whether we may"} }, Unknown, "ask whether"},
		{"BG-COL-08", "smaller than the live colour", func(f *Facts) { f.workload("green", func(w *cluster.Workload) { w.Replicas = 2 }) }, Fail, "wants 2 pods while blue has 3 ready"},
		{"BG-COL-08", "an autoscaler may shrink it", func(f *Facts) { f.Autoscalers.Value[0] = autoscaler("green", 1, 4) }, Warn, "down to 1"},
		{"BG-COL-08", "an autoscaler can't be seen", func(f *Facts) {
			f.Autoscalers = Fact[[]autoscalingv2.HorizontalPodAutoscaler]{Problem: "forbidden"}
		}, Warn, "unless an autoscaler takes it down: forbidden"},
	}
}

func plantedInCapacity() []planted {
	return []planted{
		{"BG-COL-09", "no budget", func(f *Facts) { f.Disruption.Value = f.Disruption.Value[:1] }, Warn, "no PodDisruptionBudget"},
		{"BG-COL-09", "one budget for both", func(f *Facts) {
			f.Disruption.Value = f.Disruption.Value[:1]
			f.Disruption.Value[0].Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "shop"}}
		}, Warn, "covers deployment/shop-green too"},
		{"BG-COL-09", "the other colour is not known", func(f *Facts) {
			f.color("green", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "forbidden"} })
		}, Unknown, "poddisruptionbudget/blue covers it; whether it covers green too can't be seen: forbidden"},
		{"BG-COL-10", "the quota is used up", func(f *Facts) { f.Quotas.Value[0] = quotaOf("6", "6") }, Fail, "pods would be 7 of 6"},
		{"BG-COL-10", "no room for the pods that are missing", func(f *Facts) {
			f.Manifests, f.Quotas.Value[0] = nil, quotaOf("5", "4")
			f.color("green", func(c *Color) { c.Owned.Value = c.Owned.Value[:1] })
		}, Fail, "pods would be 6 of 5"},
		{"BG-COL-10", "no room for the spare pod", func(f *Facts) { f.Manifests, f.Quotas.Value[0] = nil, quotaOf("6", "6") }, Warn, "pods would be 7 of 6 with the spare pod"},
		{"BG-COL-10", "which pods there are is not known", func(f *Facts) {
			f.color("green", func(c *Color) { c.Owned = Fact[[]corev1.Pod]{Problem: "list pods: forbidden"} })
		}, Unknown, "forbidden"},
		{"BG-COL-11", "the node is full", func(f *Facts) { f.Nodes.Value[0].CPU = 50 }, Warn, "1 of 1 pods"},
		{"BG-COL-11", "not allowed to look", func(f *Facts) { f.Nodes = Fact[[]Node]{Problem: "list nodes: forbidden"} }, Unknown, "forbidden"},
		{"BG-COL-12", "latest", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.Image = "shop:latest" }) }, Warn, "shop:latest"},
		{"BG-COL-12", "a tag that nobody filled in", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.Image = "shop:${{ TAG }}" }) }, Warn, "shop:${{ TAG }}, a template that nobody has filled in"},
		{"BG-COL-12", "a variable for a digest", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.Image = "shop@$DIGEST" }) }, Warn, "a template that nobody has filled in"},
		{"BG-COL-12", "no tag behind a port", func(f *Facts) { f.container("blue", func(c *corev1.Container) { c.Image = "registry:5000/shop" }) }, Warn, "registry:5000/shop"},
		{"BG-COL-13", "killed at once", func(f *Facts) {
			f.workload("green", func(w *cluster.Workload) { w.Template.Spec.TerminationGracePeriodSeconds = ptr.To(int64(0)) })
		}, Fail, "killed at once"},
		{"BG-COL-13", "slept away", func(f *Facts) {
			f.container("green", func(c *corev1.Container) {
				c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}}}
			})
		}, Fail, "uses up the grace period"},
		{"BG-COL-14", "a variable was forgotten", func(f *Facts) { f.container("green", func(c *corev1.Container) { c.Env = nil }) }, Warn, "only blue has DB_POOL_SIZE"},
		{"BG-COL-15", "the route is applied with a colour", func(f *Facts) { f.Manifests["green"] = known([]string{"service/svc-production"}) }, Fail, "they hold service/svc-production, the production route"},
		{"BG-COL-15", "can't be read", func(f *Facts) { f.Manifests["green"] = Fact[[]string]{Problem: "line 3"} }, Unknown, "line 3"},
		{"BG-COL-16", "an account of its own", func(f *Facts) {
			f.workload("green", func(w *cluster.Workload) { w.Template.Spec.ServiceAccountName = "admin" })
		}, Warn, "they differ in serviceAccountName"},
		{"BG-COL-16", "another security context and limit", func(f *Facts) {
			f.container("green", func(c *corev1.Container) {
				c.SecurityContext = &corev1.SecurityContext{Privileged: ptr.To(true)}
				c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
			})
		}, Warn, "they differ in containers[app].resources.limits, containers[app].securityContext"},
		{"BG-COL-16", "another Secret", func(f *Facts) {
			for color, secret := range map[string]string{"blue": "shop", "green": "shop-next"} {
				f.container(color, func(c *corev1.Container) {
					c.Env = append(c.Env, corev1.EnvVar{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
						LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: "token"}}})
				})
			}
		}, Warn, "they differ in containers[app].env[TOKEN].valueFrom"},
		{"BG-COL-16", "another number of workloads", func(f *Facts) {
			f.color("green", func(c *Color) { c.Workloads.Value = nil })
		}, Warn, "blue has 1 workloads and green has 0"},
		{"BG-COL-16", "not known", func(f *Facts) {
			f.color("green", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "forbidden"} })
		}, Unknown, "forbidden"},
		{"BG-COL-17", "a policy refuses them", func(f *Facts) {
			f.DryApply, f.DryApplyRefused = Fact[int]{Problem: "apply deployment/shop-green: denied"}, true
		}, Fail, "the server refuses them: apply deployment/shop-green: denied"},
		{"BG-COL-17", "no answer", func(f *Facts) { f.DryApply = Fact[int]{Problem: "deadline exceeded"} }, Unknown, "deadline exceeded"},
		{"BG-COL-18", "as bad as it was", func(f *Facts) {
			f.RolledBack.Value = &RolledBack{Run: "20261122-140000-k7f3q", Target: "green", Reason: "error ratio of green 8 %", Unchanged: []string{"deployment/shop-green"}}
		}, Warn, "it was rolled back from green, which is what it was then (deployment/shop-green): error ratio of green 8 %"},
		{"BG-COL-18", "no record", func(f *Facts) { f.RolledBack = Fact[*RolledBack]{Problem: "forbidden"} }, Unknown, "forbidden"},
		{"BG-COL-19", "a line that is no YAML", func(f *Facts) {
			f.ManifestMistakes["green"] = map[int][]cluster.ManifestError{0: {{File: "green.yaml", Line: 3, Message: "did not find expected key"}}}
		}, Fail, "line 3: did not find expected key"},
		{"BG-COL-19", "a folder that is not there", func(f *Facts) {
			f.ManifestMistakes["green"] = map[int][]cluster.ManifestError{0: {{File: "deploy/green", Message: "no such file or directory"}}}
		}, Fail, "no such file or directory"},
		{"BG-COL-19", "a field that there is not", func(f *Facts) {
			f.ManifestMistakes["green"] = map[int][]cluster.ManifestError{0: {{File: "green.yaml", Line: 5, Object: "deployment/shop-green", Field: "spec.replica", Message: "unknown field", Unknown: true}}}
		}, Warn, "unknown field (green.yaml:5)"},
		{"BG-COL-19", "can't be read", func(f *Facts) { f.Manifests["green"] = Fact[[]string]{Problem: "line 3"} }, Unknown, "line 3"},
		{"BG-COL-19", "facts of before", func(f *Facts) { f.ManifestMistakes = nil }, Unknown, "it was not looked at"},
		{"BG-COL-19", "none declared", func(f *Facts) { f.Manifests = nil }, Skip, "not declared: manifests"},
		{"BG-COL-17", "none declared", func(f *Facts) { f.Manifests = nil }, Skip, "not declared: manifests of colour green"},
		{"BG-COL-15", "none declared", func(f *Facts) { f.Manifests = nil }, Skip, "not declared: manifests"},
	}
}

func plantedInRouting() []planted {
	return []planted{
		{"BG-NET-01", "sticky", func(f *Facts) { f.Route.Value.Service.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }, Fail, "ClientIP"},
		{"BG-NET-01", "sticky at the load balancer", func(f *Facts) { f.Route.Value.Sticky[""] = []string{"sticky-sessions=cookies"} }, Fail, "what stands in front of it ties clients, so they stay on the version they had: sticky-sessions=cookies"},
		{"BG-NET-01", "facts of before", func(f *Facts) { f.Route.Value.Sticky = nil }, Unknown, "was not looked at"},
		{"BG-NET-02", "a name only", func(f *Facts) {
			f.Route.Value.Service.Spec.Type, f.Route.Value.Service.Spec.ExternalName = corev1.ServiceTypeExternalName, "shop.example"
		}, Fail, "ExternalName for shop.example"},
		{"BG-NET-02", "headless", func(f *Facts) { f.Route.Value.Service.Spec.ClusterIP = corev1.ClusterIPNone }, Fail, "headless"},
		{"BG-NET-03", "a load balancer", func(f *Facts) { f.Route.Value.Service.Spec.Type = corev1.ServiceTypeLoadBalancer }, Warn, "LoadBalancer"},
		{"BG-NET-04", "Argo CD owns it", func(f *Facts) {
			f.Route.Value.State.Owners["spec.selector.version"] = []string{"argocd-controller"}
		}, Warn, "argocd-controller"},
		{"BG-NET-06", "a policy for one colour", func(f *Facts) {
			f.NetworkPolicies.Value = append(f.NetworkPolicies.Value, policyFor("old", map[string]string{"version": "blue"}, map[string]string{"app": "gateway"}))
		}, Warn, "it selects the pods of blue, and nothing does the same for green"},
		{"BG-NET-06", "the database lets in one colour", func(f *Facts) {
			f.NetworkPolicies.Value[1] = policyFor("database", map[string]string{"app": "postgres"}, map[string]string{"version": "blue"})
		}, Warn, "it lets in blue, and nothing does the same for green"},
		{"BG-NET-06", "pods that talk to one colour", func(f *Facts) {
			policy := policyFor("gateway", map[string]string{"app": "gateway"}, nil)
			policy.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{To: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"version": "green"}}}}}}
			f.NetworkPolicies.Value = append(f.NetworkPolicies.Value, policy)
		}, Warn, "it lets pods out to green, and nothing does the same for blue"},
		{"BG-NET-06", "a planned colour brings another of that name", func(f *Facts) {
			f.color("green", func(c *Color) {
				c.PoliciesPlanned = []networkingv1.NetworkPolicy{policyFor("own", map[string]string{"version": "green"}, nil)}
			})
		}, Warn, "it selects the pods of green, and nothing does the same for blue"},
		{"BG-NET-06", "a planned colour brings one of its own", func(f *Facts) {
			f.color("green", func(c *Color) {
				c.PoliciesPlanned = []networkingv1.NetworkPolicy{policyFor("green", map[string]string{"version": "green"}, map[string]string{"app": "gateway"})}
			})
		}, Warn, "it selects the pods of green, and nothing does the same for blue"},
		{"BG-NET-07", "another Service leads to the target", func(f *Facts) {
			f.Services.Value = append(f.Services.Value, serviceFor("legacy", "green", "http"))
		}, Warn, "it leads to green, and no shift moves it"},
		{"BG-NET-07", "one that leads to both", func(f *Facts) {
			both := serviceFor("legacy", "green", "http")
			both.Selector = map[string]string{"app": "shop"}
			f.Services.Value = append(f.Services.Value, both)
		}, Warn, "it leads to blue and green, and no shift moves it"},
		{"BG-NET-07", "the route of another document", func(f *Facts) {
			moved := serviceFor("svc-shop", "green", "http")
			moved.Moved = true
			f.Services.Value = append(f.Services.Value, moved)
		}, Fail, "it leads to green, a shift has moved it before, and this Release does not name it"},
		{"BG-NET-07", "not allowed to look", func(f *Facts) { f.Services = Fact[[]traffic.Entrance]{Problem: "forbidden"} }, Unknown, "forbidden"},
		{"BG-NET-06", "not allowed to look", func(f *Facts) {
			f.NetworkPolicies = Fact[[]networkingv1.NetworkPolicy]{Problem: "forbidden"}
		}, Unknown, "forbidden"},
	}
}

func plantedInDatabase() []planted {
	return []planted{
		{"BG-DB-01", "not reachable", func(f *Facts) {
			f.database(func(d *Database) { d.Snapshot = Fact[postgres.Snapshot]{Problem: "connection refused"} })
		}, Unknown, "connection refused"},
		{"BG-DB-01", "exhausted", func(f *Facts) {
			f.database(func(d *Database) {
				d.Exhausted, d.Snapshot = true, Fact[postgres.Snapshot]{Problem: "too many connections"}
			})
		}, Fail, "too many connections"},
		{"BG-DB-01", "the observer's own limit", func(f *Facts) {
			f.database(func(d *Database) {
				d.RoleFull, d.Snapshot = true, Fact[postgres.Snapshot]{Problem: "no connection left of its own CONNECTION LIMIT"}
			})
		}, Unknown, "CONNECTION LIMIT"},
		{"BG-DB-01", "a standby", func(f *Facts) { f.snapshot(func(s *postgres.Snapshot) { s.Standby = true }) }, Warn, "not those of the primary"},
		{"BG-DB-01", "the exporter has no session", uncounted, Unknown, "exporter: pg_up is 0"},
		{"BG-DB-03", "the exporter has no session", uncounted, Unknown, "not known: exporter: pg_up is 0"},
		{"BG-DB-02", "the session that was declared is not there", func(f *Facts) {
			*f = *sessionless()
			f.database(func(d *Database) {
				d.Declared.Observe = release.Observe{DSN: release.SecretSource{Env: "MONITOR_URL"}}
				d.Why = "Prometheus is declared and there is no connection string"
			})
		}, Warn, "though observe.dsn is declared: Prometheus is declared and there is no connection string"},
		{"BG-DB-03", "the pools are too large for an exporter's limits", func(f *Facts) {
			*f = *sessionless()
			pool(f, "blue", 20)
			pool(f, "green", 20)
		}, Fail, "180 connections are asked for at the peak, 19 sessions of anybody are there"},
		{"BG-DB-03", "whose the sessions are is not known", func(f *Facts) {
			*f = *sessionless()
			f.snapshot(func(s *postgres.Snapshot) { s.Databases["shop"] = postgres.DatabaseState{Limit: -1, Backends: 45} })
		}, Warn, "depends on how many of the 45 sessions there are the colours' own"},
		{"BG-DB-02", "exhausted", exhaust, Unknown, "refuses connections"},
		{"BG-DB-03", "exhausted", exhaust, Fail, "no connection is left for either colour"},
		{"BG-DB-05", "exhausted", exhaust, Fail, "every connection is in use"},
		{"BG-DB-01", "not declared", func(f *Facts) { f.Release.Spec.Databases = nil }, Skip, "not declared: database"},
		{"BG-DB-02", "can't see", func(f *Facts) { f.snapshot(func(s *postgres.Snapshot) { s.SeesSessions = false }) }, Fail, "can't see others' sessions"},
		{"BG-DB-03", "the pools are too large", func(f *Facts) { pool(f, "blue", 20); pool(f, "green", 20) }, Fail, "a pool of 6 per pod fits"},
		{"BG-DB-03", "the pools that run are too large", func(f *Facts) {
			f.renewed("green", func(*cluster.Workload) {})
			size := f.Colors["green"].Pools["main"]["deployment/shop-green"]
			size.Connections = 20
			f.Colors["green"].Running.Pools["main"] = map[string]postgres.PoolSize{"deployment/shop-green": size}
		}, Fail, "connections are asked for at the peak"},
		{"BG-DB-03", "a pool is unknown", func(f *Facts) { pool(f, "green", 0) }, Unknown, "the pool size of green is unknown"},
		{"BG-DB-03", "an autoscaler can't be seen", func(f *Facts) { f.Autoscalers.Known, f.Autoscalers.Problem = false, "forbidden" }, Warn, "unless an autoscaler adds pods"},
		{"BG-DB-03", "the workloads are not known", func(f *Facts) {
			f.color("blue", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "forbidden"} })
		}, Unknown, "forbidden"},
		{"BG-DB-04", "a restart waits", func(f *Facts) { f.snapshot(func(s *postgres.Snapshot) { s.Limits.Configured = 300 }) }, Warn, "300 is configured"},
		{"BG-DB-04", "a restart waits, unreadable", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) { s.Limits.Configured, s.Limits.PendingRestart = 0, true })
		}, Warn, "another value waits"},
		{"BG-DB-05", "nearly full", func(f *Facts) { f.snapshot(func(s *postgres.Snapshot) { s.Limits.MaxConnections = 7 }) }, Fail, "100 % of its connections"},
		{"BG-DB-05", "the colours' role is nearly full", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) {
				s.Sessions[0].Application, s.Sessions[0].Role = "shop-green", "app"
				s.Roles["app"] = postgres.RoleLimit{Limit: 1}
			})
		}, Fail, "100 % of its connections"},
		{"BG-DB-05", "by an exporter", func(f *Facts) {
			*f = *sessionless()
			f.snapshot(func(s *postgres.Snapshot) { s.Databases["shop"] = postgres.DatabaseState{Limit: -1, Backends: 90} })
		}, Fail, "93 %"},
		{"BG-DB-06", "idle in transaction", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) {
				s.Sessions[0].State, s.Sessions[0].TransactionAge = "idle in transaction", 5*time.Minute
			})
		}, Warn, "idle in a transaction for 5m0s"},
		{"BG-DB-07", "a waiter", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) { s.Sessions[1].WaitingForLock, s.Sessions[1].BlockedBy = true, []int{0} })
		}, Warn, "1 (unnamed) behind 0"},
		{"BG-DB-08", "a column is dropped", migrates("ALTER TABLE orders DROP COLUMN note;"), Fail, "drop-column (BI): column note of orders is dropped"},
		{"BG-DB-08", "a table is locked without an end", migrates("ALTER TABLE orders ADD COLUMN a int;"), Fail, "lock-timeout (L)"},
		{"BG-DB-08", "null is let in", migrates("SET lock_timeout = '1s';\nALTER TABLE orders ALTER note DROP NOT NULL;"), Warn, "drop-not-null (RB)"},
		{"BG-DB-08", "what can't be read", migrates("ALTER TABLE ${schema}.orders ADD COLUMN a int;"), Fail, "unread (R)"},
		{"BG-DB-08", "an acknowledgement without a reason", migrates("-- bluegreen:allow drop-table\nDROP TABLE carts;"), Fail, "the reason is missing"},
		{"BG-DB-08", "a Release that came from no file", func(f *Facts) {
			f.Migrations = judgedMigrations(Inputs{Release: f.Release})
		}, Unknown, "not at hand"},
		{"BG-DB-08", "none declared", func(f *Facts) { f.Release.Spec.Databases[0].Migrations = nil }, Skip, "not declared: migrations of database main"},
		{"BG-DB-09", "no bound for statements", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) { s.Timeouts[0].Value = "0" })
		}, Warn, "neither role shop nor database shop sets statement_timeout"},
		{"BG-DB-09", "a configuration that can't be read", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) { s.Timeouts, s.Configuration = s.Timeouts[:1], false })
		}, Warn, "sets lock_timeout, idle_in_transaction_session_timeout; what the server's configuration says can't be read by role monitor"},
		{"BG-DB-09", "a role that nobody knows", func(f *Facts) {
			for _, name := range []string{"blue", "green"} {
				f.color(name, func(c *Color) { c.Pools = nil })
			}
		}, Unknown, "as which role the colours log in is not known"},
		{"BG-DB-09", "facts of before", func(f *Facts) {
			f.snapshot(func(s *postgres.Snapshot) { s.Timeouts = nil })
		}, Unknown, "was not looked at"},
	}
}

// uncounted is a database whose exporter doesn't count.
func uncounted(f *Facts) {
	*f = *sessionless()
	f.database(func(d *Database) { d.Snapshot = Fact[postgres.Snapshot]{Problem: "exporter: pg_up is 0"} })
}

// exhaust is a database that refuses connections.
func exhaust(f *Facts) {
	f.database(func(d *Database) {
		d.Exhausted, d.Snapshot = true, Fact[postgres.Snapshot]{Problem: "too many connections"}
	})
}

// uses lets the connection strings of both colours name a database.
func (f *Facts) uses(database string) {
	for _, color := range f.Colors {
		for workload, pool := range color.Pools["main"] {
			pool.Database = database
			color.Pools["main"][workload] = pool
		}
	}
}

// alert is the only one, with what it compares.
func (f *Facts) alert(query string, pairs Fact[int]) {
	f.Monitoring.Alerts.Value[0].Query = query
	f.Monitoring.Comparisons = []Comparison{{Query: query, Pairs: pairs}}
}

// outdated has pods of a colour run with variables of before.
func (f *Facts) outdated(name string, change func(*Color)) {
	f.color(name, func(c *Color) {
		c.Outdated = known([]Outdated{{Workload: "deployment/shop-" + name, Object: "configmap/shop", Pods: 2,
			Started: f.Time.Add(-time.Hour), Written: cluster.Written{Time: f.Time.Add(-time.Minute), Manager: "kubectl-patch"}}})
		change(c)
	})
}

func plantedInConfiguration() []planted {
	as := func(*Color) {}
	applied := func(annotations map[string]string) func(*Color) {
		return func(c *Color) {
			c.Running = &Running{Workloads: slices.Clone(c.Workloads.Value)}
			c.Workloads.Value[0].Template.Annotations = annotations
		}
	}
	return []planted{
		{"BG-COL-20", "the target's variables were written since", func(f *Facts) { f.outdated("green", as) }, Fail,
			"2 of its pods run since 2026-11-22T14:00:00Z, and configmap/shop was written at 2026-11-22T14:59:00Z, by kubectl-patch: they would get the traffic with what it said before"},
		{"BG-COL-20", "and its workload isn't in the manifests", func(f *Facts) { f.outdated("green", applied(nil)) }, Fail, "they would get the traffic"},
		{"BG-COL-20", "the live colour's were", func(f *Facts) { f.outdated("blue", as) }, Warn, "what is judged of it is not what they run with"},
		{"BG-COL-20", "not known", func(f *Facts) {
			f.color("green", func(c *Color) { c.Outdated = notKnown[[]Outdated](errors.New("secrets is forbidden")) })
		}, Unknown, "secrets is forbidden"},
		{"BG-COL-20", "nothing runs", func(f *Facts) { f.outdated("green", func(c *Color) { c.Planned = true }) }, Skip, "none of its pods is wanted yet"},
	}
}

func plantedInMonitoring() []planted {
	return []planted{
		{"BG-MON-01", "no series of green", func(f *Facts) {
			f.series("green", func(s *measure.Series) { *s = measure.Series{Selector: s.Selector} })
		}, Fail, `no series {version="green"}`},
		{"BG-MON-01", "live without requests", func(f *Facts) { f.series("blue", func(s *measure.Series) { s.Requests = 0 }) }, Fail, "0 series"},
		{"BG-MON-01", "prometheus is down", func(f *Facts) { f.Monitoring.Series["green"] = Fact[measure.Series]{Problem: "no answer"} }, Unknown, "no answer"},
		{"BG-MON-01", "nothing declared", func(f *Facts) { f.Monitoring.Declared, f.Monitoring.Requests = false, nil }, Skip, "not declared: metrics of blue"},
		{"BG-MON-01", "the pods are down", func(f *Facts) {
			f.Monitoring.Declared = false
			f.Monitoring.Requests["green"] = measure.Reading{Source: "pods", State: measure.SourceDown, Detail: "refused"}
		}, Unknown, "pods: refused"},
		{"BG-MON-02", "down", func(f *Facts) { f.Monitoring.Up = Fact[string]{Problem: "connection refused"} }, Unknown, "connection refused"},
		{"BG-MON-02", "stale", func(f *Facts) { f.series("blue", func(s *measure.Series) { s.Age = 4 * time.Minute }) }, Fail, "4m0s old"},
		{"BG-MON-02", "nothing is scraped", func(f *Facts) { f.Monitoring.ScrapeAge = 4 * time.Minute }, Fail, "it scrapes nothing"},
		{"BG-MON-03", "the thresholds are not known", func(f *Facts) { f.Monitoring.Rules = Fact[[]gate.Rule]{Problem: "override rule \"none\""} }, Unknown, "override rule"},
		{"BG-MON-03", "no rule has one", func(f *Facts) { f.Monitoring.Rules.Value = nil }, Skip, "no rule of the gate has a latency threshold"},
		{"BG-MON-03", "no bound above the threshold", func(f *Facts) { f.series("green", func(s *measure.Series) { s.Bounds = []float64{0.1, 0.5, 1} }) }, Fail, "no finite bound is above 1 s (rollback-latency-p95)"},
		{"BG-MON-03", "no bound below", func(f *Facts) { f.series("green", func(s *measure.Series) { s.Bounds = []float64{0.5, 1, 2} }) }, Warn, "no bound is at or under 0.3 s"},
		{"BG-MON-03", "a wide bucket", func(f *Facts) { f.series("green", func(s *measure.Series) { s.Bounds = []float64{0.1, 1, 2} }) }, Warn, "between the bounds 0.1 and 1"},
		{"BG-MON-04", "no alert", func(f *Facts) {
			f.Monitoring.Alerts.Value[0] = measure.AlertRule{Name: "Down", Query: "up == 0", Health: "ok"}
		}, Fail, "none of 1"},
		{"BG-MON-04", "a limit is no use", func(f *Facts) {
			f.Monitoring.Alerts.Value[0] = measure.AlertRule{Name: "Limit", Query: "pg_settings_max_connections < 100", Health: "ok"}
		}, Fail, "none of 1"},
		{"BG-MON-04", "a recording rule", func(f *Facts) {
			f.Monitoring.Alerts.Value[0] = measure.AlertRule{Name: "DatabaseFull", Query: "db:connections:ratio > 0.8", Health: "ok"}
		}, Unknown, "DatabaseFull fires can't be read from its expression"},
		{"BG-MON-04", "a recording rule beside one that fires late", func(f *Facts) {
			f.Monitoring.Alerts.Value[0].Query = "sum(pg_stat_database_numbackends) > 0.95 * max(pg_settings_max_connections)"
			f.Monitoring.Alerts.Value = append(f.Monitoring.Alerts.Value, measure.AlertRule{Name: "ConnectionsWarning", Query: "job:db:ratio > 0.8", Health: "ok"})
		}, Unknown, "ConnectionsWarning fires"},
		{"BG-MON-04", "a plain number", func(f *Facts) {
			f.Monitoring.Alerts.Value[0].Query = "sum(pg_stat_database_numbackends) > 80"
		}, Unknown, "can't be read"},
		{"BG-MON-04", "too late", func(f *Facts) {
			f.Monitoring.Alerts.Value[0].Query = "sum(pg_stat_database_numbackends) > 0.95 * max(pg_settings_max_connections)"
		}, Fail, "only above 80 %"},
		{"BG-MON-04", "a share that is held against a percentage", func(f *Facts) {
			f.Monitoring.Alerts.Value[0].Query = "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80"
		}, Fail, "only above 80 %"},
		{"BG-MON-04", "series that never come together", func(f *Facts) {
			f.alert("pg_stat_database_numbackends / pg_settings_max_connections > 0.8", known(0))
		}, Unknown, "PostgresConnections may not tell: it holds series against others of unlike labels"},
		{"BG-MON-04", "an average", func(f *Facts) {
			f.alert("avg(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8", known(1))
		}, Unknown, "PostgresConnections may not tell: it goes by the least or the average"},
		{"BG-MON-04", "the least", func(f *Facts) {
			f.alert("min(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8", known(1))
		}, Unknown, "it goes by the least or the average"},
		{"BG-MON-04", "some states", func(f *Facts) {
			f.alert(`sum(pg_stat_activity_count{state="idle in transaction"}) / max(pg_settings_max_connections) > 0.8`, known(1))
		}, Unknown, "it counts connections in some states alone"},
		{"BG-MON-04", "another database", func(f *Facts) {
			f.uses("shop")
			f.alert(`sum(pg_stat_database_numbackends{datname="other"}) / max(pg_settings_max_connections) > 0.8`, known(1))
		}, Fail, "PostgresConnections leaves out database main (datname shop)"},
		{"BG-MON-04", "one database of several", func(f *Facts) {
			f.uses("shop")
			f.snapshot(func(s *postgres.Snapshot) { s.Databases["crm"] = postgres.DatabaseState{Backends: 54} })
			f.alert(`pg_stat_database_numbackends{datname="shop"} / on (instance) pg_settings_max_connections > 0.8`, known(1))
		}, Fail, "PostgresConnections fires only above 80 %: it counts database shop alone, and others have taken 54 of the 100 connections"},
		{"BG-MON-04", "one database of who knows how many", func(f *Facts) {
			f.database(func(d *Database) { d.Snapshot = notKnown[postgres.Snapshot](errors.New("refused")) })
			f.alert(`pg_stat_database_numbackends{datname="shop"} / on (instance) pg_settings_max_connections > 0.8`, known(1))
		}, Unknown, "what others take from the same maximum is not known"},
		{"BG-MON-04", "no series", func(f *Facts) {
			f.alert(`sum(pg_stat_database_numbackends{instance="elsewhere"}) / max(pg_settings_max_connections) > 0.8`, known(0))
		}, Fail, "PostgresConnections never fires: Prometheus finds no series"},
		{"BG-MON-04", "whether there are series is not known", func(f *Facts) { f.Monitoring.Comparisons[0].Pairs = Fact[int]{Problem: "no answer in time"} },
			Unknown, "whether PostgresConnections has series to compare is not known: no answer in time"},
		{"BG-MON-04", "nobody asked for series", func(f *Facts) { f.Monitoring.Comparisons = nil }, Unknown, "is not known: " + notLookedAt},
		{"BG-MON-04", "broken", func(f *Facts) { f.Monitoring.Alerts.Value[0].Health = "err" }, Fail, "health is not ok"},
		{"BG-MON-05", "firing", func(f *Facts) {
			f.Monitoring.Critical.Value, f.Monitoring.Critical.Detail = 1, "ShopDown"
		}, Fail, "ShopDown"},
		{"BG-MON-05", "not declared", func(f *Facts) { f.Monitoring.Critical = measure.Reading{} }, Skip, "not declared: alertmanager"},
		{"BG-MON-05", "alertmanager is down", func(f *Facts) { f.Monitoring.Critical.State = measure.SourceDown }, Unknown, ""},
		{"BG-MON-06", "a quiet service", func(f *Facts) { f.requests(1.5) }, Warn, "blue answers 1.50/s now; it gives the target fewer than the 100 requests in 1m that advance-error-ratio needs"},
		{"BG-MON-06", "a first step that is small", func(f *Facts) {
			f.Release.Spec.Traffic.Steps = []release.Step{{Match: &release.Match{}}, {Weight: 5}, {Weight: 100}}
		}, Warn, "blue answers 20.00/s now; the first step of 5 % gives the target fewer than the 100 requests"},
		{"BG-MON-06", "no requests", func(f *Facts) {
			f.Monitoring.Requests["blue"] = measure.Reading{Source: "pods", State: measure.NoData, Detail: "no requests of blue in 1m"}
		}, Warn, "no requests of blue in 1m"},
		{"BG-MON-06", "nothing can tell", func(f *Facts) {
			f.Monitoring.Requests["blue"] = measure.Reading{Source: "pods", State: measure.SourceDown, Detail: "refused"}
		}, Unknown, "pods: refused"},
		{"BG-MON-06", "the rules are not known", func(f *Facts) { f.Monitoring.Rules = Fact[[]gate.Rule]{Problem: "override rule"} }, Unknown, "override rule"},
		{"BG-MON-06", "nothing declared", func(f *Facts) { f.Monitoring.Requests = nil }, Skip, "not declared: metrics of blue"},
	}
}

func TestEachCheckSeesItsPlantedFault(t *testing.T) {
	for _, test := range plantedFaults() {
		t.Run(test.id+" "+test.name, func(t *testing.T) {
			facts := healthy()
			test.plant(facts)
			stage := facts.Stage
			report := Evaluate(facts, Catalogue(), stage)
			index := slices.IndexFunc(report.Findings, func(f Finding) bool {
				return f.ID == test.id && f.Outcome == test.want && strings.Contains(f.Cause, test.says)
			})
			if index < 0 {
				t.Fatalf("no %s of %s that says %q in %+v", test.want, test.id, test.says, findingsOf(report, test.id))
			}
			finding := report.Findings[index]
			if test.want != Skip && finding.Remedy == "" {
				t.Errorf("%+v has no remedy", finding)
			}
			if wantBlock := test.want == Fail || test.want == Unknown && finding.Critical; finding.Blocks != wantBlock || wantBlock && !report.Blocked() {
				t.Errorf("blocks = %t, report blocked = %t; want %t", finding.Blocks, report.Blocked(), wantBlock)
			}
		})
	}
}

// What can't be known has the remedy for that, and not the one for the fault
// that the check looks for.
func TestRemedyFitsWhatIsNotKnown(t *testing.T) {
	noManifests := release.WithHint(errors.New("no such folder"), "create the folder")
	withoutBounds := func(f *Facts) { f.series("green", func(s *measure.Series) { s.Bounds = nil }) }
	for name, test := range map[string]struct {
		id     string
		plant  func(*Facts)
		remedy string
	}{
		"manifests that are not there": {"BG-COL-02", func(f *Facts) {
			f.color("green", func(c *Color) { c.Workloads = notKnown[[]cluster.Workload](noManifests) })
		}, "create the folder"},
		"objects of such manifests": {"BG-COL-15", func(f *Facts) { f.Manifests["green"] = notKnown[[]string](noManifests) }, "create the folder"},
		"a right that is missing": {"BG-COL-09", func(f *Facts) {
			f.Disruption = notKnown[[]policyv1.PodDisruptionBudget](apierrors.NewForbidden(policyv1.Resource("poddisruptionbudgets"), "",
				errors.New(`User "ann" cannot list resource "poddisruptionbudgets" in API group "policy" in the namespace "shop"`)))
		}, "ask for that right"},
		"buckets of what is not deployed": {"BG-MON-03", func(f *Facts) {
			withoutBounds(f)
			f.color("green", func(c *Color) { c.Planned = true })
		}, "nothing to do before green runs"},
		"buckets of what runs":  {"BG-MON-03", withoutBounds, "send it a request"},
		"nothing better to say": {"BG-COL-02", func(f *Facts) { f.color("green", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{} }) }, "set spec.template"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthy()
			test.plant(facts)
			found := false
			for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), test.id) {
				if finding.Outcome == Unknown {
					found = true
					if !strings.HasPrefix(finding.Remedy, test.remedy) {
						t.Errorf("%s: remedy %q, want %q", finding.Cause, finding.Remedy, test.remedy)
					}
				}
			}
			if !found {
				t.Errorf("no unknown of %s", test.id)
			}
		})
	}
}

func TestHealthyFactsPassEveryCheck(t *testing.T) {
	for _, stage := range Stages() {
		facts := healthy()
		facts.Stage = stage
		report := Evaluate(facts, Catalogue(), stage)
		for _, finding := range report.Findings {
			if finding.Outcome != Pass {
				t.Errorf("%s: %s %s: %s: %s", stage, finding.ID, finding.Outcome, finding.Subject, finding.Cause)
			}
		}
		if report.Blocked() {
			t.Errorf("%s: blocked by %v", stage, report.Blocking)
		}
	}
}

// A monitor that may have one connection and has it fills nothing.
func TestALimitOfAnotherRoleIsNoUsage(t *testing.T) {
	facts := healthy()
	facts.snapshot(func(s *postgres.Snapshot) {
		s.Sessions[0].Application, s.Sessions[0].Role = "postgres_exporter", "exporter"
		s.Roles["exporter"] = postgres.RoleLimit{Limit: 1}
	})
	if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-05")[0]; finding.Outcome != Pass {
		t.Errorf("%+v, want a pass", finding)
	}
}

// A database that an exporter counts the connections of can pass: what no
// session sees is left out, and says so. Production demands a session.
func TestHealthyFactsWithoutASessionPass(t *testing.T) {
	facts := sessionless()
	report := Evaluate(facts, Catalogue(), StageDeploy)
	if report.Blocked() || report.Counts[Warn]+report.Counts[Fail]+report.Counts[Unknown] > 0 {
		t.Errorf("blocked by %v: %v", report.Blocking, report.Counts)
	}
	want := map[string]Outcome{"BG-DB-01": Pass, "BG-DB-02": Skip, "BG-DB-03": Pass, "BG-DB-04": Skip, "BG-DB-05": Pass, "BG-DB-06": Skip, "BG-DB-07": Skip, "BG-DB-09": Skip}
	for id, outcome := range want {
		findings := findingsOf(report, id)
		if len(findings) != 1 || findings[0].Outcome != outcome || outcome == Skip && !strings.Contains(findings[0].Cause, "database main (exporter)") {
			t.Errorf("%s: %+v, want %s", id, findings, outcome)
		}
	}
	facts.Release.Spec.Require = release.RequireProduction
	if report := Evaluate(facts, Catalogue(), StageDeploy); !slices.Equal(report.Blocking, []string{"BG-DB-04", "BG-DB-06", "BG-DB-07", "BG-DB-09"}) {
		t.Errorf("production is blocked by %v, want what only a session shows", report.Blocking)
	}
}

// Following the remedy for a quiet service leads to a pass.
func TestRequestRateRemedyFits(t *testing.T) {
	facts := healthy()
	facts.requests(1.5)
	finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-06")[0]
	if want := "in spec.gates.rules, lower minimumSamples of advance-error-ratio to 45 or lengthen its window to 3m: by the rate of this moment, with as much again to spare"; finding.Remedy != want {
		t.Errorf("remedy = %q, want %q", finding.Remedy, want)
	}
	if want := "advance-error-ratio, rollback-error-ratio, advance-error-ratio-baseline"; finding.Evidence["rules"] != want {
		t.Errorf("rules = %q, want %q", finding.Evidence["rules"], want)
	}
	for name, follow := range map[string]func(*gate.Rule){
		"fewer samples":   func(rule *gate.Rule) { rule.MinimumSamples = min(rule.MinimumSamples, 45) },
		"a longer window": func(rule *gate.Rule) { rule.Window = 3 * time.Minute },
	} {
		facts := healthy()
		facts.requests(1.5)
		for i := range facts.Monitoring.Rules.Value {
			follow(&facts.Monitoring.Rules.Value[i])
		}
		if after := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-06")[0]; after.Outcome != Pass {
			t.Errorf("%s: %+v, want a pass", name, after)
		}
	}
	facts.requests(0.001)
	if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-06")[0]; !strings.Contains(finding.Remedy, "more requests") {
		t.Errorf("remedy = %q, want more requests", finding.Remedy)
	}
}

// A full quota is in the way of nobody who makes no pod, and only of as many as
// are made.
func TestQuotaCountsThePodsThatComeOnly(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(*Facts)
		want  string
	}{
		{"none, and no trial", func(f *Facts) {
			f.Manifests, f.Quotas.Value[0] = nil, quotaOf("6", "6")
			f.Release.Spec.Traffic.Drain = release.DrainNone
		}, "it has room for 0 more pods"},
		{"pods that are not ready yet are there", func(f *Facts) {
			f.Manifests, f.Quotas.Value[0] = nil, quotaOf("7", "6")
			f.workload("green", func(w *cluster.Workload) { w.ReadyReplicas = 0 })
		}, "it has room for 1 more pods"},
		{"a surge of two", func(f *Facts) {
			f.Quotas.Value[0] = quotaOf("8", "6")
			f.workload("green", func(w *cluster.Workload) { w.MaxSurge = 2 })
		}, "it has room for 2 more pods"},
		{"a first roll-out makes no surge", func(f *Facts) {
			f.Quotas.Value[0] = quotaOf("7", "3")
			f.color("green", func(c *Color) { c.Planned, c.Owned = true, known([]corev1.Pod(nil)) })
		}, "it has room for 4 more pods"},
		{"a pod that ended is made again", func(f *Facts) {
			f.Manifests, f.Quotas.Value[0] = nil, quotaOf("7", "5")
			f.color("green", func(c *Color) {
				c.Owned.Value = slices.Clone(c.Owned.Value)
				c.Owned.Value[0].Status.Phase = corev1.PodFailed
			})
		}, "it has room for 2 more pods"},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := healthy()
			test.plant(facts)
			finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-10")[0]
			if finding.Outcome != Pass || finding.Cause != test.want {
				t.Errorf("%s: %s; want pass: %s", finding.Outcome, finding.Cause, test.want)
			}
		})
	}
}

func TestEveryCheckHasAPlantedFault(t *testing.T) {
	for _, check := range Catalogue() {
		if !slices.ContainsFunc(plantedFaults(), func(p planted) bool { return p.id == check.ID && p.want != Skip }) {
			t.Errorf("nothing shows that %s can find a fault", check.ID)
		}
	}
}

// A pod that has gone between two lists is nobody else's.
func TestAPodThatHasJustGoneIsNoStranger(t *testing.T) {
	facts := healthy()
	facts.color("green", func(color *Color) { color.Owned.Value = color.Owned.Value[:1] })
	for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-04") {
		if finding.Outcome != Pass {
			t.Errorf("%+v", finding)
		}
	}
}

func TestBudgetFindingNamesTheFieldsToChange(t *testing.T) {
	facts := healthy()
	facts.Release.Spec.Databases[0].Connections = 0
	facts.database(func(database *Database) { database.Declared.Connections = 0 })
	pool(facts, "blue", 20)
	pool(facts, "green", 20)
	finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0]
	want := "set deployment/shop-blue env DB_POOL_SIZE to 8, and deployment/shop-green env DB_POOL_SIZE to 8"
	if finding.Remedy != want {
		t.Errorf("remedy = %q, want %q", finding.Remedy, want)
	}
	if !strings.Contains(finding.Evidence["arithmetic"], "blue 3 × 20 + green 4 × 20 + surge 2 × 20 = 180 > 0.8 × (100 − 3) − 4 = 73") {
		t.Errorf("arithmetic = %q", finding.Evidence["arithmetic"])
	}
	pool(facts, "blue", 8)
	pool(facts, "green", 8)
	if after := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")[0]; after.Outcome != Pass {
		t.Errorf("following the advice gives %+v", after)
	}
}

// Who puts the route back is told the rules by which it doesn't.
func TestFieldOwnersAreToldTheirRules(t *testing.T) {
	for owner, want := range map[string]string{
		"argocd-controller": "generate gitops --for argocd; once", "kustomize-controller": "generate gitops --for flux; once",
		"helm": "generate gitops writes the rules for Argo CD, and with --for flux those for Flux",
	} {
		facts := healthy()
		facts.Route.Value.State.Owners["spec.selector.version"] = []string{owner}
		if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-NET-04")[0]; finding.Outcome != Warn || !strings.Contains(finding.Remedy, want) {
			t.Errorf("%s: %s, remedy %q, want %q", owner, finding.Outcome, finding.Remedy, want)
		}
	}
}

// What a controller owns is called what it is of that kind of route.
func TestFieldOwnersNameWhatTheyOwn(t *testing.T) {
	mixed := healthyWeighted()
	mixed.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}
	for want, facts := range map[string]*Facts{
		"selector": healthy(), "weights": healthyWeighted(), "replicas": healthyWorkers(), "selector or weights": mixed,
	} {
		for says, owners := range map[string][]string{
			"argocd-controller owns its " + want + " and may undo a switch": {"argocd-controller"}, "no controller owns its " + want: {"kubectl-edit"},
		} {
			facts.Route.Value.State.Owners = map[string][]string{"spec": owners}
			findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-NET-04")
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Cause == says }) {
				t.Errorf("none says %q: %+v", says, findings)
			}
		}
	}
}

// An alert that can't be read stops nobody who is starting; production must
// know.
func TestAnAlertThatCannotBeReadIsWeighedByRequire(t *testing.T) {
	for require, blocked := range map[string]bool{release.RequireStarter: false, release.RequireProduction: true} {
		facts := healthy()
		facts.Release.Spec.Require = require
		facts.Monitoring.Alerts.Value[0].Query = "db:connections:ratio > 0.8"
		if report := Evaluate(facts, Catalogue(), StageDeploy); slices.Contains(report.Blocking, "BG-MON-04") != blocked || report.Blocked() != blocked {
			t.Errorf("%s: blocked by %v, want blocked: %t", require, report.Blocking, blocked)
		}
	}
}

func findingsOf(report *Report, id string) []Finding {
	return slices.DeleteFunc(slices.Clone(report.Findings), func(f Finding) bool { return f.ID != id })
}

// pool sets a colour's pool size; 0 is unknown.
func pool(facts *Facts, color string, size int) {
	workload := "deployment/shop-" + color
	found := facts.Colors[color].Pools["main"][workload]
	found.Connections, found.Known = size, size > 0
	facts.Colors[color].Pools["main"][workload] = found
}

func TestRequireProductionDemandsEverything(t *testing.T) {
	facts := healthy()
	facts.Release.Spec.Databases = nil
	if report := Evaluate(facts, Catalogue(), StageDeploy); report.Blocked() {
		t.Errorf("starter is blocked by %v", report.Blocking)
	}
	facts.Release.Spec.Require = release.RequireProduction
	report := Evaluate(facts, Catalogue(), StageDeploy)
	if !report.Blocked() || !slices.Contains(report.Blocking, "BG-DB-01") {
		t.Errorf("production without a database is blocked by %v, want BG-DB-01 among them", report.Blocking)
	}
}

// An alert on one database of a server is one in time where nobody else takes from its
// connections, or only a few.
func TestAnAlertOnTheOnlyDatabase(t *testing.T) {
	for query, others := range map[string]int{
		`pg_stat_database_numbackends{datname="shop"} / on (instance) pg_settings_max_connections > 0.8`:           5,
		`pg_stat_database_numbackends{datname="shop"} / on (instance) pg_settings_max_connections > 0.3`:           50,
		`sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8`:                               54,
		`pg_stat_database_numbackends{datname="shop"} / on (instance, datname) pg_database_connection_limit > 0.8`: 54,
	} {
		facts := healthy()
		facts.uses("shop")
		facts.snapshot(func(s *postgres.Snapshot) { s.Databases["crm"] = postgres.DatabaseState{Backends: others} })
		facts.alert(query, known(1))
		if found := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-04"); len(found) != 1 || found[0].Outcome != Pass {
			t.Errorf("%s beside %d sessions: %+v", query, others, found)
		}
	}
}
