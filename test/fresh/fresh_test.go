// Package fresh holds the test of what somebody meets who has never heard of
// this program: a cluster with nothing on it, a plain service, and the program
// on PATH, where kubectl finds it.
package fresh

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m, lab.Options{With: []lab.Addon{}})) }

const (
	// namespace is the service's.
	namespace = "fresh"
	// hang bounds one command, far above what it takes.
	hang = 8 * time.Minute
	// calm is how many lines the five commands may print together, on stdout
	// and stderr: about two screens, most of them the list of checks.
	calm = 130
)

// alarming is what nobody wants to read who did nothing wrong. The names of
// rules, such as advance-error-ratio, are no alarm.
var alarming = regexp.MustCompile(`(?im)^error|error:|warning:|panic|goroutine|exception|<nil>|%!`)

// Two Deployments and a Service, no Prometheus, no database, no metrics, no
// Release: five commands lead to a finished shift.
func TestFreshClusterToFinishedShiftInFiveCommands(t *testing.T) {
	s := sitDown(t)
	if pods := s.well("kubectl", "get", "pods", "-A", "-o", "name"); pods != "" {
		t.Fatalf("the cluster is not empty:\n%s", pods)
	}
	s.serveWeb()
	lines := 0
	for number, args := range [][]string{
		{"init", "svc/web"}, {"explain", "route"}, {"check"}, {"shift", "--dry-run=server"}, {"shift"},
	} {
		if number == 1 {
			s.shorten()
		}
		result := s.run("kubectl", append([]string{"bluegreen", "-n", namespace}, args...)...)
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
	if live := s.well("kubectl", "-n", namespace, "get", "service", "web", "-o", "jsonpath={.spec.selector.version}"); live != shop.Green {
		t.Errorf("the Service selects %q, want green", live)
	}
}

// somebody sits in a folder, with the program on PATH.
type somebody struct {
	t      *testing.T
	lab    *lab.Lab
	place  *shop.Place
	folder string
	// path is PATH, as a variable.
	path string
}

// sitDown puts the program where kubectl finds it, under the name that kubectl
// looks for. Without BLUEGREEN_PLUGIN it is built.
func sitDown(t *testing.T) *somebody {
	t.Helper()
	current, programs := lab.Current(t), t.TempDir()
	named := filepath.Join(programs, "kubectl-bluegreen")
	if plugin := os.Getenv("BLUEGREEN_PLUGIN"); plugin != "" {
		if err := os.Symlink(plugin, named); err != nil {
			t.Fatal(err)
		}
	} else {
		source, err := shop.Source(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := compile.Static(t.Context(), source, "./cmd/kubectl-bluegreen", named); err != nil {
			t.Fatal(err)
		}
	}
	return &somebody{
		t: t, lab: current, place: &shop.Place{Kubeconfig: current.Kubeconfig()}, folder: t.TempDir(),
		path: "PATH=" + programs + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
}

// run runs a program until it ends.
func (s *somebody) run(program string, args ...string) shop.Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), hang)
	defer cancel()
	result, err := s.place.Run(ctx, s.folder, []string{s.path}, program, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// well runs a program, fails the test unless it ends with 0, and returns what
// it wrote to stdout.
func (s *somebody) well(program string, args ...string) string {
	s.t.Helper()
	result := s.run(program, args...)
	if result.Code != 0 {
		s.t.Fatalf("%s %s: exit code %d\n%s%s", program, strings.Join(args, " "), result.Code, result.Stdout, result.Stderr)
	}
	return result.Stdout
}

// shorten gives the Release that init wrote a watch short enough to sit
// through; nothing else of it is changed.
func (s *somebody) shorten() {
	s.t.Helper()
	err := shop.ChangeRelease(filepath.Join(s.folder, "bluegreen.yaml"), func(document *release.Release) {
		document.Spec.Traffic.Watch = release.Duration(5 * time.Second)
		document.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(3 * time.Second)}}
		document.Spec.Gates.Interval = release.Duration(time.Second)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// serveWeb puts the plain service on the cluster and waits until it is ready.
func (s *somebody) serveWeb() {
	s.t.Helper()
	here, err := filepath.Abs("testdata")
	if err != nil {
		s.t.Fatal(err)
	}
	binary := filepath.Join(s.t.TempDir(), "web")
	if err := compile.Static(s.t.Context(), here, "./web", binary); err != nil {
		s.t.Fatal(err)
	}
	if err := s.lab.LoadBinary(s.t.Context(), "web:v1", binary); err != nil {
		s.t.Fatal(err)
	}
	s.well("kubectl", "create", "namespace", namespace)
	s.t.Cleanup(func() { s.well("kubectl", "delete", "namespace", namespace) })
	s.well("kubectl", "-n", namespace, "apply", "-f", filepath.Join(here, "web.yaml"))
	for _, color := range []string{shop.Blue, shop.Green} {
		s.well("kubectl", "-n", namespace, "rollout", "status", "deployment/web-"+color, "--timeout", hang.String())
	}
}
