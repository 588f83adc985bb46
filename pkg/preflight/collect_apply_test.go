package preflight

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// admitting lets a client apply what the manifests of the tests hold, all of it
// admitted, or answered by an error.
func admitting(client *cluster.Client, answer error) *[]string {
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind, version := range map[string]string{"Service": "v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1"} {
		mapper.Add(schema.FromAPIVersionAndKind(version, kind), meta.RESTScopeNamespace)
	}
	var kept []string
	dynamic := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme())
	dynamic.PrependReactor("patch", "*", func(action kubetesting.Action) (bool, runtime.Object, error) {
		patch := action.(kubetesting.PatchActionImpl)
		if len(patch.PatchOptions.DryRun) == 0 {
			kept = append(kept, patch.GetName())
		}
		return true, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": patch.GetName()}}}, answer
	})
	client.Dynamic, client.Mapper = dynamic, mapper
	return &kept
}

// The target's manifests are tried and not kept; a no is told from no answer.
func TestManifestsAreTriedAndNotKept(t *testing.T) {
	for name, test := range map[string]struct {
		answer error
		want   Outcome
		says   string
	}{
		"admitted":   {nil, Pass, "objects would be admitted"},
		"refused":    {apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "svc-green", errors.New("nothing new before Monday")), Fail, "nothing new before Monday"},
		"no answer":  {errors.New("connection reset"), Unknown, "connection reset"},
		"no service": {apierrors.NewServiceUnavailable("busy"), Unknown, "busy"},
	} {
		in := inputs(t, "", "3", func(client *fake.Clientset) { withoutGreen(t, client) })
		kept := admitting(in.Client, test.answer)
		in.Target, in.Manifests = "green", map[string][]string{"green": greenManifests(t, "3")}
		findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-17")
		if len(findings) != 1 || findings[0].Outcome != test.want || !strings.Contains(findings[0].Cause, test.says) {
			t.Errorf("%s: %+v, want %s with %q", name, findings, test.want, test.says)
		}
		if len(*kept) > 0 {
			t.Errorf("%s: %v were written", name, *kept)
		}
	}
}

// A kind that the server doesn't serve is refused by nobody, and can't be applied.
func TestManifestsOfAKindThatIsNotServedFail(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) { withoutGreen(t, client) })
	in.Client.Mapper = meta.NewDefaultRESTMapper(nil)
	in.Target, in.Manifests = "green", map[string][]string{"green": greenManifests(t, "3")}
	findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-17")
	if len(findings) != 1 || findings[0].Outcome != Fail || !strings.Contains(findings[0].Cause, "does not serve") {
		t.Errorf("%+v, want a failure that says what is not served", findings)
	}
}
