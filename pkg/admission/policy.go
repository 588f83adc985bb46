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

// Policy is the policy that guards a release's production route, and what puts
// it in force. The release names its namespace. The error says what about the
// release, or the groups, makes no policy.
func Policy(rel *release.Release, breakGlass []string) (*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding, error) {
	if err := checkGroups(breakGlass); err != nil {
		return nil, nil, err
	}
	route, err := traffic.Describe(rel)
	if err != nil {
		return nil, nil, err
	}
	// Both are of the whole cluster: the name says which release it is.
	metadata := metav1.ObjectMeta{
		Name:   rel.Metadata.Name + "." + rel.Metadata.Namespace + ".bluegreen.dev",
		Labels: map[string]string{cluster.LabelRelease: rel.Metadata.Name},
	}
	guard := guard{route: route, namespace: rel.Metadata.Namespace, breakGlass: breakGlass}
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   typeOf("ValidatingAdmissionPolicy"),
		ObjectMeta: metadata,
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy:    ptr.To(admissionv1.Fail),
			MatchConstraints: guard.matches(),
			Variables:        guard.variables(),
			Validations:      guard.validations(),
			AuditAnnotations: guard.annotations(),
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
	return policy, binding, nil
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
