package preflight

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestAPreviewIsTried: what would keep a preview from being written speaks before
// the shift.
func TestAPreviewIsTried(t *testing.T) {
	kind := routertest.HTTPRoute()
	taken := strings.Replace(kind.Fresh, "  rules:\n", "  rules:\n  - matches: [{headers: [{name: x-version, value: next}]}]\n    backendRefs: [{name: svc-green, port: 80}]\n", 1)
	for name, test := range map[string]struct {
		route   string
		refused bool
		want    Outcome
		says    string
	}{
		"admitted":        {kind.Fresh, false, Pass, "would be admitted; not tried, for an earlier step makes what it is about: step 2 of 2, weight 100: remove /spec/rules/0"},
		"taken already":   {taken, false, Unknown, "spec.rules[0] takes requests with header X-Version: next already"},
		"by the admitter": {kind.Fresh, true, Fail, "no header rules here"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", nil)
			dynamic := clustertest.Dynamic(in.Client, routertest.Object(t, test.route))
			dynamic.PrependReactor("patch", kind.Resource.Resource, func(action kubetesting.Action) (bool, runtime.Object, error) {
				patch := string(action.(kubetesting.PatchAction).GetPatch())
				if test.refused && strings.Contains(patch, "X-Version") {
					return true, nil, apierrors.NewForbidden(kind.Resource.GroupResource(), routertest.Name, errors.New("no header rules here"))
				}
				return false, nil, nil
			})
			spec := &in.Release.Spec.Traffic
			spec.Service = nil
			kind.Declare(spec)
			spec.Steps = []release.Step{{Match: &release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}}, {Weight: 100}}
			findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-06")
			if len(findings) != 1 || findings[0].Outcome != test.want || !strings.Contains(findings[0].Cause, test.says) {
				t.Errorf("findings = %+v, want one %s with %q", findings, test.want, test.says)
			}
		})
	}
}
