package admission

import (
	"fmt"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Subjects are whom a policy is about, by the names that the API server has for them:
// an account is the user system:serviceaccount:NAMESPACE:NAME.
type Subjects struct {
	Users, Groups []string
}

// DryRuns is the policy by which subjects may try what they have the rights for, and
// do none of it, and what puts it in force. A check takes the rights of a shift, for it
// has the API server admit each write of one as a dry run, which to RBAC is the write
// itself; so RBAC alone can't keep whoever checks from shifting.
//
// It holds in every namespace and for every kind. That an account asks about itself is
// let pass: to the API server it is a create, and it changes nothing.
func DryRuns(rel release.Metadata, subjects Subjects) (*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding) {
	metadata := metav1.ObjectMeta{
		Name:   "checks." + rel.Name + "." + rel.Namespace + ".bluegreen.dev",
		Labels: map[string]string{cluster.LabelRelease: rel.Name},
	}
	policy := &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta: typeOf("ValidatingAdmissionPolicy"), ObjectMeta: metadata,
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy:    ptr.To(admissionv1.Fail),
			MatchConstraints: everyWrite(),
			MatchConditions:  []admissionv1.MatchCondition{{Name: "checks", Expression: subjects.expression()}},
			Validations: []admissionv1.Validation{{
				Expression: "request.dryRun",
				Message:    fmt.Sprintf("who checks release %s may try writes as dry runs alone; what shifts takes an account of its own: kubectl bluegreen generate rbac", rel.Name),
				Reason:     ptr.To(metav1.StatusReasonForbidden),
			}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta: typeOf("ValidatingAdmissionPolicyBinding"), ObjectMeta: metadata,
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: metadata.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}},
	}
	return policy, binding
}

// everyWrite are the writes of any object and any part of one, but for questions about
// oneself.
func everyWrite() *admissionv1.MatchResources {
	every := admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update, admissionv1.Delete},
		Rule:       admissionv1.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{"*/*"}, Scope: ptr.To(admissionv1.AllScopes)},
	}
	oneself := admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule: admissionv1.Rule{
			APIGroups: []string{"authorization.k8s.io", "authentication.k8s.io"}, APIVersions: []string{"*"},
			Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}, Scope: ptr.To(admissionv1.ClusterScope),
		},
	}
	return &admissionv1.MatchResources{
		ResourceRules:        []admissionv1.NamedRuleWithOperations{{RuleWithOperations: every}},
		ExcludeResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: oneself}},
	}
}

// expression tells the subjects from everybody else.
func (s Subjects) expression() string {
	either := []string{"request.userInfo.username in " + list(s.Users)}
	if len(s.Groups) > 0 {
		either = append(either, "has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in "+list(s.Groups)+")")
	}
	return strings.Join(either, " || ")
}

// list is a list of strings in CEL.
func list(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
