package rollout

import (
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// A finish asks for what preflight.Rights lists and nothing else, and with
// --delete for what preflight.DeletionRights adds, all of which it needs.
func TestFinishAsksForNoOtherRights(t *testing.T) {
	for name, deletes := range map[string]bool{"scaled to zero": false, "deleted": true} {
		t.Run(name, func(t *testing.T) {
			blue := map[string]string{"version": "blue"}
			runner, _ := newFinisher(t, still(), autoscaler("blue", 6, map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "6"}),
				budget("blue", blue), service("svc", blue), service("svc-blue", blue))
			serviceOf(runner, "blue", "svc-blue")
			rights, deletions := rightsOf(t, runner)
			if deletes {
				rights = append(rights, deletions...)
			}
			asked := map[string]bool{}
			clientsetOf(t, runner).PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
				resource := action.GetResource().Resource
				asked[action.GetVerb()+" "+resource+"/"+nameIn(action)] = true
				if resource == "selfsubjectaccessreviews" || granted(rights, action) {
					return false, nil, nil
				}
				t.Errorf("%s %s %q is asked for, and no right lists it", action.GetVerb(), resource, nameIn(action))
				return true, nil, forbidden(action.GetVerb(), resource, action.GetResource().Group)
			})
			outcome, err := runner.Finish(t.Context(), FinishRequest{Delete: deletes, SignOffs: connectionsSigned})
			if err != nil || outcome.Code != CodeDone {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			for _, right := range deletions {
				if text := right.Verb + " " + right.Resource + "/" + right.Name; deletes && !strings.Contains(text, "green") && !asked[text] {
					t.Errorf("%s is never asked for", text)
				}
			}
		})
	}
}

// Who may not delete is told before the side is ended.
func TestFinishDoesNotBeginWithoutTheRightToDelete(t *testing.T) {
	runner, _ := newFinisher(t, still(), budget("blue", map[string]string{"version": "blue"}))
	clientsetOf(t, runner).PrependReactor("create", "selfsubjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, is := action.(clienttesting.CreateAction)
		if !is {
			return false, nil, nil
		}
		review, is := create.GetObject().(*authorizationv1.SelfSubjectAccessReview)
		if !is {
			return false, nil, nil
		}
		answer := review.DeepCopy()
		answer.Status.Allowed = review.Spec.ResourceAttributes.Resource != "poddisruptionbudgets"
		return true, answer, nil
	})
	outcome, err := runner.Finish(t.Context(), FinishRequest{Delete: true, SignOffs: connectionsSigned})
	if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, "the right to delete poddisruptionbudgets.policy/blue is missing") || outcome.Next != "kubectl bluegreen generate rbac --delete" {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	if found := written(t, runner); len(found) > 0 || replicas(t, runner, "blue") != 2 {
		t.Errorf("written: %q", found)
	}
	if outcome, err := another(runner).Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeDone {
		t.Errorf("without --delete: %+v, %v", outcome, err)
	}
}

// rightsOf are the lists for a runner's release as it is deployed.
func rightsOf(t *testing.T, runner *Runner) (rights, deletions []preflight.Right) {
	t.Helper()
	inputs := preflight.Inputs{Client: runner.Client, Release: runner.Release}
	var err error
	if inputs.Live, err = preflight.ReadLive(t.Context(), inputs); err != nil {
		t.Fatal(err)
	}
	if rights, err = preflight.Rights(inputs); err != nil {
		t.Fatal(err)
	}
	if deletions, err = preflight.DeletionRights(inputs); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(rights), deletions
}
