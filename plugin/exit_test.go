package plugin

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestExitStatus(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(context.Background())
	cancel(&Interrupted{Signal: "interrupt"})
	left, stop := context.WithCancel(context.Background())
	stop()
	tests := map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"any error is the tool's":           {context.Background(), errors.New("no"), ExitFailed},
		"a status is kept":                  {context.Background(), &StatusError{Status: ExitUnproven}, ExitUnproven},
		"a status is found in a wrap":       {context.Background(), fmt.Errorf("shift: %w", &StatusError{Status: ExitBlocked, Err: errors.New("held")}), ExitBlocked},
		"the echo of a signal":              {interrupted, fmt.Errorf("get service: %w", context.Canceled), ExitHeld},
		"an error beside a signal":          {interrupted, errors.New("no"), ExitFailed},
		"a status beside a signal is kept":  {interrupted, &StatusError{Status: ExitUnproven}, ExitUnproven},
		"a cancellation that nobody caused": {left, context.Canceled, ExitFailed},
		"the tool's own deadline":           {context.Background(), context.DeadlineExceeded, ExitFailed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ExitStatus(test.ctx, test.err); got != test.want {
				t.Errorf("ExitStatus = %d, want %d", got, test.want)
			}
		})
	}
}

func TestDescribePrefersTheSignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&Interrupted{Signal: "terminated"})
	got := describe(ctx, fmt.Errorf("get service: %w", context.Canceled)).Error()
	if want := "stopped: interrupted by signal: terminated"; got != want {
		t.Errorf("describe = %q, want %q", got, want)
	}
	if got := describe(ctx, errors.New("no such colour")).Error(); got != "no such colour" {
		t.Errorf("describe hides an error that is not the signal's: %q", got)
	}
}
