package plugin

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
)

// TestSignoffIsGivenShownAndRevoked: what is written is what is shown, until its
// day has passed.
func TestSignoffIsGivenShownAndRevoked(t *testing.T) {
	call, out, errOut, clock := bench(t, nil)
	server := shop(t, call)
	run := func(args ...string) string {
		t.Helper()
		out.Reset()
		command := newSignoff(call)
		command.SetArgs(args)
		command.SilenceErrors, command.SilenceUsage = true, true
		if err := command.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	expect := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("nothing says %q in:\n%s", part, text)
			}
		}
	}
	expect(run(), "BG-TST-02   not signed")
	expect(run("bg-tst-02", "--by", "ana", "--until", "2026-12-01", "--note", "in staging"), "BG-TST-02 signed off by ana until 2026-12-01", "it counts for service")
	expect(errOut.String(), "next: kubectl bluegreen check -f ")
	object, err := server.CoreV1().ConfigMaps("shop").Get(t.Context(), "bluegreen-shop-signoffs", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expect(object.Data[signoff.RollbackDrill], `"by":"ana"`, `"until":"2026-12-01"`, `"note":"in staging"`, `"signed":"2026-11-22T12:00:00Z"`, `"routes":["service"]`)
	expect(run("list"), "BG-TST-02   signed       ana   2026-12-01")
	clock.SetTime(noon().AddDate(0, 0, 10))
	expect(run("list"), "BG-TST-02   expired", "expired since 2026-12-02")
	if resources := asked(server); slices.Contains(resources, "secrets") {
		t.Errorf("it asks for %v", resources)
	}
}

// A load is bound to images: where they can't be seen, nothing is signed.
func TestSignoffOfALoadNeedsTheImages(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	server := shop(t, call)
	command := newSignoff(call)
	command.SetArgs([]string{"BG-TST-01", "--by", "ana", "--until", "2026-12-01"})
	command.SilenceErrors, command.SilenceUsage = true, true
	if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "the workloads of colour blue") {
		t.Errorf("%v, want that the images can't be seen", err)
	}
	for _, action := range server.Actions() {
		if verb := action.GetVerb(); verb != "get" && verb != "list" {
			t.Errorf("written: %s %s", verb, action.GetResource().Resource)
		}
	}
}

// Revoking takes away what is there, and says where nothing is.
func TestSignoffIsRevoked(t *testing.T) {
	call, out, _, _ := bench(t, nil)
	shop(t, call)
	client, _ := clustertest.New()
	call.connected = client
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"BG-TST-02", "--revoke"}, "already: nobody has signed off BG-TST-02"},
		{[]string{"BG-TST-02", "--by", "ana", "--until", "2026-12-01"}, "BG-TST-02 signed off by ana"},
		{[]string{"BG-TST-02", "--revoke"}, "BG-TST-02 is signed off no more"},
		{[]string{"BG-TST-02", "--revoke"}, "already: nobody"},
	} {
		command := newSignoff(call)
		command.SetArgs(step.args)
		out.Reset()
		if err := command.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), step.want) {
			t.Fatalf("%v, %q; want %q", err, out, step.want)
		}
	}
}
