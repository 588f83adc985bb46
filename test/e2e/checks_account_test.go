package e2e

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The account of the checks is granted all that a shift takes and has every write of
// one admitted, so that nothing blocks; but it makes none of them.
func TestWhoOnlyChecksMovesNothing(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	s.applyGenerated("rbac", "--checks", "--live")
	login, err := lab.Current(t).KubeconfigOf(t.Context(), s.shop.Namespace, account+"-checks")
	if err != nil {
		t.Fatal(err)
	}
	write := []string{"--kubeconfig", login, "-n", s.shop.Namespace, "annotate", "--overwrite", "service", shop.Service, "e2e=tried"}
	s.await("the policy is in force", func(ctx context.Context) error {
		return wait.PollUntilContextTimeout(ctx, rolePoll, known, true, func(context.Context) (bool, error) {
			return strings.Contains(command(t, s.shop.Folder, nil, "kubectl", write...).Stderr, "may try writes as dry runs alone"), nil
		})
	})
	well(t, command(t, s.shop.Folder, nil, "kubectl", append(write, "--dry-run=server")...))

	report := s.checked(rollout.CodeDone, "--kubeconfig", login)
	for _, id := range []string{"BG-COL-06", "BG-COL-07"} {
		if finding := findingOf(t, report, id); finding.Outcome != preflight.Pass {
			t.Errorf("%s: %+v, want it passed", id, finding)
		}
	}
	s.run(rollout.CodeFailed, "shift", "--kubeconfig", login)
	s.serves(shop.Blue)
}
