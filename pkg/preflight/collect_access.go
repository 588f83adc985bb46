package preflight

import (
	"context"
	"slices"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Grant is the API server's answer about one right.
type Grant struct {
	cluster.Access
	// Without is what becomes of a shift that lacks the right; "" when it
	// can't do without.
	Without string
}

// access asks for every right that a shift, its rollback and its record need.
func access(ctx context.Context, in Inputs) Fact[[]Grant] {
	rights, err := Rights(in)
	if err != nil {
		return notKnown[[]Grant](err)
	}
	attributes := make([]authorizationv1.ResourceAttributes, 0, len(rights))
	for _, right := range rights {
		attributes = append(attributes, right.ResourceAttributes)
	}
	answers, err := in.Client.Allowed(ctx, attributes)
	if err != nil {
		return notKnown[[]Grant](err)
	}
	grants := make([]Grant, 0, len(answers))
	for index, answer := range answers {
		grants = append(grants, Grant{Access: answer, Without: rights[index].Without})
	}
	return known(grants)
}

// Right is one right that a release needs of the API server.
type Right struct {
	authorizationv1.ResourceAttributes
	// Without is what becomes of a shift that lacks it; "" when it can't do
	// without.
	Without string
}

// rights are gathered without doubles; the first entry of a right stands.
type rights struct {
	namespace string
	list      []Right
}

// need adds rights that a shift can't do without. A name of "" is any.
func (r *rights) need(group, resource, name string, verbs ...string) {
	r.want("", group, resource, name, verbs...)
}

// want adds rights, with what becomes of a shift that lacks them.
func (r *rights) want(without, group, resource, name string, verbs ...string) {
	r.add(without, authorizationv1.ResourceAttributes{Namespace: r.namespace, Group: group, Resource: resource, Name: name}, verbs...)
}

// ofPods adds rights to a part of pods, such as their logs.
func (r *rights) ofPods(without, part string, verbs ...string) {
	r.add(without, authorizationv1.ResourceAttributes{Namespace: r.namespace, Resource: "pods", Subresource: part}, verbs...)
}

func (r *rights) add(without string, to authorizationv1.ResourceAttributes, verbs ...string) {
	for _, verb := range verbs {
		to.Verb = verb
		if !slices.ContainsFunc(r.list, func(have Right) bool { return have.ResourceAttributes == to }) {
			r.list = append(r.list, Right{ResourceAttributes: to, Without: without})
		}
	}
}
