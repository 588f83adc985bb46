package interpose

import (
	"net/http"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// What was asked for uses the verb, the resource, its part and the name that it
// says, in its namespace, and no other; a patch that creates uses create as well.
func TestAskedKnowsWhatIsUsed(t *testing.T) {
	asked := &Asked{}
	exchange := func(stage Stage, status int, verb, group, resource, part, name string) {
		target := Target{Verb: verb, Group: group, Resource: resource, Subresource: part, Namespace: "shop", Name: name}
		if reaction := asked.See(t.Context(), &Exchange{Target: target, Stage: stage, Status: status}); !reaction.passes() {
			t.Errorf("%s does not pass", target)
		}
	}
	rule := func(group, resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names}
	}
	if asked.Uses("shop", rule("", "services"), "get") {
		t.Error("something is used before anything was asked for")
	}
	exchange(Arriving, 0, "get", "", "services", "", "svc")
	exchange(Arriving, 0, "create", "", "pods", "eviction", "web-1")
	exchange(Arriving, 0, "patch", "apps", "deployments", "", "web-green")
	exchange(Answered, http.StatusCreated, "patch", "apps", "deployments", "", "web-green")
	exchange(Arriving, 0, "patch", "apps", "deployments", "", "web-blue")
	exchange(Answered, http.StatusOK, "patch", "apps", "deployments", "", "web-blue")
	exchange(Answered, http.StatusForbidden, "list", "", "events", "", "")
	for _, tt := range []struct {
		namespace string
		rule      rbacv1.PolicyRule
		verb      string
		want      bool
	}{
		{"shop", rule("", "services", "svc"), "get", true},
		{"shop", rule("", "services", "other", "svc"), "get", true},
		{"shop", rule("", "services"), "get", true},
		{"shop", rule("", "services", "other"), "get", false},
		{"shop", rule("", "services", "svc"), "patch", false},
		{"shop", rule("apps", "services", "svc"), "get", false},
		{"monitoring", rule("", "services", "svc"), "get", false},
		{"shop", rule("", "pods/eviction"), "create", true},
		{"shop", rule("", "pods"), "create", false},
		{"shop", rule("apps", "deployments", "web-green"), "create", true},
		{"shop", rule("apps", "deployments", "web-green"), "patch", true},
		{"shop", rule("apps", "deployments", "web-blue"), "create", false},
		{"shop", rule("", "events"), "list", false},
	} {
		if got := asked.Uses(tt.namespace, tt.rule, tt.verb); got != tt.want {
			t.Errorf("verb %s of %+v in %s is used: %t", tt.verb, tt.rule, tt.namespace, got)
		}
	}
}
