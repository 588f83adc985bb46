package interpose

import (
	"context"
	"net/http"
	"slices"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Asked keeps what an API server was asked for, in the words of RBAC. It says
// which rights a program has used, whoever has granted them and whatever any list
// says. The zero Asked is ready to use.
type Asked struct {
	mutex sync.Mutex
	seen  map[use]bool
}

// use is one right that was used.
type use struct{ verb, group, resource, namespace, name string }

// See is a [Hook] that lets everything pass.
func (a *Asked) See(_ context.Context, exchange *Exchange) Reaction {
	used := use{exchange.Verb, exchange.Group, exchange.Resource, exchange.Namespace, exchange.Name}
	if exchange.Subresource != "" {
		used.resource += "/" + exchange.Subresource
	}
	switch {
	case exchange.Stage == Arriving:
	case exchange.Verb == "patch" && exchange.Status == http.StatusCreated:
		used.verb = "create" // to which the API server wants the right, too
	default:
		return Pass()
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.seen == nil {
		a.seen = map[use]bool{}
	}
	a.seen[used] = true
	return Pass()
}

// Uses reports whether anything was asked for in a namespace that a verb of a
// rule is for.
func (a *Asked) Uses(namespace string, rule rbacv1.PolicyRule, verb string) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for used := range a.seen {
		named := len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, used.name)
		if named && used.verb == verb && used.namespace == namespace && slices.Contains(rule.APIGroups, used.group) && slices.Contains(rule.Resources, used.resource) {
			return true
		}
	}
	return false
}
