package cluster

import (
	"context"
	"errors"
	"fmt"
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
