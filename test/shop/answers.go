package shop

import (
	"context"
	"errors"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// inARow is how many answers in a row say that production answers.
const inARow = 10

// AwaitAnswers waits until production answers. A kube-proxy or a gateway comes
// to know a new route and its endpoints a moment after they are there, and
// refuses until then. It must be asked from where production traffic comes from.
func (s *Shop) AwaitAnswers(ctx context.Context) error {
	url, err := s.URL(ctx, probePath)
	if err != nil {
		return err
	}
	if err := await(ctx, func(ctx context.Context) (bool, error) { return true, s.answers(ctx, url) }); err != nil {
		return fmt.Errorf("wait until production answers: %w", err)
	}
	return nil
}

// answers asks that often, each time anew; every bad answer is an error.
func (s *Shop) answers(ctx context.Context, url string) error {
	run, err := clients.Start(ctx, clients.Options{
		URL: url, Header: s.Header(), Rate: 100, Fresh: 1, MaxRequests: inARow, Timeout: patience / 10, Strict: true,
	})
	if err != nil {
		return err
	}
	<-run.Done()
	switch counts := run.Stop(); {
	case counts.Failed > 0:
		return errors.New("production answers " + counts.Failures[0].Detail)
	case counts.Requests < inARow:
		return ctx.Err()
	}
	return nil
}
