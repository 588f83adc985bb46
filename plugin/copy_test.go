package plugin

import (
	"strings"
	"testing"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// A shift that was blocked may have been blocked for its document: who has none at
// hand goes by that of the last run that was not.
func TestTheDocumentOfABlockedRunIsNotGoneBy(t *testing.T) {
	faulty := strings.Replace(shopDocument, "version: blue", "version: bleu", 1)
	if faulty == shopDocument {
		t.Fatal("the document has no selector to get wrong")
	}
	for name, test := range map[string]struct {
		before, last rollout.Phase
		want         string
	}{
		"a shift, then one that was blocked": {rollout.Done, rollout.Blocked, "run-1"},
		"two shifts":                         {rollout.Done, rollout.Done, "run-2"},
		"nothing but what was blocked":       {rollout.Blocked, rollout.Blocked, "run-2"},
	} {
		t.Run(name, func(t *testing.T) {
			call, _, _, _ := bench(t, nil)
			shop(t, call)
			client, server := clustertest.New()
			client.Namespace, call.connected, call.file = "shop", client, ""
			t.Chdir(t.TempDir())
			record := journal.New(server, "shop", "shop", clock.RealClock{})
			ended(t, record, journal.Run{ID: "run-1", Document: []byte(shopDocument)}, test.before)
			ended(t, record, journal.Run{ID: "run-2", Document: []byte(faulty)}, test.last)
			found, err := call.documentOfRun(t.Context(), "")
			if err != nil || !strings.Contains(found.Origin, test.want) {
				t.Errorf("found %+v, %v; want that of %s", found, err, test.want)
			}
		})
	}
}

// ended is a run that has come to its end.
func ended(t *testing.T, record *journal.Journal, run journal.Run, phase rollout.Phase) {
	t.Helper()
	tenure, err := record.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@desk/2"}, run)
	if err != nil {
		t.Fatal(err)
	}
	if err := tenure.Save(t.Context(), rollout.State{Phase: phase}, string(phase)); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Finish(t.Context(), string(phase)); err != nil {
		t.Fatal(err)
	}
}
