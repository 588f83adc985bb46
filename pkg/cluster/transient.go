package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Transient reports whether an error may go away by asking again: the API
// server was not reached, was too busy, or ran out of time. A refusal is
// never transient.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) || unreached(err)
}

// unreached reports whether a request, or the answer to it, was lost on the
// way: no name, no route, no listener, or a connection that broke, be it in the
// midst of an answer. A server that was reached and turned the TLS handshake
// down is not unreached.
func unreached(err error) bool {
	if brokeOff(err) || utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) ||
		utilnet.IsHTTP2ConnectionLost(err) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) {
		return true
	}
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	if name := (*net.DNSError)(nil); errors.As(err, &name) {
		return true
	}
	operation := (*net.OpError)(nil)
	return errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "read" || operation.Op == "write")
}

// brokeOff reports whether an answer ended before it was whole. client-go wraps
// what it read last, and net/http keeps the type of a reset stream of HTTP/2 to
// itself.
func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "stream error: stream ID")
}
