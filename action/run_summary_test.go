package action

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// finishedShift is a shift by a half that went well.
func finishedShift() *plugin.Standing {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	passage := func(seconds int, action, split string) journal.Entry {
		return journal.Entry{Time: start.Add(time.Duration(seconds) * time.Second), Kind: journal.Transition, Action: action, Split: split}
	}
	return &plugin.Standing{
		Message: "green serves production, blue is drained (0 residual requests/s)", Next: "kubectl bluegreen rollback -f deploy/bluegreen.yaml",
		Status: &rollout.RunStatus{
			ID: "20261122-120000-k7f3q", Release: "shop", Namespace: "store", From: "blue", To: "green", Phase: rollout.Done,
			Started: start, Finished: start.Add(186 * time.Second),
			Entries: []journal.Entry{
				passage(1, "preflight → switch", ""), passage(3, "switch → prove", "blue=50,green=50"), passage(4, "prove → hold", ""),
				passage(64, "hold → switch", ""), passage(65, "switch → prove", "green=100"), passage(66, "prove → watch", ""), passage(186, "watch → done", ""),
			},
		},
	}
}

func TestRunSummary(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "shift.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), runSummary(*finishedShift(), passed)); diff != "" {
		t.Error(diff)
	}
}

// The line of the chart goes where the record says, and back.
func TestChartOfARollback(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	course := []rollout.Stay{{Phase: "hold", Entered: at(0), Left: at(10), Weight: 25}, {Phase: "revert", Entered: at(10), Left: at(15), Weight: 25}, {Phase: "prove-revert", Entered: at(15), Left: at(30)}}
	got := chart(course, "green")
	if !strings.Contains(got, "--> 30\n") || !strings.Contains(got, "line [25, 25,") || !strings.HasSuffix(got, "0, 0]\n```\n") || strings.Count(got, "25,") != 30 {
		t.Error(got)
	}
	for name, empty := range map[string]string{
		"never moved":          chart(course[2:], "green"),
		"no course":            chart(nil, "green"),
		"a name that is no id": chart(course, "green\"\n```\n# x"),
	} {
		if empty != "" {
			t.Errorf("%s: %s", name, empty)
		}
	}
}

// Nothing that others wrote is markup.
func TestARunSummaryIsNoMarkup(t *testing.T) {
	hostile := "<img src=x> @everyone `x` | y\n# z\n```\n[a](https://b)"
	standing := finishedShift()
	standing.Message, standing.Status.To, standing.Next = hostile, hostile, "kubectl bluegreen resume -f '```\n<img>'"
	standing.Status.Because = []gate.Result{{Verdict: gate.Fail, Message: hostile}}
	text := runSummary(*standing, rolledBack)
	for _, forbidden := range []string{"<img src", "@everyone", "\n# z", "](https://"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("%q stands in it:\n%s", forbidden, text)
		}
	}
	if !strings.HasSuffix(text, "````console\nkubectl bluegreen resume -f '``` <img>'\n````\n") {
		t.Errorf("the command ends its fence:\n%s", text)
	}
}
