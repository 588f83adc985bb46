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
