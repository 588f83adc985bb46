package preflight

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestRightsFollowWhatIsDeclared(t *testing.T) {
	spare := []string{"get pods", "create pods", "delete pods"}
	for _, test := range []struct {
		name         string
		change       func(*Inputs)
		needs, wants []string
		without      []string
	}{
		{"a Service, drained as it can be", func(*Inputs) {},
			[]string{"get services/svc-production", "patch services/svc-production", "get services/svc-green", "list pods", "get pods/log", "get pods/proxy",
				"create pods/eviction", "patch deployments.apps/shop-green", "get leases.coordination.k8s.io/bluegreen-shop", "update leases.coordination.k8s.io/bluegreen-shop",
				"create leases.coordination.k8s.io", "create configmaps", "get configmaps", "update configmaps/bluegreen-shop"},
			append([]string{"list events", "delete configmaps", "update configmaps/bluegreen-shop-signoffs", "create pods/portforward", "get pods/portforward", "list leases.coordination.k8s.io",
				"list services", "list deployments.apps", "list statefulsets.apps"}, spare...),
			[]string{"list jobs.batch", "list cronjobs.batch", "patch horizontalpodautoscalers*", "get services/proxy*", "get secrets*", "update configmaps", "update leases.coordination.k8s.io", "list nodes", "list pods in "}},
		{"only recycling", func(in *Inputs) { in.Release.Spec.Traffic.Drain = release.DrainRecycle },
			append([]string{"create pods/eviction"}, spare...), nil, nil},
		{"only waiting", func(in *Inputs) { in.Release.Spec.Traffic.Drain = release.DrainWait }, nil, spare, []string{"create pods/eviction"}},
		{"no drain", func(in *Inputs) { in.Release.Spec.Traffic.Drain = release.DrainNone },
			nil, nil, append([]string{"create pods/eviction"}, spare...)},
		{"gRPC and a write", func(in *Inputs) {
			in.Release.Spec.Validation.Synthetic = []release.Probe{{GRPC: &release.GRPCProbe{}}, {HTTP: &release.HTTPProbe{Method: http.MethodPost}}}
		}, []string{"create pods/portforward", "create pods/proxy"}, nil, nil},
		{"a health check that is a write", func(in *Inputs) { in.Release.Spec.Validation.Health = &release.HTTPProbe{Method: http.MethodPut} },
			[]string{"update pods/proxy"}, []string{"create pods/portforward"}, nil},
		{"a header that the proxy can't carry", func(in *Inputs) {
			in.Release.Spec.Validation.Health = &release.HTTPProbe{Method: http.MethodPost, Headers: map[string]string{"authorization": "Basic YTpi"}}
		}, []string{"create pods/portforward"}, nil, []string{"create pods/proxy"}},
		{"headers from a Secret and from the environment", func(in *Inputs) {
			key := release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "shop-probe", Key: "key"}}
			in.Release.Spec.Validation.Synthetic = []release.Probe{{HTTP: &release.HTTPProbe{Method: http.MethodPost,
				HeadersFrom: map[string]release.SecretSource{"X-Api-Key": key, "X-Other": {Env: "SHOP_KEY"}}}}}
		}, []string{"get secrets/shop-probe", "create pods/proxy"}, []string{"create pods/portforward"}, nil},
		{"a header from a Secret that the proxy can't carry", func(in *Inputs) {
			key := release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "shop-probe", Key: "header"}}
			in.Release.Spec.Validation.Health = &release.HTTPProbe{Method: http.MethodPost, HeadersFrom: map[string]release.SecretSource{"Authorization": key}}
		}, []string{"get secrets/shop-probe", "create pods/portforward"}, nil, []string{"create pods/proxy"}},
		{"monitoring by Services", func(in *Inputs) {
			in.Release.Spec.Metrics.Prometheus = &release.Prometheus{Service: "monitoring/prometheus:9090"}
			in.Release.Spec.Metrics.Alertmanager = "alerts/alertmanager:web"
		}, []string{"get services/proxy/prometheus:9090 in monitoring", "get services/proxy/alertmanager:web in alerts"}, nil, nil},
		{"monitoring by URLs", func(in *Inputs) {
			in.Release.Spec.Metrics.Prometheus = &release.Prometheus{URL: "http://prometheus"}
			in.Release.Spec.Metrics.Alertmanager = "http://alertmanager"
		}, nil, nil, []string{"get services/proxy*"}},
		{"logs and a dashboard by Services", func(in *Inputs) {
			in.Release.Spec.Logs.Loki = &release.Loki{Service: "logs/loki:3100"}
			in.Release.Spec.Dashboard.Grafana = &release.Grafana{Service: "monitoring/grafana:3000"}
		}, nil, []string{"get services/proxy/loki:3100 in logs", "get services/proxy/grafana:3000 in monitoring"}, []string{"create pods/portforward in monitoring", "get secrets*"}},
		{"a dashboard that wants a token", func(in *Inputs) {
			in.Release.Spec.Dashboard.Grafana = &release.Grafana{Service: "monitoring/grafana:3000",
				Token: release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "grafana", Key: "token"}}}
		}, nil, []string{"get secrets/grafana", "get services/grafana in monitoring", "list endpointslices.discovery.k8s.io in monitoring",
			"create pods/portforward in monitoring", "get pods/portforward in monitoring"}, []string{"get services/proxy*"}},
		{"logs and a dashboard by URLs", func(in *Inputs) {
			in.Release.Spec.Logs.Loki = &release.Loki{URL: "http://loki"}
			in.Release.Spec.Dashboard.Grafana = &release.Grafana{URL: "http://grafana", Token: release.SecretSource{Env: "GRAFANA_TOKEN"}}
		}, nil, nil, []string{"get services/proxy*", "get secrets*", "create pods/portforward in monitoring"}},
		{"manifests", func(in *Inputs) { in.Manifests = map[string][]string{"green": {manifestOf(t)}} },
			[]string{"create deployments.apps/shop-green", "patch networkpolicies.networking.k8s.io/shop", "get networkpolicies.networking.k8s.io/shop",
				"patch priorityclasses.scheduling.k8s.io/shop in "}, nil, []string{"patch priorityclasses.scheduling.k8s.io/shop"}},
		{"a database by its Secret", func(in *Inputs) { in.Release.Spec.Databases = []release.Database{monitored(release.Observe{})} },
			[]string{"get secrets/monitor"}, []string{"list jobs.batch", "list cronjobs.batch"}, nil},
		{"a database through a pod", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{Via: release.ViaPortForward, Pod: "service/postgres"})}
		}, []string{"get secrets/monitor", "get services/postgres", "create pods/portforward"}, nil, nil},
		{"a database through a pod, perhaps", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{Via: release.ViaAuto, Pod: "svc/postgres"})}
		}, []string{"get secrets/monitor"}, []string{"get services/postgres", "create pods/portforward"}, nil},
		{"a database by its exporter", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{Via: release.ViaExporter, Exporter: "monitoring/exporter:9187"})}
		}, []string{"get services/proxy/exporter:9187 in monitoring"}, nil, []string{"get secrets*"}},
		{"an exporter that is a last resort", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{Via: release.ViaAuto, Exporter: "monitoring/exporter:9187"})}
		}, nil, []string{"get services/proxy/exporter:9187 in monitoring"}, nil},
		{"a pool in a Secret, by the manifests", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{})}
			in.Manifests = map[string][]string{"green": {manifestOf(t)}}
		}, nil, []string{"get secrets/shop-database", "get secrets/shop-tls"}, nil},
		{"an autoscaler that the cluster has", func(in *Inputs) { in.Live.Autoscalers = []string{"shop-blue"} },
			nil, []string{"patch horizontalpodautoscalers.autoscaling/shop-blue"}, nil},
		{"a header out of a Secret", func(in *Inputs) {
			in.Release.Spec.Validation.Health = &release.HTTPProbe{HeadersFrom: map[string]release.SecretSource{
				"Authorization": {SecretKeyRef: &release.SecretKeyReference{Name: "login", Key: "basic"}}, "X-Key": {Env: "KEY"}}}
		}, []string{"get secrets/login", "create pods/portforward"}, nil, nil},
		{"a route with weights", func(in *Inputs) {
			in.Release.Spec.Traffic = release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}}
			for name, color := range in.Release.Spec.Colors {
				color.Service = "svc-" + name
				in.Release.Spec.Colors[name] = color
			}
		}, []string{"get httproutes.gateway.networking.k8s.io/shop", "patch httproutes.gateway.networking.k8s.io/shop", "get services/svc-green", "get services/svc-blue"},
			nil, []string{"patch services*"}},
		{"a mesh with subsets", func(in *Inputs) {
			in.Release.Spec.Traffic = release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}
			for name, color := range in.Release.Spec.Colors {
				color.Service = "svc-" + name
				in.Release.Spec.Colors[name] = color
			}
		}, []string{"patch virtualservices.networking.istio.io/shop", "list destinationrules.networking.istio.io"}, nil, nil},
		{"a canary and the Ingress that it belongs to", func(in *Inputs) {
			in.Release.Spec.Traffic = release.Traffic{NginxIngress: &release.NginxIngressRoute{Name: "shop-canary", Main: "shop"}}
			for name, color := range in.Release.Spec.Colors {
				color.Service = "svc-" + name
				in.Release.Spec.Colors[name] = color
			}
		}, []string{"get ingresses.networking.k8s.io/shop-canary", "patch ingresses.networking.k8s.io/shop-canary", "get ingresses.networking.k8s.io/shop"},
			nil, []string{"patch ingresses.networking.k8s.io/shop"}},
		{"several routes", func(in *Inputs) {
			in.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}, {HTTPRoute: &release.NamedRoute{Name: "shop"}}}
			for name, color := range in.Release.Spec.Colors {
				color.Service = "svc-" + name
				in.Release.Spec.Colors[name] = color
			}
		}, []string{"patch services/svc-production", "get services/svc-internal", "patch services/svc-internal", "patch httproutes.gateway.networking.k8s.io/shop"}, nil, nil},
		{"a pool in a Secret, by the live workloads", func(in *Inputs) {
			in.Release.Spec.Databases = []release.Database{monitored(release.Observe{})}
			in.Live.Templates = []corev1.PodTemplateSpec{{Spec: corev1.PodSpec{Containers: []corev1.Container{{
				EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop-all"}}}}}}}}}
		}, nil, []string{"get secrets/shop-all"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, "", "3", nil)
			test.change(&in)
			rights, err := Rights(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, right := range rights {
				if right.For == "" || right.Verb == "" {
					t.Errorf("%s: nothing says what for", textOf(right))
				}
			}
			for _, text := range test.needs {
				if right, found := rightOf(rights, text); !found || right.Without != "" {
					t.Errorf("%s: found %t, without it %q; want it needed", text, found, right.Without)
				}
			}
			for _, text := range test.wants {
				if right, found := rightOf(rights, text); !found || right.Without == "" {
					t.Errorf("%s: found %t, want it told as one that a shift can do without", text, found)
				}
			}
			for _, text := range test.without {
				start, any := strings.CutSuffix(text, "*")
				if slices.ContainsFunc(rights, func(right Right) bool {
					return textOf(right) == text || any && strings.HasPrefix(textOf(right), start)
				}) {
					t.Errorf("%s is asked for", text)
				}
			}
		})
	}
}

// The cluster tells of what scales the workloads and what their pods refer to;
// a right to it is asked for like any other.
func TestRightsFollowWhatIsLive(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		for name, workload := range map[string]string{"scales-green": "shop-green", "scales-others": "others"} {
			autoscaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
				Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: workload}}}
			if err := client.Tracker().Add(autoscaler); err != nil {
				t.Fatal(err)
			}
		}
	})
	var asked []string
	for _, grant := range access(t.Context(), in).Value {
		asked = append(asked, grant.Verb+" "+cluster.ResourceOf(grant.ResourceAttributes))
	}
	if !slices.Contains(asked, "patch horizontalpodautoscalers.autoscaling/scales-green") || slices.Contains(asked, "patch horizontalpodautoscalers.autoscaling/scales-others") {
		t.Errorf("asked for %q", asked)
	}
}

// What judges the nodes is of the whole cluster, and nothing that a release
// can't do without.
func TestNodeRightsAreOfTheCluster(t *testing.T) {
	var texts []string
	for _, right := range NodeRights() {
		texts = append(texts, textOf(right))
		if right.Without == "" || right.For == "" {
			t.Errorf("%+v: want what for, and what is lost without it", right)
		}
	}
	if want := []string{"list nodes in ", "list pods in "}; !slices.Equal(texts, want) {
		t.Errorf("rights = %q, want %q", texts, want)
	}
}

func TestUnreadableManifestsLeaveRightsUnknown(t *testing.T) {
	in := inputs(t, "", "3", nil)
	in.Manifests = map[string][]string{"green": {filepath.Join(t.TempDir(), "missing.yaml")}}
	if found := access(t.Context(), in); found.Known || !strings.Contains(found.Problem, "missing.yaml") {
		t.Errorf("rights = %+v, want not known for the file", found)
	}
}

// The server says no to deleting ConfigMaps: that warns. It says no to reading
// logs: that blocks.
func TestMissingRightsWeighWhatTheyCost(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		client.PrependReactor("create", "selfsubjectaccessreviews", func(action kubetesting.Action) (bool, runtime.Object, error) {
			review := action.(kubetesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview).DeepCopy()
			asked := review.Spec.ResourceAttributes
			review.Status.Allowed = asked.Subresource != "log" && (asked.Resource != "configmaps" || asked.Verb != "delete")
			return true, review, nil
		})
	})
	outcomes := map[string]Outcome{}
	for _, finding := range findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-07") {
		outcomes[finding.Subject] = finding.Outcome
	}
	if len(outcomes) != 2 || outcomes["pods/log"] != Fail || outcomes["configmaps"] != Warn {
		t.Errorf("findings = %v, want pods/log to fail and configmaps to warn", outcomes)
	}
}

func rightOf(rights []Right, text string) (Right, bool) {
	at := slices.IndexFunc(rights, func(right Right) bool { return textOf(right) == text })
	if at < 0 {
		return Right{}, false
	}
	return rights[at], true
}

// textOf writes a right as people do; the release's own namespace is shop.
func textOf(right Right) string {
	text := right.Verb + " " + cluster.ResourceOf(right.ResourceAttributes)
	if right.Namespace != "shop" {
		text += " in " + right.Namespace
	}
	return text
}

// monitored is a database whose connection string is in the Secret monitor.
func monitored(observe release.Observe) release.Database {
	observe.DSN.SecretKeyRef = &release.SecretKeyReference{Name: "monitor", Key: "url"}
	return release.Database{Name: "main", Observe: observe}
}

// manifestOf writes a Deployment, a NetworkPolicy and a PriorityClass.
func manifestOf(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "green.yaml")
	text := `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-green}
spec:
  selector: {matchLabels: {version: green}}
  template:
    spec:
      containers:
        - name: shop
          env:
            - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: shop-database, key: url}}}
            - {name: TLS_KEY, valueFrom: {secretKeyRef: {name: shop-tls, key: key}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: shop}
value: 7
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Who leaves out the right to a Secret is told that its values are then not compared.
func TestSecretsAreReadToCompareThem(t *testing.T) {
	in := inputs(t, "", "3", nil)
	in.Release.Spec.Databases = []release.Database{{Name: "main"}}
	in.Manifests = map[string][]string{"green": {manifestOf(t)}}
	found, err := Rights(in)
	if err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, right := range found {
		if right.Resource == "secrets" && right.Verb == "get" {
			secrets++
			if !strings.Contains(right.Without, "BG-COL-14 can't compare it") {
				t.Errorf("without the right to %s %s", right.Name, right.Without)
			}
		}
	}
	if secrets != 2 {
		t.Errorf("%d Secrets, want those of the pool and of TLS", secrets)
	}
}
