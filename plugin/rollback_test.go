package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestRollbackOpensNoSources: up to where it finds out which side to go back
// to, a rollback asks for the route and the record, and for no pod. A release
// with nothing to go back to ends it right there.
func TestRollbackOpensNoSources(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	server := shop(t, call)
	command := newRollback(call)
	command.SetArgs(nil)
	command.SilenceUsage, command.SilenceErrors = true, true
	if err := command.ExecuteContext(t.Context()); err == nil {
		t.Error("a rollback to nowhere is done")
	}
	if diff := cmp.Diff([]string{"configmaps", "services"}, asked(server)); diff != "" {
		t.Error(diff)
	}
}

// What is overruled stands behind an equals sign, and who forgets that in an
// emergency is told so.
func TestRollbackForcedWithABlank(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	shop(t, call)
	command := newRollback(call)
	command.SetArgs([]string{"--force", "ready-endpoints"})
	command.SilenceUsage, command.SilenceErrors = true, true
	if err := command.ExecuteContext(t.Context()); !strings.Contains(release.HintOf(err), "rollback --force=ready-endpoints") {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
}

// TestARunnerWithoutSourcesCanOpenThem: what a rollback may want to read once
// traffic is back is there when it asks for it.
func TestARunnerWithoutSourcesCanOpenThem(t *testing.T) {
	call, _, _, _ := bench(t, nil)
	shop(t, call)
	opened, err := call.reach(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.close)
	runner := call.runner(opened, nil)
	if len(runner.Sources) != 0 {
		t.Errorf("%d sources are open", len(runner.Sources))
	}
	sources, err := runner.Reopen(t.Context())
	if err != nil || len(sources) == 0 || len(opened.sources) != len(sources) {
		t.Errorf("%d sources are opened, %d are closed at the end, %v", len(sources), len(opened.sources), err)
	}
}
