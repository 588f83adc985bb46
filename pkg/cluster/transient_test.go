package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTransient(t *testing.T) {
	services := schema.GroupResource{Resource: "services"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":           {nil, false},
		"refused":           {fmt.Errorf("dial: %w", syscall.ECONNREFUSED), true},
		"reset":             {fmt.Errorf("read: %w", syscall.ECONNRESET), true},
		"no route":          {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, true},
		"no name":           {fmt.Errorf("get: %w", &net.DNSError{Err: "no such host", Name: "api.example", IsNotFound: true}), true},
		"broken pipe":       {fmt.Errorf("write: %w", syscall.EPIPE), true},
		"http2 lost":        {errors.New("http2: client connection lost"), true},
		"half an answer":    {fmt.Errorf("unexpected error when reading response body. Please retry. Original error: %w", io.ErrUnexpectedEOF), true},
		"no answer":         {&url.Error{Op: "Get", URL: "https://api.example/", Err: io.EOF}, true},
		"stream reset":      {errors.New("stream error: stream ID 7; INTERNAL_ERROR; received from peer"), true},
		"handshake refused": {&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false},
		"out of time":       {context.DeadlineExceeded, true},
		"cancelled":         {context.Canceled, false},
		"too busy":          {apierrors.NewTooManyRequests("later", 1), true},
		"server shuts down": {apierrors.NewServiceUnavailable("apiserver is shutting down"), true},
		"forbidden":         {apierrors.NewForbidden(services, "x", errors.New("no")), false},
		"invalid":           {apierrors.NewBadRequest("no"), false},
		"conflict":          {apierrors.NewConflict(services, "x", ErrFenced), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Transient(test.err); got != test.want {
				t.Errorf("Transient(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}
