package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestCollectFindsTheIncidentOnARealDatabase(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "40"})
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })

	for _, test := range []struct {
		pool string
		want Outcome
	}{{"20", Fail}, {"3", Pass}} {
		facts := Collect(t.Context(), inputs(t, dsn, test.pool, nil))
		findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-DB-03")
		if len(findings) != 1 || findings[0].Outcome != test.want {
			t.Errorf("pool of %s: %+v, want %s", test.pool, findings, test.want)
		}
		if test.want == Fail && !strings.Contains(findings[0].Remedy, "deployment/shop-green env DB_POOL_SIZE to 3") {
			t.Errorf("remedy = %q, want the field and the pool that fits", findings[0].Remedy)
		}
	}
}

// A database that lets nobody in is the incident itself: what counts its
// connections fails, and nothing sends anybody to look who holds them.
func TestCollectOfAFullDatabaseFails(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "10", "superuser_reserved_connections": "0", "max_wal_senders": "0"})
	for {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			break
		}
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	}
	report := Evaluate(Collect(t.Context(), inputs(t, dsn, "3", nil)), Catalogue(), StageDeploy)
	for id, want := range map[string]Outcome{
		"BG-DB-01": Fail, "BG-DB-02": Unknown, "BG-DB-03": Fail, "BG-DB-04": Unknown, "BG-DB-05": Fail, "BG-DB-06": Unknown, "BG-DB-07": Unknown,
	} {
		findings := findingsOf(report, id)
		if len(findings) != 1 || findings[0].Outcome != want || !strings.Contains(findings[0].Cause, "53300") || findings[0].Remedy != exhaustedRemedy {
			t.Errorf("%s: %+v, want %s with what is left to do", id, findings, want)
		}
	}
}

// A CONNECTION LIMIT of the observer's own role that is used up is told as
// what it is, and not as the incident.
func TestCollectAsAnObserverThatHasNoSessionLeft(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	owner, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })
	if _, err := owner.Exec(t.Context(), "create role monitor login in role pg_monitor connection limit 1"); err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.User("monitor")
	held, err := pgx.Connect(t.Context(), parsed.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close(context.WithoutCancel(t.Context())) })
	report := Evaluate(Collect(t.Context(), inputs(t, parsed.String(), "3", nil)), Catalogue(), StageDeploy)
	findings := findingsOf(report, "BG-DB-01")
	if len(findings) != 1 || findings[0].Outcome != Unknown || !strings.Contains(findings[0].Cause, "CONNECTION LIMIT") || findings[0].Remedy != roleFullRemedy {
		t.Errorf("%+v, want unknown for the observer's own limit", findings)
	}
	for _, finding := range report.Findings {
		if finding.Outcome == Fail && strings.HasPrefix(finding.ID, "BG-DB") {
			t.Errorf("%s fails: %s", finding.ID, finding.Cause)
		}
	}
}

// A database that a Prometheus has the exporter's numbers of passes without a
// session, by the sources of the release itself.
func TestCollectWithoutASession(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		value := map[string]string{
			"count(pg_settings_max_connections)": "1", "max(pg_settings_max_connections)": "100",
			"max(pg_settings_superuser_reserved_connections) or vector(0)": "3", "max(pg_settings_reserved_connections) or vector(0)": "0",
			"sum by (datname) (pg_stat_database_numbackends)": "19",
		}[request.FormValue("query")]
		if value == "" {
			prometheus(writer, request)
			return
		}
		writer.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(writer, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"datname":"shop"},"value":[1,%q]}]}}`, value)
	}))
	t.Cleanup(server.Close)
	in := overPrometheus(t, server.URL, func(rel *release.Release) {
		rel.Spec.Databases = []release.Database{{Name: "main", Budget: 0.8, Observe: release.Observe{Via: release.ViaPrometheus}}}
	})
	report := Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
	for id, want := range map[string]Outcome{"BG-DB-01": Pass, "BG-DB-02": Skip, "BG-DB-03": Pass, "BG-DB-05": Pass} {
		if findings := findingsOf(report, id); len(findings) != 1 || findings[0].Outcome != want {
			t.Errorf("%s: %+v, want %s", id, findings, want)
		}
	}
	server.Close()
	report = Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
	for id, want := range map[string]Outcome{"BG-DB-01": Unknown, "BG-DB-03": Unknown, "BG-DB-05": Unknown} {
		if findings := findingsOf(report, id); len(findings) != 1 || findings[0].Outcome != want || strings.Contains(findings[0].Cause, server.URL) {
			t.Errorf("after it went down, %s: %+v, want %s", id, findings, want)
		}
	}
}

func TestCollectReadsWhatAHealthyReleaseNeeds(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	facts := Collect(t.Context(), inputs(t, dsn, "3", nil))
	if facts.Target != "green" || facts.Route.Value.Live != "blue" {
		t.Errorf("target %q, live %q; want green and blue: %s", facts.Target, facts.Route.Value.Live, facts.Route.Problem)
	}
	for _, finding := range Evaluate(facts, Catalogue(), StageDeploy).Findings {
		// The fake API server holds no nodes, budgets or probes of pods.
		if finding.Blocks {
			t.Errorf("%s %s blocks: %s: %s", finding.ID, finding.Outcome, finding.Subject, finding.Cause)
		}
	}
}

func TestCollectKeepsErrorsAsFactsThatAreNotKnown(t *testing.T) {
	in := inputs(t, "postgres://monitor:kept-to-itself@127.0.0.1:1/shop", "3", func(client *fake.Clientset) {
		client.PrependReactor("*", "*", func(action kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: action.GetResource().Resource}, "", nil)
		})
	})
	in.RolledBack = func(context.Context) (*RolledBack, error) {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", nil)
	}
	facts := Collect(t.Context(), in)
	report := Evaluate(facts, Catalogue(), StageDeploy)
	for _, finding := range report.Findings {
		if finding.Outcome == Pass {
			t.Errorf("%s passes though nothing could be read: %s", finding.ID, finding.Cause)
		}
	}
	text, err := json.Marshal(report)
	if err != nil || strings.Contains(string(text), "kept-to-itself") {
		t.Errorf("the report holds the password, or none: %v", err)
	}
	if !report.Blocked() {
		t.Error("nothing blocks")
	}
}

func TestCollectOfAPullRequestReadsFilesOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "green.yaml")
	manifest := `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-green}
spec:
  selector: {matchLabels: {version: green}}
  template:
    metadata: {labels: {version: green}}
    spec: {containers: [{name: app, image: shop}]}
`
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		client.PrependReactor("*", "*", func(action kubetesting.Action) (bool, runtime.Object, error) {
			t.Errorf("%s %s was sent", action.GetVerb(), action.GetResource().Resource)
			return false, nil, nil
		})
	})
	in.Stage, in.Target = StagePR, "green"
	in.Manifests = map[string][]string{"green": {file}}
	report := Evaluate(Collect(t.Context(), in), Catalogue(), StagePR)
	for id, want := range map[string]Outcome{"BG-COL-02": Fail, "BG-COL-12": Warn, "BG-COL-13": Pass, "BG-COL-14": Skip, "BG-COL-15": Pass} {
		found := false
		for _, finding := range findingsOf(report, id) {
			found = found || finding.Outcome == want
		}
		if !found {
			t.Errorf("%s: %+v, want %s", id, findingsOf(report, id), want)
		}
	}
}

// overPrometheus are the inputs of a release with a Prometheus server, and the
// sources that measure makes of it.
func overPrometheus(t *testing.T, address string, edit func(*release.Release)) Inputs {
	t.Helper()
	in := inputs(t, "", "3", nil)
	in.Release.Spec.Metrics = release.Metrics{Prometheus: &release.Prometheus{URL: address}, VersionLabel: "version", Provider: "http"}
	if edit != nil {
		edit(in.Release)
	}
	sources, _, err := measure.NewSources(t.Context(), in.Client, in.Release, in.Clock)
	if err != nil {
		t.Fatal(err)
	}
	in.Sources = sources
	return in
}

func TestCollectReadsPrometheus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(prometheus))
	t.Cleanup(server.Close)
	in := overPrometheus(t, server.URL, nil)
	found := monitoring(t.Context(), in)
	blue, green := found.Series["blue"], found.Series["green"]
	if !blue.Known || blue.Value.Total != 7 || blue.Value.Requests != 7 || fmt.Sprint(blue.Value.Bounds) != "[0.1 0.3]" || blue.Value.Age.Seconds() != 7 {
		t.Errorf("series of blue = %+v", blue)
	}
	if !green.Known || green.Value.Total != 0 {
		t.Errorf("series of green = %+v, want none, known", green)
	}
	if len(found.Alerts.Value) != 1 || found.Alerts.Value[0].Name != "Full" || found.Alerts.Value[0].Health != "ok" {
		t.Errorf("alerts = %+v", found.Alerts)
	}
	if !found.Up.Known || found.ScrapeAge != 2*time.Second || len(found.Rules.Value) == 0 {
		t.Errorf("up = %+v, scraped %s ago, rules = %+v", found.Up, found.ScrapeAge, found.Rules)
	}
	server.Close()
	down := monitoring(t.Context(), in)
	if down.Up.Known || down.Alerts.Known || down.Series["blue"].Known {
		t.Errorf("a prometheus that is down is known: %+v", down)
	}
	for _, problem := range []string{down.Up.Problem, down.Alerts.Problem, down.Series["blue"].Problem} {
		if problem == "" || strings.Contains(problem, server.URL) {
			t.Errorf("%q: want a problem that does not quote the address", problem)
		}
	}
}

// Of an alert that would do it is asked, once, whether it has anything to compare.
func TestCollectAsksWhatAlertsCompare(t *testing.T) {
	const compared = "(sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)) - (0.8)"
	for name, test := range map[string]struct {
		query, answer string
		asked         int
		want          Outcome
		says          string
	}{
		"series":            {goodAlert, `[{"metric":{},"value":[1,"-0.3"]}]`, 1, Pass, "Full fires at 80 %"},
		"no series":         {goodAlert, `[]`, 1, Fail, "Full never fires"},
		"no number":         {goodAlert, `[{"metric":{},"value":[1,"NaN"]}]`, 1, Fail, "Full never fires"},
		"nonsense":          {goodAlert, `"none"`, 1, Unknown, "whether Full has series to compare is not known"},
		"what never does":   {"pg_stat_database_numbackends / pg_settings_max_connections > 0.8", `[]`, 0, Unknown, "unlike labels"},
		"what fires late":   {"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.9", `[]`, 0, Fail, "only above 80 %"},
		"what isn't for us": {"up == 0", `[]`, 0, Fail, "none of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				writer.Header().Set("Content-Type", "application/json")
				rule := fmt.Sprintf(`{"type":"alerting","name":"Full","query":%q,"health":"ok","labels":{},"alerts":[],"annotations":{},"state":"inactive"}`, test.query)
				switch {
				case strings.HasSuffix(request.URL.Path, "/rules"):
					_, _ = fmt.Fprintf(writer, `{"status":"success","data":{"groups":[{"name":"g","rules":[%s,%[1]s]}]}}`, rule)
				case strings.Contains(request.FormValue("query"), "pg_"):
					asked.Add(1)
					if request.FormValue("query") == compared {
						_, _ = fmt.Fprintf(writer, `{"status":"success","data":{"resultType":"vector","result":%s}}`, test.answer)
					}
				default:
					prometheus(writer, request)
				}
			}))
			t.Cleanup(server.Close)
			facts := healthy()
			facts.Monitoring = monitoring(t.Context(), overPrometheus(t, server.URL, nil))
			finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-04")[0]
			if finding.Outcome != test.want || !strings.Contains(finding.Cause, test.says) || int(asked.Load()) != test.asked {
				t.Errorf("asked %d times: %s: %s; want %d, %s: %s", asked.Load(), finding.Outcome, finding.Cause, test.asked, test.want, test.says)
			}
		})
	}
}

// A colour that the gate measures by its pods, without a version label in any
// series, passes the check too.
func TestCollectTellsSeriesAsTheGateDoes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if strings.Contains(request.FormValue("query"), "version=") {
			request.URL.RawQuery = "query=nothing"
			request.Form = nil
		}
		prometheus(writer, request)
	}))
	t.Cleanup(server.Close)
	in := overPrometheus(t, server.URL, nil)
	query := measure.Query{Signal: measure.RequestRate, Color: "blue", Window: time.Minute}
	if reading := measure.Observe(t.Context(), in.Sources, []measure.Query{query})[0]; reading.State != measure.OK {
		t.Fatalf("%+v: the gate can't measure blue", reading)
	}
	for _, finding := range findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-MON-01") {
		if finding.Subject == "metrics of blue" && (finding.Outcome != Pass || !strings.Contains(finding.Cause, `{namespace="shop",pod=~"shop-blue-`)) {
			t.Errorf("%s: %s; want a pass by the pods", finding.Outcome, finding.Cause)
		}
	}
}

// The namespace of the release is the client's where the document names none.
func TestCollectReadsPrometheusOfTheClientsNamespace(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(prometheus))
	t.Cleanup(server.Close)
	in := overPrometheus(t, server.URL, func(rel *release.Release) { rel.Metadata.Namespace = "" })
	series := monitoring(t.Context(), in).Series
	if green, blue := series["green"], series["blue"]; !green.Known || green.Value.Total != 0 || blue.Value.Total != 7 {
		t.Errorf("series of green = %+v, want none: those there are belong to another namespace", green)
	}
}

func TestCollectWithoutTheSourceOfAPrometheus(t *testing.T) {
	in := inputs(t, "", "3", nil)
	in.Release.Spec.Metrics.Prometheus = &release.Prometheus{URL: "http://admin:kept-to-itself%zz@prometheus"}
	found := monitoring(t.Context(), in)
	if found.Up.Known || found.Up.Problem == "" || found.Series["blue"].Problem == "" || strings.Contains(fmt.Sprintf("%+v", found), "kept-to-itself") {
		t.Errorf("%+v: want a problem without the password", found)
	}
}

// prometheus answers as the real one does, 7 to everything about blue's pods in
// namespace shop. It has another green in another namespace.
func prometheus(writer http.ResponseWriter, request *http.Request) {
	answer := `{"status":"success","data":{"resultType":"vector","result":[]}}`
	vector := `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,%q]}]}}`
	expression := request.FormValue("query")
	switch ours := strings.Contains(expression, `namespace="shop",pod=~"shop-blue-`); {
	case strings.HasSuffix(request.URL.Path, "/rules"):
		answer = `{"status":"success","data":{"groups":[{"name":"g","rules":[
			{"type":"alerting","name":"Full","query":"a > 1","health":"ok","labels":{"severity":"critical"},"alerts":[],"annotations":{},"state":"inactive"},
			{"type":"recording","name":"r","query":"b","health":"ok"}]}]}}`
	case expression == "time() - max(timestamp(up))":
		answer = fmt.Sprintf(vector, "2")
	case ours && strings.HasPrefix(expression, "count by (le)"):
		answer = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"+Inf"},"value":[1,"1"]},{"metric":{"le":"0.3"},"value":[1,"1"]},{"metric":{"le":"0.1"},"value":[1,"1"]}]}}`
	case ours, strings.Contains(expression, "green") && !strings.Contains(expression, `namespace="shop"`) && !strings.Contains(expression, `"|shop"`):
		answer = fmt.Sprintf(vector, "7")
	}
	writer.Header().Set("Content-Type", "application/json")
	_, _ = writer.Write([]byte(answer))
}

// inputs are those of a release in a fake cluster: blue is live.
func inputs(t *testing.T, dsn, poolSize string, prepare func(*fake.Clientset)) Inputs {
	t.Helper()
	objects := []runtime.Object{
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "svc-production", ResourceVersion: "7"},
			Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "shop", "version": "blue"}}},
	}
	for _, color := range []string{"blue", "green"} {
		objects = append(objects, objectsOf(color, poolSize)...)
	}
	client := fake.NewClientset(objects...)
	client.PrependReactor("create", "selfsubjectaccessreviews", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, &authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}, nil
	})
	if prepare != nil {
		prepare(client)
	}
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{
		Colors:  map[string]release.Color{"blue": declaredColor("blue"), "green": declaredColor("green")},
		Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}},
	}}
	if dsn != "" {
		rel.Spec.Databases = []release.Database{{Name: "main", Observe: release.Observe{DSN: release.SecretSource{Env: "MONITOR_URL"}}}}
	}
	release.ApplyDefaults(rel)
	connected := &cluster.Client{Kubernetes: client, Namespace: "shop"}
	admitting(connected, nil)
	return Inputs{Client: connected, Release: rel, Stage: StageDeploy,
		Getenv: func(string) string { return dsn }, Clock: clock.RealClock{}}
}

func objectsOf(color, poolSize string) []runtime.Object {
	fixture := healthyColor(color)
	set := map[string]string{"app": "shop", "version": color}
	template := fixture.Workloads.Value[0].Template
	template.Spec.Containers[0].Env[0].Value = poolSize
	objects := []runtime.Object{
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "svc-" + color}, Spec: corev1.ServiceSpec{Selector: set}},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "shop-" + color, Generation: 1},
			Spec:   appsv1.DeploymentSpec{Replicas: ptr.To(int32(3)), Selector: &metav1.LabelSelector{MatchLabels: set}, Template: template},
			Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, ReadyReplicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}},
	}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "svc-production-" + color,
		Labels: map[string]string{discoveryv1.LabelServiceName: "svc-production"}}, AddressType: discoveryv1.AddressTypeIPv4}
	for _, pod := range fixture.Pods.Value {
		pod.Namespace, pod.UID = "shop", types.UID(pod.Name)
		objects = append(objects, &pod)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{pod.Status.PodIPs[0].IP},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod.Name, UID: pod.UID}})
	}
	if color == "blue" {
		objects = append(objects, slice)
	}
	return objects
}

func TestCollectWaitsForAControllerToSeeItsWorkload(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	reads := 0
	in := inputs(t, dsn, "3", func(client *fake.Clientset) {
		client.PrependReactor("get", "deployments", func(action kubetesting.Action) (bool, runtime.Object, error) {
			get := action.(kubetesting.GetAction)
			object, err := client.Tracker().Get(get.GetResource(), get.GetNamespace(), get.GetName())
			if err != nil || get.GetName() != "shop-green" {
				return true, object, err
			}
			reads++
			stamped := object.(*appsv1.Deployment).DeepCopy()
			stamped.Generation = 2
			if stamped.Status.ObservedGeneration = 1; reads > 2 {
				stamped.Status.ObservedGeneration = 2
			}
			return true, stamped, nil
		})
	})
	facts := Collect(t.Context(), in)
	for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-01") {
		if finding.Outcome != Pass {
			t.Errorf("after %d reads: %s: %s", reads, finding.Outcome, finding.Cause)
		}
	}
	if reads < 3 {
		t.Errorf("the deployment was read %d times, want until its controller has seen it", reads)
	}
}
