package admission

import (
	"errors"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// BreakGlassGroup is the group that the policy does not hold to its rules
// unless others are named. Nobody is in it unless somebody puts them there, by
// their identity provider or by the right to impersonate it.
const BreakGlassGroup = "bluegreen:break-glass"

// Guard is the policy that guards one production route of a release, and what
// puts it in force.
type Guard struct {
	// Route is the kind and name of what it guards.
	Route   string
	Policy  *admissionv1.ValidatingAdmissionPolicy
	Binding *admissionv1.ValidatingAdmissionPolicyBinding
}

// Guards are those of a release's production routes, in the order in which they
// are moved. The release names its namespace. The error says what about the
// release, or the groups, makes no policy.
func Guards(rel *release.Release, breakGlass []string) ([]Guard, error) {
	if err := checkGroups(breakGlass); err != nil {
		return nil, err
	}
	routes, err := traffic.Describe(rel)
	if err != nil {
		return nil, err
	}
	var guards []Guard
	for i, route := range routes {
		if route.Split == nil {
			return nil, release.WithHint(fmt.Errorf("write admission policy: the split of %s can't be read by an admission policy", route.Object),
				"docs/routers.md says which kinds of routes a policy can be written for; of a switch set each must be one of them")
		}
		guard := guard{route: route, first: routes[0], namespace: rel.Metadata.Namespace, breakGlass: breakGlass}
		guards = append(guards, guard.of(rel.Metadata, i))
	}
	return guards, nil
}

// of is the policy for one route of a release and its binding.
func (g guard) of(rel release.Metadata, index int) Guard {
	// Both are of the whole cluster: the name says which release it is, and of a
	// set which route.
	metadata := metav1.ObjectMeta{
		Name:   rel.Name + "." + rel.Namespace + ".bluegreen.dev",
		Labels: map[string]string{cluster.LabelRelease: rel.Name},
	}
	if index > 0 {
		metadata.Name = g.route.Name + "." + g.route.Resource.Resource + "." + metadata.Name
	}
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeOf("ValidatingAdmissionPolicy"),
		ObjectMeta: metadata,
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy:    ptr.To(admissionv1.Fail),
			MatchConstraints: g.matches(),
			Variables:        g.variables(),
			Validations:      g.validations(),
			AuditAnnotations: g.annotations(),
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta:   typeOf("ValidatingAdmissionPolicyBinding"),
		ObjectMeta: metadata,
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        metadata.Name,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny, admissionv1.Audit},
		},
	}
	return Guard{Route: g.route.Object, Policy: policy, Binding: binding}
}

// everybody are groups that the API server puts its callers in.
var everybody = []string{"system:authenticated", "system:unauthenticated", "system:serviceaccounts"}

// checkGroups refuses groups that would make the policy one for nobody.
func checkGroups(groups []string) error {
	if len(groups) == 0 || slices.Contains(groups, "") {
		return release.WithHint(errors.New("write admission policy: the name of a break-glass group is empty"), "leave it out for "+BreakGlassGroup)
	}
	for _, group := range groups {
		if slices.Contains(everybody, group) {
			return release.WithHint(fmt.Errorf("write admission policy: break-glass group %s would let everybody pass", group), "leave it out for "+BreakGlassGroup)
		}
	}
	return nil
}

func typeOf(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: kind}
}
