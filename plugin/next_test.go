package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// TestPasteable: every command of a text says which release and which cluster
// it is about, and everything else of the text stays.
func TestPasteable(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"at the end":              {"kubectl bluegreen rollback", "kubectl bluegreen rollback svc/shop -f 'my shop.yaml' -n store --context prod"},
		"before its own flags":    {"kubectl bluegreen shift --to green", "kubectl bluegreen shift svc/shop -f 'my shop.yaml' -n store --context prod --to green"},
		"before its own argument": {"kubectl bluegreen history RUN", "kubectl bluegreen history svc/shop -f 'my shop.yaml' -n store --context prod RUN"},
		"two of them":             {"kubectl bluegreen resume, or: kubectl bluegreen status -w", "kubectl bluegreen resume svc/shop -f 'my shop.yaml' -n store --context prod, or: kubectl bluegreen status svc/shop -f 'my shop.yaml' -n store --context prod -w"},
		"below a parent":          {"see: kubectl bluegreen db budget", "see: kubectl bluegreen db budget svc/shop -f 'my shop.yaml' -n store --context prod"},
		"a Service is named":      {"write one with: kubectl bluegreen init svc/NAME", "write one with: kubectl bluegreen init svc/NAME -f 'my shop.yaml' -n store --context prod"},
		"explain takes none":      {"kubectl bluegreen explain route", "kubectl bluegreen explain route -f 'my shop.yaml' -n store --context prod"},
		"explain of a check":      {"kubectl bluegreen explain BG-DB-01", "kubectl bluegreen explain BG-DB-01 -f 'my shop.yaml' -n store --context prod"},
		"about no release":        {"kubectl bluegreen image save", "kubectl bluegreen image save"},
		"about another release":   {"kubectl bluegreen status -f FILE -w", "kubectl bluegreen status -f FILE -n store --context prod -w"},
		"help":                    {"run: kubectl bluegreen shift --help", "run: kubectl bluegreen shift --help"},
		"the program":             {"use the version of kubectl bluegreen that wrote it", "use the version of kubectl bluegreen that wrote it"},
		"kubectl's own":           {"by hand: kubectl -n store patch service shop -p '{}'", "by hand: kubectl --context prod -n store patch service shop -p '{}'"},
		"about no cluster":        {"list them: kubectl config get-contexts", "list them: kubectl config get-contexts"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			call, _, _, _ := bench(t, nil)
			call.service, call.file = "shop", "my shop.yaml"
			call.kubeconfig.Namespace, call.kubeconfig.Context = ptr.To("store"), ptr.To("prod")
			if diff := cmp.Diff(test.want, call.pasteable(test.text)); diff != "" {
				t.Error(diff)
			}
			bare, _, _, _ := bench(t, nil)
			if diff := cmp.Diff(test.text, bare.pasteable(test.text)); diff != "" {
				t.Errorf("of a call without arguments:\n%s", diff)
			}
		})
	}
}

// TestNoSecretIsPasted: what says who somebody is by a secret is not repeated.
func TestNoSecretIsPasted(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	flags := call.kubeconfig
	flags.BearerToken, flags.APIServer = ptr.To("planted"), ptr.To("https://ana:planted@kube.example")
	flags.AuthInfoName, flags.ClusterName, flags.KubeConfig = ptr.To("ana"), ptr.To("prod"), ptr.To("/etc/kube.yaml")
	want := "kubectl bluegreen status --kubeconfig /etc/kube.yaml --cluster prod --user ana"
	if diff := cmp.Diff(want, call.pasteable("kubectl bluegreen status")); diff != "" {
		t.Error(diff)
	}
}

// TestStdinIsNotPasted: where a document came from stdin, what is about a run
// names the Service that the run moves, and what begins one wants it again.
func TestStdinIsNotPasted(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	shop(t, call)
	call.file = "-"
	call.streams.In = strings.NewReader(shopDocument)
	if _, err := call.fileDocument(""); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"kubectl bluegreen rollback":         "kubectl bluegreen rollback svc/shop -n shop",
		"kubectl bluegreen shift --to green": "kubectl bluegreen shift -f - --to green",
	} {
		if diff := cmp.Diff(want, call.pasteable(text)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestARunIsToldWithCommandsToPaste: the line by which a shift is undone by
// hand, the command after it, and the hint of its error name the cluster.
func TestARunIsToldWithCommandsToPaste(t *testing.T) {
	call, _, errOut, _ := bench(t, nil)
	shop(t, call)
	call.file, call.kubeconfig.Context = "shop.yaml", ptr.To("prod")
	opened := &work{document: &document{Release: &release.Release{}}, client: call.connected}
	err := call.drive(t.Context(), &output{}, opened, func(_ context.Context, runner *rollout.Runner) (rollout.Outcome, error) {
		runner.Progress(rollout.Event{Phase: rollout.Preflight, Message: "by hand this is undone with: kubectl -n shop patch service shop"})
		return rollout.Outcome{Code: ExitHeld, Message: "held", Next: "kubectl bluegreen resume"}, release.WithHint(context.DeadlineExceeded, "kubectl bluegreen status")
	})
	call.printError(err)
	for _, want := range []string{
		"undone with: kubectl --context prod -n shop patch service shop\n",
		"next: kubectl bluegreen resume -f shop.yaml --context prod\n",
		"hint: kubectl bluegreen status -f shop.yaml --context prod\n",
	} {
		if !strings.Contains(errOut.String(), want) {
			t.Errorf("expected %q in:\n%s", want, errOut)
		}
	}
}

// TestARunThatWasTakenOverIsHeld: that somebody else goes on with it is no
// failure of the tool, whether the run had begun, or had reached its end.
func TestARunThatWasTakenOverIsHeld(t *testing.T) {
	lost := fmt.Errorf("write run 20261122-153012-k7f3q: it is held by bob: %w", journal.ErrLost)
	for name, c := range map[string]struct {
		outcome rollout.Outcome
		err     error
		want    int
	}{
		"before it began":   {rollout.Outcome{}, lost, ExitHeld},
		"at its end":        {rollout.Outcome{Message: "green serves production"}, lost, ExitHeld},
		"unproven is worse": {rollout.Outcome{Code: ExitUnproven, Message: "page someone"}, lost, ExitUnproven},
		"any other error":   {rollout.Outcome{}, errors.New("no"), ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			call, _, errOut, _ := bench(t, nil)
			shop(t, call)
			opened := &work{document: &document{Release: &release.Release{}}, client: call.connected}
			err := call.drive(t.Context(), &output{}, opened, func(context.Context, *rollout.Runner) (rollout.Outcome, error) { return c.outcome, c.err })
			if got := ExitStatus(t.Context(), err); got != c.want {
				t.Errorf("exit status %d, want %d", got, c.want)
			}
			call.printError(err)
			if says := strings.Contains(errOut.String(), "hint: kubectl bluegreen status "); says != errors.Is(c.err, journal.ErrLost) {
				t.Errorf("the hint stands there: %v\n%s", says, errOut)
			}
		})
	}
}
