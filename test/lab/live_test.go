package lab

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// guard ends a test that hangs.
const guard = 8 * time.Minute

// webManifest is a pod with a Service, of a name in a namespace.
const webManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: bluegreen.dev/probe:lab
        imagePullPolicy: Never
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {app: %[1]s}
  ports: [{port: 80, targetPort: http}]
`

// TestTwoLabsAtOnce brings two clusters up side by side, uses both, and sees
// that nothing is left of them.
func TestTwoLabsAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	t.Run("labs", func(t *testing.T) {
		for _, letter := range []string{"a", "b"} {
			t.Run(letter, func(t *testing.T) {
				t.Parallel()
				name := fmt.Sprintf("live-%s-%d", letter, os.Getpid())
				lab := start(ctx, t, Options{Name: name, With: []Addon{}, Audit: true, Owned: true})
				deployWeb(ctx, t, lab)
				servesPods(ctx, t, lab)
				forwardsPorts(ctx, t, lab)
				limitsAccounts(ctx, t, lab)
				surviveFaults(ctx, t, lab)
				isTakenAsItIs(ctx, t, lab)
				leavesNothing(ctx, t, lab)
			})
		}
	})
}

// TestAddons sees that what runs beside the cluster works together.
func TestAddons(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	lab := start(ctx, t, Options{Name: fmt.Sprintf("addons-%d", os.Getpid()), Owned: true})
	if got := output(ctx, t, lab, "kubectl", "-n", "database", "exec", "deploy/postgres", "--",
		"psql", "-U", "postgres", "-Atc", "SHOW max_connections"); strings.TrimSpace(got) != "100" {
		t.Errorf("max_connections is %q, want 100", got)
	}
	if got := output(ctx, t, lab, "kubectl", "-n", "database", "exec", "deploy/postgres", "--",
		"psql", "-U", "recommendation", "-d", "shop", "-Atc", "CREATE TABLE item (id int); SELECT count(*) FROM item"); !strings.Contains(got, "0") {
		t.Errorf("recommendation can't use shop: %q", got)
	}
	query := "/api/v1/namespaces/monitoring/services/%s/proxy/api/v1/query?query=pg_settings_max_connections"
	eventually(ctx, t, "Prometheus knows max_connections by pod", func() error {
		answer, err := lab.Kubectl(ctx, "get", "--raw", fmt.Sprintf(query, "prometheus:9090")).CombinedOutput()
		if err != nil || !strings.Contains(string(answer), `"100"`) || !strings.Contains(string(answer), `"pod":"postgres-exporter-`) {
			return fmt.Errorf("%w: %s", err, answer)
		}
		return nil
	})
	answers := map[faultproxy.Mode]string{faultproxy.Empty: `"result":[]`, faultproxy.Nonsense: "<html>", faultproxy.Refuse: "refused", faultproxy.Pass: `"100"`}
	for _, mode := range []faultproxy.Mode{faultproxy.Pass, faultproxy.Empty, faultproxy.Nonsense, faultproxy.Refuse, faultproxy.Pass} {
		if err := lab.SetPrometheusFault(ctx, mode); err != nil {
			t.Fatal(err)
		}
		answer, _ := lab.Kubectl(ctx, "get", "--raw", fmt.Sprintf(query, "prometheus-faulty:9090")).CombinedOutput()
		if !strings.Contains(string(answer), answers[mode]) {
			t.Errorf("Prometheus behind fault %s: %s, want %s", mode, answer, answers[mode])
		}
	}
	leavesNothing(ctx, t, lab)
}

// start brings a lab up that goes when the test ends.
func start(ctx context.Context, t *testing.T, options Options) *Lab {
	t.Helper()
	options.Out = t.Output()
	lab, err := Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// output runs a command inside the lab.
func output(ctx context.Context, t *testing.T, lab *Lab, name string, args ...string) string {
	t.Helper()
	out, err := lab.Command(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("run %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// eventually tries until there is no error.
func eventually(ctx context.Context, t *testing.T, what string, try func() error) {
	t.Helper()
	var last error
	err := await(ctx, patience, what, func(context.Context) (bool, error) {
		last = try()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}

// deployWeb runs a pod of an image that was just built.
func deployWeb(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	binary, err := buildContainer(ctx, "probe", filepath.Join(t.TempDir(), "probe"))
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.LoadBinary(ctx, "bluegreen.dev/probe:lab", binary); err != nil {
		t.Fatal(err)
	}
	if err := lab.Apply(ctx, fmt.Sprintf(webManifest, "web", "default")); err != nil {
		t.Fatal(err)
	}
	if err := lab.AwaitDeployments(ctx, "default"); err != nil {
		t.Fatal(err)
	}
}

// servesPods sees that names and cluster addresses work, from a pod and from
// the node, and that logs can be read.
func servesPods(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	if got := output(ctx, t, lab, "kubectl", "exec", "deploy/web", "--", "/probe", "get", "http://web.default.svc.cluster.local"); !strings.HasPrefix(got, "hello from web-") {
		t.Errorf("by name from a pod: %q", got)
	}
	if got := output(ctx, t, lab, "kubectl", "exec", "deploy/web", "--", "/probe", "get", "http://web"); !strings.HasPrefix(got, "hello from web-") {
		t.Errorf("by short name from a pod: %q", got)
	}
	address := strings.TrimSpace(output(ctx, t, lab, "kubectl", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"))
	if got := get(ctx, t, lab, "http://"+address); !strings.HasPrefix(got, "hello from web-") {
		t.Errorf("by cluster address from the node: %q", got)
	}
	if got := output(ctx, t, lab, "kubectl", "logs", "deploy/web"); !strings.Contains(got, "serving") {
		t.Errorf("logs: %q", got)
	}
}

// get asks for a URL from inside the lab.
func get(ctx context.Context, t *testing.T, lab *Lab, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: lab.DialContext, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// forwardsPorts sees that port-forward works.
func forwardsPorts(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	command := lab.Kubectl(ctx, "port-forward", "deploy/web", ":8080")
	pipe, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = command.Wait()
	}()
	line, err := bufio.NewReader(pipe).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	if got := get(ctx, t, lab, "http://"+match); !strings.HasPrefix(got, "hello from web-") {
		t.Errorf("by port-forward: %q", got)
	}
}

// limitsAccounts sees that an account may do what it was given and no more.
func limitsAccounts(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	kubeconfig, err := lab.KubeconfigFor(ctx, "viewer", []rbacv1.PolicyRule{{Verbs: []string{"list"}, APIGroups: []string{""}, Resources: []string{"pods"}}})
	if err != nil {
		t.Fatal(err)
	}
	output(ctx, t, lab, "kubectl", "--kubeconfig", kubeconfig, "get", "pods")
	out, err := lab.Kubectl(ctx, "--kubeconfig", kubeconfig, "get", "secrets").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "forbidden") {
		t.Errorf("list secrets without the right: %v, %s", err, out)
	}
	audit, err := os.ReadFile(lab.AuditLog())
	if err != nil || !strings.Contains(string(audit), `"username":"system:serviceaccount:default:viewer"`) {
		t.Errorf("the audit log doesn't know the account: %v", err)
	}
}

// surviveFaults pauses and kills the API server and sees it gone and back.
func surviveFaults(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	client, err := kubernetes.NewForConfig(lab.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	ready := func(limit time.Duration) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}
	if err := lab.Pause(APIServer); err != nil {
		t.Fatal(err)
	}
	if err := ready(time.Second); err == nil {
		t.Error("a paused API server answers")
	}
	if err := lab.Resume(APIServer); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the resumed API server", func() error { return ready(10 * time.Second) })
	if err := lab.Kill(ctx, APIServer); err != nil {
		t.Fatal(err)
	}
	if err := ready(time.Second); err == nil {
		t.Error("a killed API server answers")
	}
	if known, err := lab.record.read(); err != nil || !slices.Equal(known.dead(), []Component{APIServer}) {
		t.Errorf("dead components: %v, %v", known.dead(), err)
	}
	if err := lab.Start(APIServer); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the API server started again", func() error { return ready(10 * time.Second) })
}

// isTakenAsItIs sees that starting a lab that is up changes nothing.
func isTakenAsItIs(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	before, err := lab.record.read()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(ctx, Options{Name: lab.Name(), With: []Addon{}}); err != nil {
		t.Fatal(err)
	}
	after, err := lab.record.read()
	if err != nil {
		t.Fatal(err)
	}
	if before.Holder != after.Holder || before.Processes[Etcd] != after.Processes[Etcd] {
		t.Error("a lab that was up was started anew")
	}
}

// leavesNothing stops the lab and looks for anything of it: every process that
// it had, and all that can bear its name.
func leavesNothing(ctx context.Context, t *testing.T, lab *Lab) {
	t.Helper()
	programs, err := lab.layout.namespace().Processes()
	if err != nil {
		t.Fatal(err)
	}
	containers := lab.layout.cgroup().Processes()
	if len(programs) < len(Components()) || len(containers) < 2 {
		t.Errorf("%d programs and %d container processes before it stops: too few to be all", len(programs), len(containers))
	}
	if before, err := Residue(ctx, lab.Name()); err != nil || len(before) < 10 {
		t.Errorf("a running lab's residue is only %v, %v", before, err)
	}
	if err := lab.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, record := range slices.Concat(programs, containers) {
		if record.Alive() {
			t.Errorf("process %d is left", record.PID)
		}
	}
	left, err := Residue(ctx, lab.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, thing := range left {
		t.Errorf("left: %s", thing)
	}
}

// TestSweepTakesAnAbandonedLabDown leaves a half-made lab whose owner is gone.
func TestSweepTakesAnAbandonedLabDown(t *testing.T) {
	where, err := newLayout(fmt.Sprintf("gone-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(where.folder(), 0o755); err != nil {
		t.Fatalf("this test needs root: %v", err)
	}
	if err := open(where).record.update(func(r *record) { r.Owner = &process.Record{PID: os.Getpid(), Started: 1} }); err != nil {
		t.Fatal(err)
	}
	if err := where.cgroup().Create(); err != nil {
		t.Fatal(err)
	}
	if err := where.namespace().Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := Residue(t.Context(), where.name); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
