package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Beside a shift that runs, a second one changes nothing and names who runs.
func TestSecondShiftNamesTheHolder(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(20 * time.Second)})
	s.production(keepAliveClients, freshClients)
	first := s.inWatch(shop.Green, "shift", "-o", "json")
	running := s.status(s.run(rollout.CodeDone, "status", "-o", "json"))

	second := s.run(rollout.CodeBlocked, "shift")
	says(t, second.Stdout, running.Holder, running.ID)
	status := s.status(s.ended(first, rollout.CodeDone))
	if status.ID != running.ID || status.Epoch != running.Epoch {
		t.Errorf("the first shift ended as run %s at epoch %d, want %s undisturbed at %d", status.ID, status.Epoch, running.ID, running.Epoch)
	}
	s.serves(shop.Green)
}

// A right that is missing is named by verb and resource before anything is
// written; with all rights that check lists, it passes.
func TestMissingRightIsNamed(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	before := s.objects()

	crippled := s.kubeconfigWith("deployer", operatorRules("get", "list"))
	report := s.checked(rollout.CodeBlocked, "--kubeconfig", crippled)
	if !slices.Contains(report.Blocking, "BG-COL-07") {
		t.Errorf("blocked by %v, want BG-COL-07 among them", report.Blocking)
	}
	finding := findingOf(t, report, "BG-COL-07")
	says(t, finding.Cause, "verb patch on resource services/svc-production is not granted")
	says(t, finding.Remedy, "grant verb patch on resource services/svc-production in namespace "+s.shop.Namespace)
	result := s.run(rollout.CodeFailed, "shift", "--kubeconfig", crippled)
	says(t, result.Stderr, "error: ", "patch", "services", "hint: ")
	if after := s.objects(); after != before {
		t.Errorf("the objects were changed:\n%s\n%s", before, after)
	}
	// What never began stands in nobody's way.
	if status := s.status(s.run(rollout.CodeDone, "status", "-o", "json")); status.Phase != rollout.Blocked || status.Finished.IsZero() {
		t.Errorf("the shift that was refused is in phase %s, finished %s; want blocked and finished", status.Phase, status.Finished)
	}

	blind := s.kubeconfigWith("nobody", nil)
	result = s.run(rollout.CodeFailed, "shift", "--kubeconfig", blind)
	says(t, result.Stderr, "get", "services", "hint: ")

	able := s.kubeconfigWith("operator", operatorRules("get", "list", "patch"))
	if finding := findingOf(t, s.checked(rollout.CodeDone, "--kubeconfig", able), "BG-COL-07"); finding.Outcome != preflight.Pass {
		t.Errorf("with all rights: %+v", finding)
	}
}

// operatorRules are the rights that a release needs, with the verbs given on
// Services.
func operatorRules(onServices ...string) []rbacv1.PolicyRule {
	reading := []string{"get", "list"}
	return []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: onServices},
		{APIGroups: []string{""}, Resources: []string{"pods/log", "secrets", "nodes", "events", "resourcequotas", "limitranges", "namespaces"}, Verbs: reading},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "create", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"pods/proxy", "services/proxy"}, Verbs: []string{"get", "create"}},
		{APIGroups: []string{""}, Resources: []string{"pods/portforward", "pods/eviction"}, Verbs: []string{"create", "get"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "create", "update", "delete"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments", "statefulsets"}, Verbs: []string{"get", "list", "patch"}},
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: reading},
		{APIGroups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: reading},
		{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"networkpolicies", "ingresses"}, Verbs: reading},
		{APIGroups: []string{"gateway.networking.k8s.io", "projectcontour.io", "networking.istio.io", "cloud.google.com"}, Resources: []string{"httproutes", "grpcroutes", "httpproxies", "destinationrules", "backendconfigs"}, Verbs: reading},
		{APIGroups: []string{"batch"}, Resources: []string{"jobs", "cronjobs"}, Verbs: reading},
		{APIGroups: []string{"autoscaling"}, Resources: []string{"horizontalpodautoscalers"}, Verbs: reading},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "create", "update"}},
	}
}

// kubeconfigWith logs in as somebody who has some rights and no others.
func (s *scenario) kubeconfigWith(name string, rules []rbacv1.PolicyRule) string {
	s.t.Helper()
	path, err := lab.Current(s.t).KubeconfigFor(s.t.Context(), "e2e-"+name, rules)
	if err != nil {
		s.t.Fatal(err)
	}
	return path
}

// objects are the specifications and annotations of all that a shift writes
// to, and the names of what it makes.
func (s *scenario) objects() string {
	s.t.Helper()
	return s.byHand("get", "services,deployments", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.annotations.bluegreen\.dev/epoch} {.spec.selector} {.spec.replicas}{"\n"}{end}`)
}

// A production Service that has lost the label of its colour stops every
// command that would move traffic; the hint puts it right.
func TestLostColorLabelStopsEverything(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	s.byHand("patch", "service", shop.Service, "--type=json", "-p", `[{"op":"remove","path":"/spec/selector/version"}]`)
	before := s.objects()

	report := s.checked(rollout.CodeBlocked)
	if !slices.Contains(report.Blocking, "BG-COL-05") {
		t.Errorf("blocked by %v, want BG-COL-05 among them", report.Blocking)
	}
	const complaint = "its selector has no key version, so it may send traffic to every colour"
	says(t, findingOf(t, report, "BG-COL-05").Cause, complaint)
	hint := ""
	for _, args := range [][]string{{"shift"}, {"shift", "--to", "blue"}, {"shift", "--dry-run=server"}, {"rollback"}, {"rollback", "--force"}} {
		result := s.run(rollout.CodeFailed, args...)
		says(t, result.Stderr, "error: ", shop.Service, complaint, "hint: ")
		_, hint, _ = strings.Cut(result.Stderr, "to the colour that is to be live; blue: ")
	}
	if after := s.objects(); after != before {
		t.Errorf("the objects were changed:\n%s\n%s", before, after)
	}

	hint, _, _ = strings.Cut(hint, "; green: ")
	if followed := command(t, s.shop.Folder, nil, "sh", "-c", hint); followed.Code != 0 {
		t.Fatalf("the hint %q ends with %d: %s", hint, followed.Code, followed.Stderr)
	}
	s.checked(rollout.CodeDone)
	s.serves(shop.Blue)
}

// kubectl finds the program on PATH, runs it as `kubectl bluegreen`, and
// completes its arguments.
func TestKubectlFindsThePlugin(t *testing.T) {
	folder := t.TempDir()
	plugin, err := filepath.Abs(place(t).Plugin)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kubectl-bluegreen", "kubectl_complete-bluegreen"} {
		if err := os.Symlink(plugin, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	path := []string{"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH")}
	kubectl := func(code int, args ...string) shop.Result {
		t.Helper()
		result := command(t, folder, path, "kubectl", args...)
		if result.Code != code {
			t.Errorf("kubectl %s: exit code %d, want %d\n%s", strings.Join(args, " "), result.Code, code, result.Stderr)
		}
		return result
	}

	listed := kubectl(rollout.CodeDone, "plugin", "list")
	says(t, listed.Stdout, filepath.Join(folder, "kubectl-bluegreen"))
	if strings.Contains(listed.Stderr, "warning") {
		t.Errorf("kubectl plugin list warns: %s", listed.Stderr)
	}
	version := map[string]any{}
	if err := json.Unmarshal([]byte(kubectl(rollout.CodeDone, "bluegreen", "version", "-o", "json").Stdout), &version); err != nil {
		t.Errorf("kubectl bluegreen version -o json: %v", err)
	}
	says(t, kubectl(rollout.CodeDone, "__complete", "bluegreen", "sh").Stdout, "shift\t")
	says(t, kubectl(rollout.CodeDone, "__complete", "bluegreen", "shift", "--dry-run", "s").Stdout, "server")

	// Flags of kubectl and exit codes go through: no Release, and the hint
	// names the command as it was typed.
	result := kubectl(rollout.CodeFailed, "bluegreen", "-n", "default", "shift")
	says(t, result.Stderr, "error: no Release", "namespace default", "hint: ", "kubectl bluegreen init svc/NAME")
	result = kubectl(rollout.CodeFailed, "bluegreen", "status", "--server", "http://127.0.0.1:1")
	says(t, result.Stderr, "error: no cluster answers at")
	if err := os.WriteFile(filepath.Join(folder, "bluegreen.yaml"), []byte(typo), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, kubectl(rollout.CodeFailed, "bluegreen", "check").Stderr, "error: bluegreen.yaml:5:3: spec.trafic: unknown field", `hint: did you mean "traffic"?`)
}

// typo is a Release with a field that does not exist.
const typo = `apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: web}
spec:
  trafic: {service: {name: web}}
  colors:
    blue: {workloads: [deployment/web-blue], selector: {version: blue}}
    green: {workloads: [deployment/web-green], selector: {version: green}}
`
