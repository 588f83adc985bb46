package plugin

import (
	"context"
	"os"
	"strings"
	"testing"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// TestAFileThatIsNoUseSaysWhichNamespace: the release that is gone by is the
// one in the namespace that the file names, not in that of the context, where
// there is another of its name.
func TestAFileThatIsNoUseSaysWhichNamespace(t *testing.T) {
	call, _, errOut, _ := bench(t, nil)
	server := shop(t, call)
	call.file, call.connected.Namespace = "", "default"
	t.Chdir(t.TempDir())
	if err := os.WriteFile(defaultFile, []byte(shopDocument+"  gate: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"shop", "default"} {
		record := journal.New(server, namespace, "shop", testingclock.NewFakeClock(noon()))
		text := strings.Replace(shopDocument, ", namespace: shop", "", 1)
		run := journal.Run{ID: "run-of-" + namespace, Document: []byte(text)}
		tenure, err := record.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@desk/2"}, run)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tenure.Release(context.Background()) }) // nobody renews it any more
	}
	found, err := call.documentOfRun(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Release.Metadata; got.Name != "shop" || got.Namespace != "shop" || !strings.Contains(found.Origin, "run-of-shop") {
		t.Errorf("release %s in namespace %s, by %s", got.Name, got.Namespace, found.Origin)
	}
	if !strings.Contains(errOut.String(), "spec.gate: unknown field") {
		t.Errorf("the mistake is not told:\n%s", errOut)
	}
}
