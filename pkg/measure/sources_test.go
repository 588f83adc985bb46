package measure

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestSourcesOfAPlainRelease(t *testing.T) {
	shop := newShop(t, deployment("blue", "v1", 1), deployment("green", "v2", 1), pod("shop-blue-1", "v1", true, 0), pod("shop-green-1", "v2", true, 0))
	sources, undeclared, err := NewSources(t.Context(), shop.client, shop.release, clocktesting.NewFakeClock(start))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range undeclared {
		lines = append(lines, one.String())
	}
	want := []string{
		"not declared: prometheus (the pods' own metrics are read instead)",
		"not declared: metrics of the pods (no pod of blue or green runs and serves /metrics)",
		"not declared: alertmanager (critical alerts are not seen)",
		"not declared: database (its connections, locks and transactions are not seen)",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	for signal, answered := range map[Signal]bool{ErrorRatio: false, ReadyRatio: true, Restarts: true, DatabaseConnections: false, CriticalAlerts: false} {
		if got := Answerable(sources, Query{Signal: signal}); got != answered {
			t.Errorf("%s: answerable is %v", signal, got)
		}
	}
	readings := Observe(t.Context(), sources, []Query{{Signal: ReadyRatio, Color: "green"}, {Signal: ErrorRatio, Color: "green"}})
	if readings[0].State != OK || readings[0].Value != 1 {
		t.Errorf("%+v", readings[0])
	}
	if diff := cmp.Diff(Reading{Query: Query{Signal: ErrorRatio, Color: "green"}, State: NoData, Detail: "nothing declared answers error-ratio"}, readings[1]); diff != "" {
		t.Error(diff)
	}
}

func TestPodsThatAskToBeScrapedAreNeverTakenForSilent(t *testing.T) {
	annotated := pod("shop-blue-1", "v1", true, 0)
	annotated.Annotations = map[string]string{annotationPort: "8080"}
	guessed := pod("shop-blue-1", "v1", true, 0)
	guessed.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}
	for name, blue := range map[string]*corev1.Pod{"annotated": annotated, "not reachable now": guessed} {
		t.Run(name, func(t *testing.T) {
			// This client can't reach into pods at all.
			shop := newShop(t, deployment("blue", "v1", 1), deployment("green", "v2", 0), blue)
			sources, _, err := NewSources(t.Context(), shop.client, shop.release, clocktesting.NewFakeClock(start))
			if err != nil {
				t.Fatal(err)
			}
			if !Answerable(sources, Query{Signal: ErrorRatio}) {
				t.Error("the gate would go without error ratios")
			}
			got := Observe(t.Context(), sources, []Query{{Signal: ErrorRatio, Color: "blue"}})[0]
			if got.State != SourceDown {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSourcesOfADeclaredRelease(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	t.Setenv("SHOP_MONITOR", dsn)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	shop := newShop(t, deployment("blue", "v1", 0), deployment("green", "v2", 0))
	shop.release.Spec.Metrics = release.Metrics{Prometheus: &release.Prometheus{URL: server.URL}, Alertmanager: server.URL}
	shop.release.Spec.Databases = []release.Database{{Name: "main", Observe: release.Observe{DSN: release.SecretSource{Env: "SHOP_MONITOR"}}},
		{Name: "lost", Observe: release.Observe{Via: release.ViaDirect, DSN: release.SecretSource{Env: "SHOP_NOT_SET"}}}}
	sources, _, err := NewSources(t.Context(), shop.client, shop.release, clocktesting.NewFakeClock(start))
	if err != nil {
		t.Fatal(err)
	}
	closers := 0
	for _, source := range sources {
		if closer, ok := source.(io.Closer); ok {
			closers++
			t.Cleanup(func() { _ = closer.Close() })
		}
	}
	if closers != 2 {
		t.Errorf("%d sources hold sessions, want 2", closers)
	}
	readings := Observe(t.Context(), sources, []Query{
		{Signal: DatabaseConnections, Database: "main"}, {Signal: DatabaseConnections, Database: "lost"}, {Signal: CriticalAlerts}, {Signal: ErrorRatio, Color: "green"}})
	for i, want := range []State{OK, SourceDown, SourceDown, SourceDown} {
		if readings[i].State != want {
			t.Errorf("%+v, want %s", readings[i], want)
		}
	}
	if !strings.Contains(readings[1].Detail, "SHOP_NOT_SET") {
		t.Errorf("no reason in %q", readings[1].Detail)
	}
	t.Setenv("SHOP_NOT_SET", dsn)
	for _, source := range sources {
		if database, ok := source.(*database); ok {
			database.at = time.Time{} // the next look
		}
	}
	if got := Observe(t.Context(), sources, []Query{{Signal: DatabaseConnections, Database: "lost"}})[0]; got.State != OK {
		t.Errorf("found again: %+v", got)
	}
}

func TestWrongDeclarations(t *testing.T) {
	for name, metrics := range map[string]release.Metrics{
		"read metrics.provider":     {Provider: "statsd"},
		"read metrics.prometheus":   {Prometheus: &release.Prometheus{Service: "prometheus"}},
		"read metrics.alertmanager": {Alertmanager: "a/b"},
	} {
		shop := newShop(t)
		shop.release.Spec.Metrics = metrics
		if _, _, err := NewSources(t.Context(), shop.client, shop.release, clocktesting.NewFakeClock(start)); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// patience is how long a case waits for an answer: one that gets none, and is called
// slow, not long, and every other as long as this machine needs.
func patience(name string) time.Duration {
	if strings.HasPrefix(name, "slow") {
		return 100 * time.Millisecond
	}
	return time.Minute
}

// stuck never answers before its context ends.
type stuck struct{}

func (stuck) Name() string       { return "stuck" }
func (stuck) Answers(Query) bool { return true }
func (stuck) Read(ctx context.Context, query Query) Reading {
	<-ctx.Done()
	return Reading{Query: query}.down("no answer in time")
}

func TestObserveEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, got := range Observe(ctx, []Source{stuck{}}, []Query{{Signal: ErrorRatio}, {Signal: LatencyP95}}) {
		if got.State != SourceDown {
			t.Errorf("%+v", got)
		}
	}
}
