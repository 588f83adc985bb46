package admission

import (
	"fmt"
	"strconv"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// guard writes the parts of one policy. first is the route by which a command
// names the release: of a set not every one does.
type guard struct {
	route      traffic.Description
	first      traffic.Description
	namespace  string
	breakGlass []string
}

// matches are the writes that the policy looks at: updates of this very route,
// and not of its status.
func (g guard) matches() *admissionv1.MatchResources {
	return &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: g.namespace}},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{
			ResourceNames: []string{g.route.Name},
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups: []string{g.route.Resource.Group}, APIVersions: []string{g.route.Resource.Version},
					Resources: []string{g.route.Resource.Resource}, Scope: ptr.To(admissionv1.NamespacedScope),
				},
			},
		}},
	}
}

// variables are what the rules are written with: the stamp and the split of
// the route as it was and as it would be. An epoch that is not there, or is no
// number, is -1.
func (g guard) variables() []admissionv1.Variable {
	var groups []string
	for _, group := range g.breakGlass {
		groups = append(groups, strconv.Quote(group))
	}
	variables := []admissionv1.Variable{
		{Name: "breakGlass", Expression: "has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in [" + strings.Join(groups, ", ") + "])"},
		{Name: "previous", Expression: annotation("object", cluster.AnnotationPrevious)},
		{Name: "switched", Expression: annotation("object", cluster.AnnotationSwitched)},
	}
	for _, side := range []struct{ prefix, object string }{{"old", "oldObject"}, {"new", "object"}} {
		stamp := "variables." + side.prefix + "Stamp"
		variables = append(variables,
			admissionv1.Variable{Name: side.prefix + "Stamp", Expression: annotation(side.object, cluster.AnnotationEpoch)},
			// So many digits always fit into CEL's int.
			admissionv1.Variable{Name: side.prefix + "Epoch", Expression: fmt.Sprintf(`%s.matches("^[0-9]{1,18}$") ? int(%s) : -1`, stamp, stamp)},
			admissionv1.Variable{Name: side.prefix + "Holder", Expression: annotation(side.object, cluster.AnnotationHolder)},
			admissionv1.Variable{Name: side.prefix + "Split", Expression: g.route.Split(side.object)})
	}
	return variables
}

// validations are the rules, in the order in which a refusal is told.
func (g guard) validations() []admissionv1.Validation {
	see := "see: kubectl bluegreen -n " + g.namespace + " status"
	return []admissionv1.Validation{
		rule("the stamp never goes back; "+see,
			"variables.newEpoch >= variables.oldEpoch",
			text(g.route.Object+" is at epoch "), "string(variables.oldEpoch)", text(" of "), "variables.oldHolder", text(", which never goes back, and this write has "),
			`(variables.newEpoch < 0 ? "none" : "epoch " + string(variables.newEpoch))`, text(": it is that of a run which was taken over, or an edit by hand; "+see)),
		rule("an epoch stays with its holder; "+see,
			"variables.oldEpoch < 0 || variables.newEpoch != variables.oldEpoch || variables.newHolder == variables.oldHolder",
			text(g.route.Object+" is at epoch "), "string(variables.oldEpoch)", text(" of "), "variables.oldHolder", text(", and another holder needs a higher one; "+see)),
		rule("the split is moved by kubectl bluegreen; use: "+g.command(),
			fmt.Sprintf("variables.oldSplit == %q || variables.newSplit == variables.oldSplit\n"+
				"|| variables.newEpoch >= 0 && variables.previous == variables.oldSplit && variables.switched == oldObject.metadata.resourceVersion", ""),
			text("the split of "+g.route.Object+" is moved by kubectl bluegreen, and this write moves it from "), "variables.oldSplit", text(" to "),
			`(variables.newSplit == "" ? "no clear colour" : variables.newSplit)`, text(" without it; use: "+g.command()+"; in an emergency, by kubectl with: --as="),
			"request.userInfo.username", text(" --as-group="+g.breakGlass[0])),
	}
}

// command is what moves the split instead. Only a Service names its release;
// any other route takes its document.
func (g guard) command() string {
	argument := ""
	if g.first.Resource.Resource == "services" {
		argument = " " + g.first.Object
	}
	return fmt.Sprintf("kubectl bluegreen -n %s shift%s, or rollback%s", g.namespace, argument, argument)
}

// annotations leave a line in the audit log for what only breaking the glass
// has let pass.
func (g guard) annotations() []admissionv1.AuditAnnotation {
	return []admissionv1.AuditAnnotation{{
		Key: "break-glass",
		ValueExpression: `variables.breakGlass && (variables.newSplit != variables.oldSplit || variables.newEpoch < variables.oldEpoch)` + "\n" +
			`? request.userInfo.username + " moved ` + g.route.Object + ` from " + variables.oldSplit + " to " + variables.newSplit + ", epoch " + string(variables.oldEpoch) + " to " + string(variables.newEpoch)` + "\n" +
			`: ""`,
	}}
}

// rule is a condition that all but break-glass groups are held to, what to say
// of a write that breaks it, in parts, and what to say where that fails.
func rule(otherwise, condition string, message ...string) admissionv1.Validation {
	return admissionv1.Validation{
		Expression:        "variables.breakGlass || " + condition,
		Message:           otherwise,
		MessageExpression: strings.Join(message, " + "),
		Reason:            ptr.To(metav1.StatusReasonForbidden),
	}
}

// text is a string of CEL.
func text(words string) string { return strconv.Quote(words) }

// annotation is an annotation of an object, "" where it has none.
func annotation(object, key string) string {
	return fmt.Sprintf(`has(%[1]s.metadata.annotations) && %[2]q in %[1]s.metadata.annotations ? string(%[1]s.metadata.annotations[%[2]q]) : ""`, object, key)
}
