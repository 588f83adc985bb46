package cluster

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// accessAtOnce bounds the reviews that are under way at a time.
const accessAtOnce = 10

// Access is the API server's answer to whether we may do something.
type Access struct {
	authorizationv1.ResourceAttributes
	Allowed bool
	// Reason is the authorizer's own words; mostly empty.
	Reason string
}

// ResourceOf is what a right is on, in words, as kubectl takes it and without
// the verb: RESOURCE.GROUP, then /SUBRESOURCE, then /NAME, as far as it has them.
func ResourceOf(right authorizationv1.ResourceAttributes) string {
	text := right.Resource
	if right.Group != "" {
		text += "." + right.Group
	}
	if right.Subresource != "" {
		text += "/" + right.Subresource
	}
	if right.Name != "" {
		text += "/" + right.Name
	}
	return text
}

// Allowed asks by SelfSubjectAccessReview for every right in wants, several
// at a time, and answers in the same order. One review that fails fails all:
// a right that could not be asked about is not known.
func (c *Client) Allowed(ctx context.Context, wants []authorizationv1.ResourceAttributes) ([]Access, error) {
	answers := make([]Access, len(wants))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(accessAtOnce)
	for index, want := range wants {
		group.Go(func() error {
			review := &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: want.DeepCopy()},
			}
			answer, err := c.Kubernetes.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return fmt.Errorf("ask whether we may %s %s: %w", want.Verb, ResourceOf(want), err)
			}
			answers[index] = Access{ResourceAttributes: want, Allowed: answer.Status.Allowed, Reason: answer.Status.Reason}
			return nil
		})
	}
	return answers, group.Wait()
}
