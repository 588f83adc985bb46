package preflight

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// A cluster that does not answer is one cause, however many checks know nothing
// for it; each is still unknown, and what is unknown for another reason is told
// by itself.
func TestAnUnreachableClusterIsOneCause(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api/v1", Err: syscall.ECONNREFUSED}
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		client.PrependReactor("*", "*", func(kubetesting.Action) (bool, runtime.Object, error) { return true, nil, refused })
	})
	facts := Collect(t.Context(), in)
	facts.Monitoring.Declared = true
	facts.Monitoring.Up = notKnown[string](errors.New("prometheus is asleep"))
	facts.Monitoring.Series = map[string]Fact[measure.Series]{"green": notKnown[measure.Series](errors.New("dial tcp 10.0.0.1:6443: connect: connection refused"))}
	report := Evaluate(facts, Catalogue(), StageDeploy)
	told := report.Unreachable
	if told == nil || told.Cause != "no cluster answers at https://10.0.0.1:6443: connection refused" || !strings.Contains(told.Remedy, "kubectl cluster-info") {
		t.Fatalf("%+v", told)
	}
	for _, id := range []string{"BG-COL-01", "BG-COL-05", "BG-COL-08", "BG-NET-01", "BG-NET-06"} {
		if !slices.Contains(told.Checks, id) {
			t.Errorf("%s is not among %v", id, told.Checks)
		}
	}
	if report.ForWantOfCluster("BG-MON-02") || report.ForWantOfCluster("BG-COL-15") {
		t.Errorf("%v: a Prometheus that is asleep, or manifests, are among them", told.Checks)
	}
	if !report.Blocked() || report.Counts[Unknown] < len(told.Checks) {
		t.Errorf("%d unknown of %d: %v", report.Counts[Unknown], len(told.Checks), report.Verdict)
	}
	assertReplayed(t, facts)
	if report := Evaluate(healthy(), Catalogue(), StageDeploy); report.Unreachable != nil {
		t.Errorf("a cluster that answers: %+v", report.Unreachable)
	}
}
