package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/admission"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// refusal is how the API server begins what an admission policy says.
const refusal = "ValidatingAdmissionPolicy 'recommendation."

// With the generated policy in force the cluster itself refuses a stale epoch
// and an edit of the selector, from an administrator too; shifts and rollbacks
// go on as ever, and breaking the glass lets everything pass.
func TestAdmissionPolicyGuardsTheRoute(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	run := s.production(keepAliveClients, freshClients)
	s.applyGenerated("admission-policy")
	s.awaitGuard()

	before := run.Counts()
	shifted := s.run(rollout.CodeDone, "shift", "-o", "json")
	status := s.status(shifted)
	s.serves(shop.Green)
	s.lostNothing("shift under the policy", run.Counts().Since(before))

	stale := fmt.Sprintf(`{"metadata":{"annotations":{%q:"%d"}}}`, cluster.AnnotationEpoch, status.Epoch-1)
	says(t, s.refused("patch", "service", shop.Service, "--type=merge", "-p", stale),
		fmt.Sprintf("is at epoch %d of %s, which never goes back, and this write has epoch %d", status.Epoch, status.Holder, status.Epoch-1),
		"see: kubectl bluegreen -n "+s.shop.Namespace+" status")
	says(t, s.refused("annotate", "service", shop.Service, cluster.AnnotationEpoch+"-"), "this write has none")
	says(t, s.refused("annotate", "--overwrite", "service", shop.Service, cluster.AnnotationHolder+"=bob"), "another holder needs a higher one")
	says(t, s.refused("patch", "service", shop.Service, "--type=merge", "-p", selecting(shop.Blue)),
		"this write moves it from green=100 to blue=100 without it",
		"use: kubectl bluegreen -n "+s.shop.Namespace+" shift service/"+shop.Service+", or rollback service/"+shop.Service,
		"--as-group="+admission.BreakGlassGroup)
	says(t, s.refused("patch", "service", shop.Service, "--type=json", "-p", `[{"op":"remove","path":"/spec/selector/version"}]`), "no clear colour")
	// The manifest has the colour of the first day in it.
	says(t, s.refused("apply", "-f", "deploy/production.yaml"), "from green=100 to blue=100")
	s.serves(shop.Green)

	// What is nobody's business stays everybody's.
	s.byHand("label", "service", shop.Service, "team=shop")
	s.byHand("annotate", "service", shop.Service, cluster.AnnotationStop+"=not today")
	s.byHand("annotate", "service", shop.Service, cluster.AnnotationStop+"-")
	s.byHand("patch", "service", shop.Service, "--type=merge", "-p", `{"spec":{"selector":{"app":"recommendation"}}}`)

	s.breaksTheGlass(shifted.Stderr)

	before = run.Counts()
	s.run(rollout.CodeDone, "rollback", "-o", "json")
	s.serves(shop.Blue)
	s.lostNothing("rollback under the policy", run.Counts().Since(before))
}

// breaksTheGlass undoes a shift by the line that it printed at its start: that
// is refused, and passes for a member of the break-glass group. What was
// switched by hand then is guarded as well.
func (s *scenario) breaksTheGlass(progress string) {
	s.t.Helper()
	_, line, _ := strings.Cut(progress, "by hand this is undone with: ")
	line, _, _ = strings.Cut(line, "\n")
	if !strings.HasPrefix(line, "kubectl ") {
		s.t.Fatalf("no line undoes the shift by hand:\n%s", progress)
	}
	plainly := command(s.t, s.shop.Folder, nil, "sh", "-c", line)
	if plainly.Code == 0 {
		s.t.Error("the undo by hand passes without the break-glass group")
	}
	says(s.t, plainly.Stderr, refusal)
	// Two groups that may write the route; one of them may break the glass.
	s.applyGenerated("rbac", "--service-account=", "--group", admission.BreakGlassGroup, "--group", "e2e:others")
	as := func(group string) string {
		return strings.Replace(line, "kubectl ", "kubectl --as=e2e-ana --as-group="+group+" ", 1)
	}
	s.await("the groups have their rights", func(ctx context.Context) error {
		return wait.PollUntilContextTimeout(ctx, rolePoll, known, true, func(context.Context) (bool, error) {
			return strings.Contains(command(s.t, s.shop.Folder, nil, "sh", "-c", as("e2e:others")).Stderr, refusal), nil
		})
	})
	well(s.t, command(s.t, s.shop.Folder, nil, "sh", "-c", as(admission.BreakGlassGroup)))
	s.serves(shop.Blue)

	// What the last switch has recorded fits this edit by accident.
	says(s.t, s.refused("patch", "service", shop.Service, "--type=merge", "-p", selecting(shop.Green)), "from blue=100 to green=100")
	s.byHand("patch", "service", shop.Service, "--type=merge", "-p", selecting(shop.Green), "--as=e2e-ana", "--as-group="+admission.BreakGlassGroup)
	s.serves(shop.Green)
}

// selecting is a merge patch of the selector alone.
func selecting(color string) string {
	return fmt.Sprintf(`{"spec":{"selector":{"version":%q}}}`, color)
}

// refused runs kubectl in the shop's namespace, fails the test unless the
// policy refuses what it does, and returns what it says.
func (s *scenario) refused(args ...string) string {
	s.t.Helper()
	result := command(s.t, s.shop.Folder, nil, "kubectl", append([]string{"-n", s.shop.Namespace}, args...)...)
	if result.Code == 0 || !strings.Contains(result.Stderr, refusal) {
		s.t.Errorf("kubectl %s: exit code %d, want it refused by the policy\n%s", strings.Join(args, " "), result.Code, result.Stderr)
	}
	return result.Stderr
}

// awaitGuard waits until the policy is in force and was checked against the
// types of what it guards, and fails the test if that found anything.
func (s *scenario) awaitGuard() {
	s.t.Helper()
	policies := place(s.t).Client.Kubernetes.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	err := wait.PollUntilContextTimeout(s.t.Context(), rolePoll, known, true, func(ctx context.Context) (bool, error) {
		policy, err := policies.Get(ctx, "recommendation."+s.shop.Namespace+".bluegreen.dev", metav1.GetOptions{})
		if err != nil || policy.Status.ObservedGeneration < policy.Generation {
			return false, err
		}
		if policy.Status.TypeChecking != nil {
			for _, warning := range policy.Status.TypeChecking.ExpressionWarnings {
				s.t.Errorf("%s: %s", warning.FieldRef, warning.Warning)
			}
		}
		return true, nil
	})
	if err != nil {
		s.t.Errorf("wait until the policy is checked: %v", err)
	}
	err = wait.PollUntilContextTimeout(s.t.Context(), rolePoll, known, true, func(context.Context) (bool, error) {
		tried := command(s.t, s.shop.Folder, nil, "kubectl", "-n", s.shop.Namespace, "patch", "service", shop.Service, "--dry-run=server", "--type=merge", "-p", selecting(shop.Green))
		return strings.Contains(tried.Stderr, refusal), nil
	})
	if err != nil {
		s.t.Fatalf("wait until the policy is in force: %v", err)
	}
}
