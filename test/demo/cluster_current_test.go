package main

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

// After the first interrupt everything is taken away all the same; a second one
// ends that, and so does the limit, and both say how to go on by hand.
func TestTakeAwayIsBoundedAndCanBeInterrupted(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	hanging := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, tt := range map[string]struct {
		limit  time.Duration
		remove func(context.Context) error
		want   error
	}{
		"after an interrupt": {time.Hour, func(ctx context.Context) error { return ctx.Err() }, nil},
		"a second interrupt": {time.Hour, func(ctx context.Context) error {
			if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
				return err
			}
			return hanging(ctx)
		}, context.Canceled},
		"the limit": {10 * time.Millisecond, hanging, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := takeAway(interrupted, &out, tt.limit, tt.remove); !errors.Is(err, tt.want) {
				t.Errorf("takeAway = %v, want %v", err, tt.want)
			}
			if said := strings.Contains(out.String(), "kubectl get namespaces"); said != (tt.want != nil) {
				t.Errorf("how to go on by hand is said: %t\n%s", said, out.String())
			}
		})
	}
}
