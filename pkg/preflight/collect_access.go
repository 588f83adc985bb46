package preflight

import (
	"context"

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
	// A workload that can't be read is one more right that is missing.
	in.Live, _ = ReadLive(ctx, in)
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
