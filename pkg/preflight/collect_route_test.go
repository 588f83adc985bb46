package preflight

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
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
