package plugin

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// observedRun runs a command line and returns what its observer is told.
func observedRun(t *testing.T, version string, args ...string) (code int, out string, found *preflight.Report, tool report.Tool, failure error) {
	t.Helper()
	streams, _, stdout, _ := genericiooptions.NewTestIOStreams()
	code = Run(t.Context(), Environment{
		LookupEnv: func(string) (string, bool) { return "", false }, Version: version,
		Observer: Observer{
			Checked: func(checked *preflight.Report, by report.Tool) { found, tool = checked, by },
			Failed:  func(err error) { failure = err },
		},
	}, Streams{IOStreams: streams}, args)
	return code, stdout.String(), found, tool, failure
}

// Who runs a command in its own process is told the report, the version that the
// release has linked, and the error with its hint.
func TestObserver(t *testing.T) {
	t.Chdir(t.TempDir()) // stage pr reads nothing elsewhere
	path := "bluegreen.yaml"
	text := `apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: shop, namespace: shop}
spec:
  colors:
    blue: {workloads: [deployment/shop-blue], selector: {version: blue}}
    green: {workloads: [deployment/shop-green], selector: {version: green}}
  traffic: {service: {name: shop}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, found, tool, failure := observedRun(t, "v1.2.3", "check", "--stage", "pr", "-f", path)
	if code != ExitDone || found == nil || found.Name != "shop" || failure != nil {
		t.Fatalf("exit code %d, report %+v, error %v", code, found, failure)
	}
	if tool.Version != "v1.2.3" || len(tool.Checks) == 0 {
		t.Errorf("the tool is %s with %d checks", tool.Version, len(tool.Checks))
	}
	code, _, found, _, failure = observedRun(t, "", "check", "--stage", "later", "-f", path)
	if code != ExitFailed || found != nil || failure == nil || !strings.HasPrefix(release.HintOf(failure), "one of: pr") {
		t.Errorf("exit code %d, report %+v, error %v", code, found, failure)
	}
	if _, out, _, _, _ := observedRun(t, "v1.2.3", "version"); !strings.HasPrefix(out, "kubectl bluegreen v1.2.3 (") {
		t.Errorf("version prints %q", out)
	}
	if _, out, _, _, _ := observedRun(t, "", "version"); !strings.HasPrefix(out, "kubectl bluegreen "+BuildVersion().Version+" (") {
		t.Errorf("version of a build by hand prints %q", out)
	}
}

// An interrupt is a person's who sits there, and holds the run; where nobody
// does, a guard goes on with it.
func TestWhoIsAskedHandsOver(t *testing.T) {
	for _, test := range []struct {
		unattended bool
		cause      error
		want       bool
	}{
		{false, &Interrupted{Signal: os.Interrupt.String()}, false}, {true, &Interrupted{Signal: os.Interrupt.String()}, true},
		{false, &Interrupted{Signal: syscall.SIGTERM.String()}, true}, {true, &Interrupted{Signal: syscall.SIGTERM.String()}, true},
		{false, nil, true}, {false, context.Canceled, true},
	} {
		call, _, _, _ := bench(t, nil)
		call.environment.Unattended = test.unattended
		if got := call.handsOver(test.cause); got != test.want {
			t.Errorf("unattended %t, %v: hands over %t", test.unattended, test.cause, got)
		}
	}
}
