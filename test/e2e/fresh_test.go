package e2e

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// calm is how many lines the five commands may print together, on stdout and
// stderr: about two screens, most of them the list of checks.
const calm = 130

// alarming is what nobody wants to read who did nothing wrong. The names of
// rules, such as advance-error-ratio, are no alarm.
var alarming = regexp.MustCompile(`(?im)^error|error:|warning:|panic|goroutine|exception|<nil>|%!`)

// Two Deployments and a Service, no Prometheus, no database, no metrics, no
// Release: five commands lead to a finished shift.
func TestFreshClusterToFinishedShiftInFiveCommands(t *testing.T) {
	namespace, folder := namespace(t.Name()), t.TempDir()
	serveWeb(t, namespace)
	lines := 0
	for number, args := range [][]string{
		{"init", "svc/web"}, {"explain", "route"}, {"check"}, {"shift", "--dry-run=server"}, {"shift"},
	} {
		if number == 1 {
			shorten(t, folder)
		}
		result := command(t, folder, nil, place(t).Plugin, append(args, "-n", namespace)...)
		output := result.Stdout + result.Stderr
		t.Logf("kubectl bluegreen %s: exit code %d after %s\n%s", strings.Join(args, " "), result.Code, result.Took.Round(100*time.Millisecond), output)
		if result.Code != rollout.CodeDone {
			t.Fatalf("exit code %d, want 0", result.Code)
		}
		if found := alarming.FindString(output); found != "" {
			t.Errorf("%q is not calm", found)
		}
		lines += strings.Count(output, "\n")
	}
	t.Logf("%d lines in all", lines)
	if lines > calm {
		t.Errorf("%d lines in all, want %d at most", lines, calm)
	}
	service, err := place(t).Client.Kubernetes.CoreV1().Services(namespace).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if service.Spec.Selector["version"] != shop.Green {
		t.Errorf("the Service selects %v, want green", service.Spec.Selector)
	}
}

// shorten gives the Release that init wrote a watch short enough to sit
// through; nothing else of it is changed.
func shorten(t *testing.T, folder string) {
	t.Helper()
	err := shop.ChangeRelease(filepath.Join(folder, "bluegreen.yaml"), func(document *release.Release) {
		document.Spec.Traffic.Watch = release.Duration(5 * time.Second)
		document.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(3 * time.Second)}}
		document.Spec.Gates.Interval = release.Duration(time.Second)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// serveWeb puts the plain service on the cluster and waits until it is ready.
func serveWeb(t *testing.T, namespace string) {
	t.Helper()
	current := lab.Current(t)
	folder := t.TempDir()
	here, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "web")
	well(t, command(t, here, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", binary, "./web"))
	if err := current.LoadBinary(t.Context(), "web:v1", binary); err != nil {
		t.Fatal(err)
	}
	kubectl := func(args ...string) {
		t.Helper()
		well(t, command(t, here, nil, "kubectl", append([]string{"-n", namespace}, args...)...))
	}
	kubectl("create", "namespace", namespace)
	t.Cleanup(func() {
		err := place(t).Client.Kubernetes.CoreV1().Namespaces().Delete(context.WithoutCancel(t.Context()), namespace, metav1.DeleteOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	kubectl("apply", "-f", "web.yaml")
	for _, color := range []string{shop.Blue, shop.Green} {
		kubectl("rollout", "status", "deployment/web-"+color, "--timeout", hang.String())
	}
}

// well fails the test unless a command ended with 0.
func well(t *testing.T, result shop.Result) {
	t.Helper()
	if result.Code != 0 {
		t.Fatalf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
	}
}
