package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
)

// left is what is told after a second signal.
const left = "left at once: what it was doing is in the record; next: " + name + " status"

// Supervise runs a command until it returns, and returns its exit code. The
// first signal cancels the command's context with an *Interrupted as its cause,
// so that it can write down where it stands; the second leaves at once, with
// one line on told, which is as safe as a kill is: an intent is in the journal
// before every write. A terminal that is closed may send SIGHUP twice, by its
// shell and by the kernel: the second of them is nobody's wish to leave.
func Supervise(signals <-chan os.Signal, told io.Writer, command func(context.Context) int) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	done := make(chan int, 1)
	go func() { done <- command(ctx) }()
	var first os.Signal
	for {
		select {
		case code := <-done:
			return code
		case got := <-signals:
			switch {
			case first == nil:
				first = got
				cancel(&Interrupted{Signal: got.String()})
			case first != syscall.SIGHUP || got != syscall.SIGHUP:
				fmt.Fprintln(told, left)
				return ExitHeld
			}
		}
	}
}
