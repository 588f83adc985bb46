package preflight

import (
	"context"
	"net"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const poolerFile = "[databases]\nmain = host=db dbname=shop\n[pgbouncer]\nmax_client_conn = 200\ndefault_pool_size = 30\n"

// bouncer is a Deployment of two PgBouncers and a pod of each.
func bouncer(name string, change func(*corev1.PodSpec)) []runtime.Object {
	set := map[string]string{"app": name}
	spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "pgbouncer", Image: "registry.example/pgbouncer:1.18"}}}
	if change != nil {
		change(&spec)
	}
	objects := []runtime.Object{&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: set}, Template: corev1.PodTemplateSpec{Spec: spec}}}}
	for _, address := range []string{"10.7.0.1", "10.7.0.2"} {
		objects = append(objects, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: name + "-" + address[7:], Labels: set}, Spec: spec,
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}}, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}})
	}
	return objects
}

func mounts(name string) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) {
		spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}}
	}
}

func variables(env ...corev1.EnvVar) func(*corev1.PodSpec) {
	return func(spec *corev1.PodSpec) { spec.Containers[0].Env = env }
}

func TestPoolerIsReadFromTheCluster(t *testing.T) {
	file := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: "pgbouncer"}, Data: map[string]string{"pgbouncer.ini": poolerFile}}
	deployment := release.Pooler{Workload: &release.Workload{Kind: "deployment", Name: "pgbouncer"}, Namespace: "data"}
	cnpg := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "postgresql.cnpg.io/v1", "kind": "Pooler",
		"metadata": map[string]any{"namespace": "data", "name": "shop-rw"},
		"spec":     map[string]any{"instances": int64(2), "pgbouncer": map[string]any{"parameters": map[string]any{"default_pool_size": "11", "max_client_conn": "400"}}}}}
	scaled := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: "pgbouncer"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "pgbouncer"}, MaxReplicas: 6}}
	for _, test := range []struct {
		name              string
		declared          release.Pooler
		objects           []runtime.Object
		peak, pool, takes int
		entry, where      string
		problem           string
	}{
		{"its ConfigMap", deployment, append(bouncer("pgbouncer", mounts("pgbouncer")), file), 3, 30, 200, "main", "configmap/pgbouncer pgbouncer.ini", ""},
		{"an autoscaler and the surge of all", deployment, append(bouncer("pgbouncer", mounts("pgbouncer")), file, scaled), 8, 30, 200, "main", "configmap/pgbouncer pgbouncer.ini", ""},
		{"a ConfigMap that is not there", deployment, bouncer("pgbouncer", mounts("pgbouncer")), 3, 0, 0, "", "", `configmaps "pgbouncer" not found`},
		{"edoburu's variables", deployment, bouncer("pgbouncer", variables(corev1.EnvVar{Name: "DEFAULT_POOL_SIZE", Value: "7"}, corev1.EnvVar{Name: "MAX_CLIENT_CONN", Value: "90"}, corev1.EnvVar{Name: "DB_NAME", Value: "main"})), 3, 7, 90, "main", "deployment/pgbouncer env", ""},
		{"bitnami's variables", deployment, bouncer("pgbouncer", variables(corev1.EnvVar{Name: "PGBOUNCER_DEFAULT_POOL_SIZE", Value: "8"}, corev1.EnvVar{Name: "PGBOUNCER_DATABASE", Value: "main"}, corev1.EnvVar{Name: "POSTGRESQL_DATABASE", Value: "shop"})), 3, 8, 100, "main", "deployment/pgbouncer env", ""},
		{"an image of another make", deployment, bouncer("pgbouncer", func(spec *corev1.PodSpec) { spec.Containers[0].Image = "registry.example/proxy" }), 3, 0, 0, "", "", "declare pooler.admin"},
		{"a Pooler of CloudNativePG", release.Pooler{CloudNativePG: "shop-rw", Namespace: "data"}, bouncer("shop-rw", nil), 3, 11, 400, "*", "pooler/shop-rw spec.pgbouncer.parameters", ""},
		{"a workload that is not there", deployment, nil, 0, 0, 0, "", "", `deployments.apps "pgbouncer" not found`},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, "postgres://nobody@127.0.0.1:1/none", "3", nil)
			in.Client, _ = clustertest.New(test.objects...)
			clustertest.Dynamic(in.Client, cnpg.DeepCopy())
			got := pooler(t.Context(), in, release.Database{Name: "main", Pooler: &test.declared})
			if !strings.Contains(got.Problem, test.problem) || (got.Problem == "") != (test.problem == "") {
				t.Fatalf("problem %q, want %q", got.Problem, test.problem)
			}
			if got.Peak != test.peak || got.Config.Default.PoolSize != test.pool || got.Config.MaxClients != test.takes || got.Config.Where != test.where {
				t.Errorf("got %+v, want a peak of %d, pools of %d, %d clients by %s", got, test.peak, test.pool, test.takes, test.where)
			}
			if test.entry != "" && got.Config.Databases[0].Name != test.entry {
				t.Errorf("entries %+v, want %s", got.Config.Databases, test.entry)
			}
		})
	}
}

// Each pod is asked for itself, and one that runs with an old configuration is
// told instead of averaged.
func TestPoolerIsAskedPodByPod(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	one := server.StartPgBouncer(t, []string{"app"}, []string{"main = host=127.0.0.1 port={port} dbname=shop"}, []string{"default_pool_size = 4"})
	two := server.StartPgBouncer(t, []string{"app"}, []string{"main = host=127.0.0.1 port={port} dbname=shop"}, []string{"default_pool_size = 4"})
	old := server.StartPgBouncer(t, []string{"app"}, []string{"main = host=127.0.0.1 port={port} dbname=shop"}, []string{"default_pool_size = 9"})
	for name, test := range map[string]struct{ second, problem string }{
		"alike": {two, ""}, "an old configuration": {old, "is configured otherwise than another one"}, "one that does not answer": {"", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, one, "3", nil)
			in.Client, _ = clustertest.New(bouncer("pgbouncer", nil)...)
			in.Getenv = func(string) string { return "postgres://postgres@pgbouncer.data:6432/pgbouncer?sslmode=disable" }
			pods := map[string]string{"pgbouncer-1": address(one), "pgbouncer-2": address(test.second)}
			reader := poolerReader{in: in, namespace: "data", database: "main",
				declared: release.Pooler{Workload: &release.Workload{Kind: "deployment", Name: "pgbouncer"}, Admin: release.SecretSource{Env: "ADMIN"}},
				dial: func(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
					if namespace != "data" || port != 6432 {
						t.Errorf("dialled %s/%s:%d, want the pods of data at 6432", namespace, pod, port)
					}
					return new(net.Dialer).DialContext(ctx, "tcp", pods[pod])
				}}
			listed, err := in.Client.Kubernetes.CoreV1().Pods("data").List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			config, clients, err := reader.askPods(t.Context(), listed.Items)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got %v, want %q", err, test.problem)
				}
				return
			}
			if err != nil || config.Default.PoolSize != 4 || len(clients) != 0 {
				t.Errorf("got %+v, clients %v, %v; want pools of 4 and no client but ourselves", config, clients, err)
			}
		})
	}
}

func address(dsn string) string {
	if dsn == "" {
		return "127.0.0.1:1"
	}
	_, rest, _ := strings.Cut(dsn, "@")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// The check goes by the pooler: the same pods pass behind one that opens few,
// and fail behind one that opens many.
func TestBudgetCheckBehindAPooler(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int
		plant func(*postgres.Pooler)
		want  Outcome
		says  string
	}{
		{"few", 20, nil, Pass, "pools of up to"},
		{"many", 40, nil, Fail, "deployment/pgbouncer default_pool_size (configmap/pgbouncer pgbouncer.ini) to 30"},
		{"unknown", 20, func(p *postgres.Pooler) { p.Problem = "forbidden" }, Unknown, "forbidden"},
		{"not asked", 20, func(p *postgres.Pooler) { p.Counted = false }, Warn, "pools of up to"},
	} {
		facts := healthy()
		facts.database(func(database *Database) {
			config := postgres.NewPoolerConfig()
			config.Default.PoolSize, config.Where = test.size, "configmap/pgbouncer pgbouncer.ini"
			config.Databases = []postgres.PoolerDatabase{postgres.AnyPoolerDatabase()}
			config.Databases[0].Target = "shop"
			database.Pooler = &postgres.Pooler{Name: "deployment/pgbouncer", Instances: 2, Peak: 2, Config: config, Counted: true, Addresses: []string{"10.7.0.1"}}
			if test.plant != nil {
				test.plant(database.Pooler)
			}
		})
		for _, name := range []string{"blue", "green"} {
			facts.color(name, func(color *Color) {
				for workload, pool := range color.Pools["main"] {
					pool.Database, pool.Role = "main", "app"
					color.Pools["main"][workload] = pool
				}
			})
		}
		findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")
		if len(findings) != 1 || findings[0].Outcome != test.want || !strings.Contains(findings[0].Cause+findings[0].Remedy, test.says) {
			t.Errorf("%s: %+v, want %s: %q", test.name, findings, test.want, test.says)
		}
	}
}
