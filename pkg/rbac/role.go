package rbac

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// Role is what one Role grants or, where Namespace is "", one ClusterRole.
type Role struct {
	Namespace string
	Rules     []Rule
}

// Rule is one rule of a Role, and why it stands there.
type Rule struct {
	rbacv1.PolicyRule
	// For is what it is for, as an infinitive without its "to".
	For string
	// Without is what becomes of a release that lacks it; "" when it can't do
	// without.
	Without string
}

// Roles groups rights by the namespace that they are in: first the release's
// own, then the others by name, last none. The rules of each are sorted by API
// group and resource, then by whether a release can do without them.
func Roles(namespace string, rights []preflight.Right) []Role {
	byNamespace := map[string][]preflight.Right{}
	for _, right := range rights {
		byNamespace[right.Namespace] = append(byNamespace[right.Namespace], right)
	}
	var roles []Role
	for name, rights := range byNamespace {
		roles = append(roles, Role{Namespace: name, Rules: rulesOf(rights)})
	}
	slices.SortFunc(roles, func(a, b Role) int {
		return cmp.Or(cmp.Compare(rank(a.Namespace, namespace), rank(b.Namespace, namespace)), cmp.Compare(a.Namespace, b.Namespace))
	})
	return roles
}

// rank orders namespaces: the release's own, others, none.
func rank(name, own string) int {
	switch name {
	case own:
		return 0
	case "":
		return 2
	}
	return 1
}

// about is what rights must have in common to be in one rule.
type about struct{ group, resource, purpose, without string }

func aboutOf(right preflight.Right) about {
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	return about{right.Group, resource, right.For, right.Without}
}

// rulesOf groups rights in one namespace: verbs by the object that they are
// for, then objects by the verbs that they have.
func rulesOf(rights []preflight.Right) []Rule {
	type object struct {
		about
		name string
	}
	verbs := map[object][]string{}
	for _, right := range rights {
		if !covered(right, rights) {
			to := object{aboutOf(right), right.Name}
			verbs[to] = append(verbs[to], right.Verb)
		}
	}
	type grant struct {
		about
		verbs string
		named bool
	}
	names := map[grant][]string{}
	for to, list := range verbs {
		slices.SortFunc(list, compareVerbs)
		same := grant{to.about, strings.Join(list, ","), to.name != ""}
		names[same] = append(names[same], to.name)
	}
	var rules []Rule
	for to, list := range names {
		rule := Rule{For: to.purpose, Without: to.without, PolicyRule: rbacv1.PolicyRule{
			APIGroups: []string{to.group}, Resources: []string{to.resource}, Verbs: strings.Split(to.verbs, ","),
		}}
		if to.named {
			slices.Sort(list)
			rule.ResourceNames = list
		}
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, compareRules)
	return rules
}

// covered reports whether another right, to any object, includes this one to a
// named object. What may be struck out covers nothing that is needed.
func covered(right preflight.Right, rights []preflight.Right) bool {
	if right.Name == "" {
		return false
	}
	unnamed := right.ResourceAttributes
	unnamed.Name = ""
	return slices.ContainsFunc(rights, func(other preflight.Right) bool {
		return other.ResourceAttributes == unnamed && (other.Without == "" || right.Without != "")
	})
}

// compareVerbs orders verbs as people list them: reading, then writing.
func compareVerbs(a, b string) int {
	order := []string{"get", "list", "create", "update", "patch", "delete"}
	return cmp.Or(cmp.Compare(slices.Index(order, a), slices.Index(order, b)), cmp.Compare(a, b))
}

func compareRules(a, b Rule) int {
	optional := func(rule Rule) int { return min(len(rule.Without), 1) }
	return cmp.Or(
		slices.Compare(a.APIGroups, b.APIGroups), slices.Compare(a.Resources, b.Resources),
		cmp.Compare(optional(a), optional(b)),
		slices.Compare(a.ResourceNames, b.ResourceNames), slices.Compare(a.Verbs, b.Verbs),
		cmp.Compare(a.For, b.For), cmp.Compare(a.Without, b.Without))
}
