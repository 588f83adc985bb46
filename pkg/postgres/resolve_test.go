package postgres_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestResolve(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	for _, test := range []struct {
		name       string
		dsn        string
		observe    release.Observe
		prometheus bool
		want       release.Via
		fails      string
	}{
		{name: "direct when it can be dialled", dsn: server.DSN, want: release.ViaDirect},
		{name: "through the pod behind the host's Service", dsn: "postgres://postgres@postgres.data:5432/postgres?sslmode=disable", want: release.ViaPortForward},
		{name: "through a named Service", dsn: "postgres://postgres@127.0.0.1:1/postgres?sslmode=disable",
			observe: release.Observe{Pod: "service/tunnel"}, fails: "read service shop/tunnel"},
		{name: "the exporter when nothing else", dsn: "postgres://postgres@127.0.0.1:1/postgres", observe: release.Observe{Exporter: "data/exporter:9187"}, want: release.ViaExporter},
		{name: "Prometheus when nothing else", dsn: "postgres://postgres@127.0.0.1:1/postgres", prometheus: true, want: release.ViaPrometheus},
		{name: "nothing", dsn: "postgres://postgres:" + dsnPassword + "@127.0.0.1:1/postgres", fails: "name a pod in observe.pod"},
		{name: "direct is not second-guessed", dsn: "postgres://postgres@127.0.0.1:1/postgres", observe: release.Observe{Via: release.ViaDirect}, want: release.ViaDirect},
		{name: "no connection string", fails: "key url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.observe.DSN = release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "monitor", Key: "url"}}
			target, err := postgres.Resolve(t.Context(), postgres.ResolveInput{
				Database:   release.Database{Name: "main", Observe: test.observe},
				Namespace:  "shop",
				Prometheus: test.prometheus,
				Kubernetes: fake.NewClientset(clusterWith(test.dsn)...),
				DialPod: func(context.Context, string, string, int) (net.Conn, error) {
					return nil, fmt.Errorf("not dialled here")
				},
			})
			if test.fails == "" && (err != nil || target.Via != test.want) {
				t.Fatalf("resolved %s, %v; want %s", target, err, test.want)
			}
			if test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Fatalf("resolved %s, %v; want an error that says %q", target, err, test.fails)
			}
			if shown := fmt.Sprintf("%v %#v", err, target); strings.Contains(shown, dsnPassword) {
				t.Errorf("the password is in %s", shown)
			}
		})
	}
}

func TestResolvedPortForwardReachesPostgreSQL(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	dsn := "postgres://postgres@postgres.data.svc:5432/postgres?sslmode=disable"
	var dialled string
	target, err := postgres.Resolve(t.Context(), postgres.ResolveInput{
		Database:   release.Database{Name: "main", Observe: release.Observe{Via: release.ViaPortForward, DSN: release.SecretSource{Env: "MONITOR_URL"}}},
		Kubernetes: fake.NewClientset(clusterWith("")...),
		Getenv:     func(string) string { return dsn },
		DialPod: func(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
			dialled = fmt.Sprintf("%s/%s:%d", namespace, pod, port)
			return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port)))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	observer, err := postgres.Connect(t.Context(), target, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = observer.Close() }()
	look(t, observer)
	if dialled != "data/postgres-0:15432" {
		t.Errorf("dialled %s, want the ready pod at the Service's target port", dialled)
	}
}

func clusterWith(dsn string) []runtime.Object {
	labels := map[string]string{"app": "postgres"}
	pod := func(name string, ready corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: name, Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "sql", ContainerPort: 15432}}}}},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}
	}
	objects := []runtime.Object{pod("postgres-0", corev1.ConditionTrue), pod("a-postgres-1", corev1.ConditionFalse),
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "data", Name: "postgres"}, Spec: corev1.ServiceSpec{Selector: labels,
			Ports: []corev1.ServicePort{{Port: 5432, TargetPort: intstr.FromString("sql")}}}}}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "monitor"}, Data: map[string][]byte{}}
	if dsn != "" {
		secret.Data["url"] = []byte(dsn)
	}
	return append(objects, secret)
}
