package routers

import (
	"context"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/admission"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// known is how long an API server takes at most to heed a policy, or that it is
// gone.
const known = time.Minute

// TestPolicies: an API server takes the policy of every kind that has one. What
// the driver writes passes it, an edit of the weights and a stale epoch do not,
// and do for who breaks the glass.
func TestPolicies(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		guards, err := admission.Guards(routertest.Release(kind.Declare), []string{admission.BreakGlassGroup})
		if err != nil {
			continue // for which there is none
		}
		t.Run(name, func(t *testing.T) {
			caller, router := open(t, kind)
			guarded := &guarded{t: t, kind: kind, objects: caller.objects(kind.Resource), router: router}
			guarded.guard(caller, guards[0])
			fence := cluster.Fence{Epoch: 7, Holder: "ann"}
			for _, to := range []traffic.Split{traffic.Whole("blue"), traffic.Between("green", "blue", 50), traffic.Whole("green"), traffic.Whole("blue"), traffic.Between("green", "blue", 1)} {
				guarded.moves(to, fence)
			}
			refused(t, "an edit of the weights", guarded.edit(guarded.objects, guarded.weighs), "the split of ")
			refused(t, "a stale epoch", guarded.edit(guarded.objects, func(object map[string]any) {
				metadata, _ := object["metadata"].(map[string]any)
				annotations, _ := metadata["annotations"].(map[string]any)
				annotations[cluster.AnnotationEpoch] = "6"
			}), "which never goes back, and this write has epoch 6")
			if err := guarded.edit(emergency(t).Resource(kind.Resource).Namespace(routertest.Namespace), guarded.weighs); err != nil {
				t.Errorf("an edit in an emergency: %v", err)
			}
		})
	}
}

// guarded is a route under a policy.
type guarded struct {
	t       *testing.T
	kind    routertest.Kind
	objects dynamic.ResourceInterface
	router  traffic.Router
}

// guard puts a policy in force, until the test ends.
func (g *guarded) guard(caller *caller, guard admission.Guard) {
	g.t.Helper()
	ctx, registered := g.t.Context(), caller.client.Kubernetes.AdmissionregistrationV1()
	if _, err := registered.ValidatingAdmissionPolicies().Create(ctx, guard.Policy, metav1.CreateOptions{}); err != nil {
		g.t.Fatalf("the policy is refused: %v", err)
	}
	g.t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		_ = registered.ValidatingAdmissionPolicyBindings().Delete(ctx, guard.Binding.Name, metav1.DeleteOptions{})
		_ = registered.ValidatingAdmissionPolicies().Delete(ctx, guard.Policy.Name, metav1.DeleteOptions{})
		g.await("the policy is gone", func() bool { return g.edit(g.objects, g.weighs, metav1.DryRunAll) == nil })
	})
	if _, err := registered.ValidatingAdmissionPolicyBindings().Create(ctx, guard.Binding, metav1.CreateOptions{}); err != nil {
		g.t.Fatal(err)
	}
	g.await("the policy is in force", func() bool { return apierrors.IsForbidden(g.edit(g.objects, g.weighs, metav1.DryRunAll)) })
	if found, err := registered.ValidatingAdmissionPolicies().Get(ctx, guard.Policy.Name, metav1.GetOptions{}); err == nil && found.Status.TypeChecking != nil {
		for _, warning := range found.Status.TypeChecking.ExpressionWarnings {
			g.t.Logf("%s: %s", warning.FieldRef, warning.Warning)
		}
	}
}

// await waits until something holds.
func (g *guarded) await(what string, holds func() bool) {
	g.t.Helper()
	err := wait.PollUntilContextTimeout(context.WithoutCancel(g.t.Context()), 100*time.Millisecond, known, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		g.t.Errorf("wait until %s: %v", what, err)
	}
}

// weighs gives the colours weights that no run has written.
func (g *guarded) weighs(object map[string]any) {
	g.kind.Set(object, "svc-blue", 3)
	g.kind.Set(object, "svc-green", 7)
}

// edit changes the route as kubectl edit does.
func (g *guarded) edit(objects dynamic.ResourceInterface, change func(object map[string]any), dryRun ...string) error {
	g.t.Helper()
	ctx := context.WithoutCancel(g.t.Context())
	object, err := objects.Get(ctx, routertest.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	change(object.Object)
	_, err = objects.Update(ctx, object, metav1.UpdateOptions{DryRun: dryRun})
	return err
}

// moves moves it as a run does.
func (g *guarded) moves(to traffic.Split, fence cluster.Fence) {
	g.t.Helper()
	route, err := g.router.Read(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	patch, err := g.router.Plan(route, to, fence)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.router.Write(g.t.Context(), patch, false); err != nil {
		g.t.Errorf("a switch to %s: %v", to, err)
	}
}

// refused fails the test unless the policy has refused a write, and says why.
func refused(t *testing.T, what string, err error, why string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v, want it refused with %q", what, err, why)
	}
}

// emergency is an administrator who breaks the glass.
func emergency(t *testing.T) dynamic.Interface {
	t.Helper()
	config := place(t).RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: "ann", Groups: []string{"system:masters", admission.BreakGlassGroup}}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
