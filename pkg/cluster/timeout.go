package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errRequestTimeout is the cause with which a request ends that took longer
// than its limit.
var errRequestTimeout = errors.New("the cluster did not answer in time")

// timeLimit bounds every request that is not a stream and brings no deadline
// of its own, until its body is closed.
type timeLimit struct {
	next  http.RoundTripper
	limit time.Duration
}

// RoundTrip implements http.RoundTripper.
func (t *timeLimit) RoundTrip(request *http.Request) (*http.Response, error) {
	if _, bounded := request.Context().Deadline(); bounded || streams(request) {
		return t.next.RoundTrip(request)
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.limit, errRequestTimeout)
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = &cancelOnClose{ReadCloser: response.Body, cancel: cancel}
	return response, nil
}

// WrappedRoundTripper lets client-go see the transport underneath.
func (t *timeLimit) WrappedRoundTripper() http.RoundTripper { return t.next }

// streams reports whether a request stays open on purpose.
func streams(request *http.Request) bool {
	query := request.URL.Query()
	return query.Get("watch") == "true" || query.Get("watch") == "1" || query.Get("follow") == "true"
}

// cancelOnClose ends a request's context when its body is closed.
type cancelOnClose struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the body and ends the request's context.
func (b *cancelOnClose) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
