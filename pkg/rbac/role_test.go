package rbac

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// right is read from what it would be in a sentence: get services/proxy
// NAME in NAMESPACE for PURPOSE without LOSS.
func right(verb, group, resource, name, namespace, purpose, without string) preflight.Right {
	resource, part, _ := strings.Cut(resource, "/")
	return preflight.Right{For: purpose, Without: without, ResourceAttributes: authorizationv1.ResourceAttributes{
		Verb: verb, Group: group, Resource: resource, Subresource: part, Name: name, Namespace: namespace,
	}}
}

func TestRulesGroupWhatIsAlikeAndNothingElse(t *testing.T) {
	rights := []preflight.Right{
		right("patch", "apps", "deployments", "green", "shop", "move", ""),
		right("get", "apps", "deployments", "green", "shop", "move", ""),
		right("get", "apps", "deployments", "blue", "shop", "move", ""),
		right("patch", "apps", "deployments", "blue", "shop", "move", ""),
		right("get", "apps", "deployments", "grey", "shop", "move", ""),
		right("list", "apps", "deployments", "", "shop", "discover", "nothing is found"),
		right("get", "", "configmaps", "", "shop", "read", ""),
		right("get", "", "configmaps", "settings", "shop", "apply", ""),
		right("patch", "", "configmaps", "settings", "shop", "apply", ""),
		right("delete", "", "configmaps", "", "shop", "tidy up", "old ones stay"),
		right("delete", "", "configmaps", "settings", "shop", "replace", ""),
		right("get", "", "services/proxy", "prometheus:9090", "monitoring", "ask", ""),
		right("list", "", "nodes", "", "", "look", "unknown"),
	}
	of := func(verbs, group, resource, names, purpose, without string) Rule {
		return Rule{For: purpose, Without: without, PolicyRule: rbacv1.PolicyRule{
			Verbs: strings.Fields(verbs), APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: fieldsOrNil(names),
		}}
	}
	want := []Role{
		{"shop", []Rule{
			of("get", "", "configmaps", "", "read", ""),
			of("delete", "", "configmaps", "settings", "replace", ""),
			of("patch", "", "configmaps", "settings", "apply", ""),
			of("delete", "", "configmaps", "", "tidy up", "old ones stay"),
			of("get patch", "apps", "deployments", "blue green", "move", ""),
			of("get", "apps", "deployments", "grey", "move", ""),
			of("list", "apps", "deployments", "", "discover", "nothing is found"),
		}},
		{"monitoring", []Rule{of("get", "", "services/proxy", "prometheus:9090", "ask", "")}},
		{"", []Rule{of("list", "", "nodes", "", "look", "unknown")}},
	}
	for range 20 {
		rand.Shuffle(len(rights), func(i, j int) { rights[i], rights[j] = rights[j], rights[i] })
		if diff := cmp.Diff(want, Roles("shop", rights)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func fieldsOrNil(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}

// TestRolesGrantTheListAndNoMore: whatever the list, every right on it is
// granted, nothing is granted that is not on it, and there is no verb without
// which everything would be granted still.
func TestRolesGrantTheListAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) preflight.Right {
			return right(
				rapid.SampledFrom([]string{"get", "list", "patch", "watch"}).Draw(t, "verb"),
				rapid.SampledFrom([]string{"", "apps"}).Draw(t, "group"),
				rapid.SampledFrom([]string{"pods", "pods/log"}).Draw(t, "resource"),
				rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "name"),
				rapid.SampledFrom([]string{"shop", "monitoring", ""}).Draw(t, "namespace"),
				rapid.SampledFrom([]string{"look", "act"}).Draw(t, "purpose"),
				rapid.SampledFrom([]string{"", "less is known"}).Draw(t, "without"))
		})
		// As in preflight's list, a right stands there once.
		rights := rapid.SliceOfDistinct(one, func(r preflight.Right) authorizationv1.ResourceAttributes { return r.ResourceAttributes }).Draw(t, "rights")
		roles := Roles("shop", rights)
		for _, right := range rights {
			if !grants(roles, right) {
				t.Fatalf("%+v is not granted by %+v", right, roles)
			}
		}
		for _, role := range roles {
			for at, rule := range role.Rules {
				for _, granted := range expanded(role.Namespace, rule) {
					if !slices.ContainsFunc(rights, func(r preflight.Right) bool { return r.ResourceAttributes == granted }) {
						t.Fatalf("%+v is granted and not on the list", granted)
					}
				}
				if rule.Without == "" {
					needed(t, roles, rights, role, at)
				}
			}
		}
	})
}

// needed fails the test if a rule has a verb without which every right that a
// release can't do without is granted still, even once what it can do without
// was struck out.
func needed(t *rapid.T, roles []Role, rights []preflight.Right, role Role, at int) {
	verbs := role.Rules[at].Verbs
	defer func() { role.Rules[at].Verbs = verbs }()
	for index := range verbs {
		role.Rules[at].Verbs = slices.Delete(slices.Clone(verbs), index, index+1)
		if !slices.ContainsFunc(rights, func(right preflight.Right) bool { return right.Without == "" && !grants(bare(roles), right) }) {
			t.Fatalf("verb %s of %+v is not needed", verbs[index], role.Rules[at])
		}
	}
}

// bare are Roles without what a release can do without.
func bare(roles []Role) []Role {
	var left []Role
	for _, role := range roles {
		rules := slices.DeleteFunc(slices.Clone(role.Rules), func(rule Rule) bool { return rule.Without != "" })
		left = append(left, Role{Namespace: role.Namespace, Rules: rules})
	}
	return left
}

// grants is how RBAC reads Roles.
func grants(roles []Role, right preflight.Right) bool {
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	for _, role := range roles {
		for _, rule := range role.Rules {
			if role.Namespace == right.Namespace && slices.Contains(rule.Verbs, right.Verb) && slices.Contains(rule.APIGroups, right.Group) &&
				slices.Contains(rule.Resources, resource) && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, right.Name)) {
				return true
			}
		}
	}
	return false
}

// expanded are all rights that a rule grants; "" stands for any name.
func expanded(namespace string, rule Rule) []authorizationv1.ResourceAttributes {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var granted []authorizationv1.ResourceAttributes
	for _, verb := range rule.Verbs {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					granted = append(granted, right(verb, group, resource, name, namespace, "", "").ResourceAttributes)
				}
			}
		}
	}
	return granted
}

// A release's own Role has no wildcard, and names what it changes.
func TestNothingIsGrantedAtLarge(t *testing.T) {
	for _, rule := range releaseRules(t) {
		for _, words := range [][]string{rule.Verbs, rule.APIGroups, rule.Resources} {
			if slices.Contains(words, "*") {
				t.Errorf("%v has a wildcard", rule.PolicyRule)
			}
		}
		writes := slices.ContainsFunc(rule.Verbs, func(verb string) bool { return verb == "update" || verb == "patch" })
		if writes && len(rule.ResourceNames) == 0 {
			t.Errorf("%v lets any be changed", rule.PolicyRule)
		}
		if slices.Contains(rule.Resources, "secrets") && len(rule.ResourceNames) == 0 {
			t.Errorf("%v lets any Secret be read", rule.PolicyRule)
		}
		if rule.For == "" {
			t.Errorf("%v does not say what for", rule.PolicyRule)
		}
	}
}

// releaseRules are the rules of a release with all that one can declare.
func releaseRules(t *testing.T) []Rule {
	t.Helper()
	loaded, err := release.Load("../../examples/recommendation/bluegreen.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := preflight.Inputs{Release: loaded.Release, Manifests: map[string][]string{}}
	for _, color := range loaded.Release.Spec.ColorNames() {
		in.Manifests[color] = loaded.Manifests(color)
	}
	rights, err := preflight.Rights(in)
	if err != nil {
		t.Fatal(err)
	}
	var rules []Rule
	for _, role := range Roles("shop", rights) {
		rules = append(rules, role.Rules...)
	}
	return rules
}
