package admission

import (
	"testing"

	"github.com/google/cel-go/cel"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Who checks may try every write and make none; nobody else is held to that.
func TestDryRunsAlone(t *testing.T) {
	const account = "system:serviceaccount:shop:bluegreen-web-checks"
	users := Subjects{Users: []string{account}}
	groups := Subjects{Groups: []string{"ci"}}
	for name, test := range map[string]struct {
		subjects Subjects
		user     string
		groups   []any
		dryRun   bool
		refused  bool
	}{
		"the account writes":       {subjects: users, user: account, refused: true},
		"it tries":                 {subjects: users, user: account, dryRun: true},
		"the account that shifts":  {subjects: users, user: "system:serviceaccount:shop:bluegreen-web"},
		"one of another namespace": {subjects: users, user: "system:serviceaccount:other:bluegreen-web-checks"},
		"a member writes":          {subjects: groups, user: "ana", groups: []any{"dev", "ci"}, refused: true},
		"a member tries":           {subjects: groups, user: "ana", groups: []any{"dev", "ci"}, dryRun: true},
		"no member":                {subjects: groups, user: account, groups: []any{"dev"}},
		"of no group":              {subjects: groups, user: account},
	} {
		t.Run(name, func(t *testing.T) {
			policy, binding := DryRuns(release.Metadata{Name: "web", Namespace: "shop"}, test.subjects)
			judged := evaluator{t: t, policy: policy, programs: map[string]cel.Program{}}
			user := map[string]any{"username": test.user}
			if test.groups != nil {
				user["groups"] = test.groups
			}
			known, cost := map[string]any{"request": map[string]any{"userInfo": user, "dryRun": test.dryRun}}, uint64(0)
			held := judged.value(policy.Spec.MatchConditions[0].Expression, nil, known, &cost) == true
			passes := judged.value(policy.Spec.Validations[0].Expression, nil, known, &cost) == true
			if refused := held && !passes; refused != test.refused {
				t.Errorf("refused: %t", refused)
			}
			if binding.Spec.PolicyName != policy.Name {
				t.Errorf("the binding is of %s, not of %s", binding.Spec.PolicyName, policy.Name)
			}
		})
	}
}
