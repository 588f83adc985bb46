package preflight

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// What stands behind the production Service is read once, by the proof, and not
// again for nobody. Where it can't be read the route is known all the same, and
// the check says that nothing is proven.
func TestRouteIsReadOnce(t *testing.T) {
	slices, failure := 0, error(nil)
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		client.PrependReactor("list", "endpointslices", func(kubetesting.Action) (bool, runtime.Object, error) {
			slices++
			return failure != nil, nil, failure
		})
	})
	facts := &Facts{}
	collectRoute(t.Context(), in, facts)
	if slices != 1 || !facts.Route.Value.Proof.Value.Proven {
		t.Errorf("read %d times, route %+v", slices, facts.Route)
	}
	failure = apierrors.NewForbidden(schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}, "", errors.New("no"))
	findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-05")
	if len(findings) != 1 || findings[0].Outcome != Unknown || !findings[0].Blocks {
		t.Errorf("findings = %+v, want one that is unknown and blocks", findings)
	}
}

// Only a server that has judged the switch can refuse it.
func TestSwitchIsRefusedByAnAnswerOnly(t *testing.T) {
	services := schema.GroupResource{Resource: "services"}
	for _, test := range []struct {
		name string
		err  error
		want Outcome
	}{
		{"admission", apierrors.NewForbidden(services, "svc-production", errors.New("frozen until Monday")), Fail},
		{"validation", apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Service").GroupKind(), "svc-production", nil), Fail},
		{"somebody wrote in between", apierrors.NewConflict(services, "svc-production", errors.New("modified")), Unknown},
		{"the server is busy", apierrors.NewTooManyRequests("later", 1), Unknown},
		{"a webhook does not answer", apierrors.NewInternalError(errors.New("failed calling webhook")), Unknown},
		{"credentials have expired", apierrors.NewUnauthorized("expired"), Unknown},
		{"no answer in time", context.DeadlineExceeded, Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) {
				client.PrependReactor("patch", "services", func(kubetesting.Action) (bool, runtime.Object, error) { return true, nil, test.err })
			})
			findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-06")
			if len(findings) != 1 || findings[0].Outcome != test.want || !findings[0].Blocks {
				t.Errorf("findings = %+v, want one %s that blocks", findings, test.want)
			}
		})
	}
}

// What is said of weights bites where both colours have a part: the step is named, and
// nothing is kept of any. A rollback takes none of them.
func TestEveryStepIsTried(t *testing.T) {
	parts := regexp.MustCompile(`/weight","value":3`) // of 4, by steps of 25 and 75
	for name, test := range map[string]struct {
		stage   Stage
		refuses *regexp.Regexp
		want    Outcome
		says    string
		writes  int
	}{
		"healthy":             {StageDeploy, nil, Pass, "the switch to green would be admitted", 3},
		"parts":               {StageDeploy, parts, Fail, "the server refuses it: step 1 of 3, weight 25: ", 1},
		"the second step":     {StageDeploy, regexp.MustCompile(`backendRefs/1/weight","value":3`), Fail, "step 2 of 3, weight 75: ", 2},
		"parts at a rollback": {StageRollback, parts, Pass, "the switch to green would be admitted", 1},
	} {
		t.Run(name, func(t *testing.T) {
			kind := routertest.HTTPRoute()
			in := inputs(t, "", "3", nil)
			dynamic := clustertest.Dynamic(in.Client, routertest.Object(t, kind.Fresh))
			writes := 0
			dynamic.PrependReactor("patch", kind.Resource.Resource, func(action kubetesting.Action) (bool, runtime.Object, error) {
				patch := action.(kubetesting.PatchActionImpl)
				if writes++; len(patch.PatchOptions.DryRun) == 0 {
					t.Errorf("it is kept: %s", patch.GetPatch())
				}
				if test.refuses != nil && test.refuses.Match(patch.GetPatch()) {
					return true, nil, apierrors.NewInvalid(kind.Resource.GroupVersion().WithKind("HTTPRoute").GroupKind(), routertest.Name, nil)
				}
				return false, nil, nil
			})
			in.Stage = test.stage
			spec := &in.Release.Spec.Traffic
			spec.Service = nil
			kind.Declare(spec)
			spec.Steps = []release.Step{{Weight: 25}, {Weight: 75}, {Weight: 100}}
			findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), test.stage), "BG-COL-06")
			if len(findings) != 1 || findings[0].Outcome != test.want || !strings.Contains(findings[0].Cause, test.says) || strings.Contains(findings[0].Cause, "not tried") {
				t.Errorf("findings = %+v, want one %s with %q", findings, test.want, test.says)
			}
			if writes != test.writes {
				t.Errorf("%d writes are tried, want %d", writes, test.writes)
			}
		})
	}
}

// Somebody writes the route between the read and the trial: it is read and tried
// again, for a few times.
func TestSwitchThatSomebodyWasBeforeIsTriedAgain(t *testing.T) {
	for _, test := range []struct {
		lost int
		want Outcome
	}{{0, Pass}, {1, Pass}, {dryRuns - 1, Pass}, {dryRuns, Unknown}} {
		tries := 0
		in := inputs(t, "", "3", func(client *fake.Clientset) {
			client.PrependReactor("patch", "services", func(kubetesting.Action) (bool, runtime.Object, error) {
				tries++
				return tries <= test.lost, nil, apierrors.NewConflict(schema.GroupResource{Resource: "services"}, "svc-production", errors.New("modified"))
			})
		})
		findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy), "BG-COL-06")
		if len(findings) != 1 || findings[0].Outcome != test.want || tries != min(test.lost+1, dryRuns) {
			t.Errorf("lost %d times: %d tries, findings = %+v, want one %s", test.lost, tries, findings, test.want)
		}
	}
}
