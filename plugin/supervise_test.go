package plugin

import (
	"bytes"
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

// hangGuard ends a test that waits for something that never comes. It is no
// measurement: everything here takes milliseconds.
const hangGuard = time.Minute

// TestTheSecondSignalLeavesAtOnce: a command that does not come back is left,
// and says so in one line.
func TestTheSecondSignalLeavesAtOnce(t *testing.T) {
	for name, sent := range map[string][]os.Signal{
		"interrupted twice":              {os.Interrupt, os.Interrupt},
		"a closed terminal":              {syscall.SIGHUP, os.Interrupt},
		"a terminal closed in two steps": {syscall.SIGHUP, syscall.SIGHUP, syscall.SIGTERM},
		"closed after an interrupt":      {os.Interrupt, syscall.SIGHUP},
	} {
		t.Run(name, func(t *testing.T) {
			signals, told, deaf := make(chan os.Signal), &bytes.Buffer{}, newDeaf(t)
			code := make(chan int, 1)
			go func() { code <- Supervise(signals, told, deaf.command) }()
			for _, signal := range sent { // each is heard before the next
				signals <- signal
				await(t, deaf.cancelled, "the cancellation")
			}
			select {
			case got := <-code:
				if got != ExitHeld {
					t.Errorf("exit code %d, expected %d", got, ExitHeld)
				}
			case <-time.After(hangGuard):
				t.Fatal("the last signal was not heard")
			}
			if cause := deaf.cause.Error(); cause != "interrupted by signal: "+sent[0].String() {
				t.Errorf("the cause does not name the first signal: %s", cause)
			}
			if want := "left at once: what it was doing is in the record; next: kubectl bluegreen status\n"; told.String() != want {
				t.Errorf("told %q, expected %q", told, want)
			}
		})
	}
}

// TestAClosedTerminalMaySendItsSignalTwice: the command ends in its own time.
func TestAClosedTerminalMaySendItsSignalTwice(t *testing.T) {
	signals, told, deaf := make(chan os.Signal), &bytes.Buffer{}, newDeaf(t)
	code := make(chan int, 1)
	go func() { code <- Supervise(signals, told, deaf.command) }()
	for range 3 { // the third is taken only when the second did not leave
		select {
		case signals <- syscall.SIGHUP:
		case got := <-code:
			t.Fatalf("left with exit code %d", got)
		}
	}
	close(deaf.ends)
	if got := <-code; got != ExitRolledBack || told.Len() > 0 {
		t.Errorf("exit code %d, expected %d; told %q", got, ExitRolledBack, told)
	}
}

// deaf is a command that ends only when it is let.
type deaf struct {
	cancelled, ends chan struct{}
	cause           error
}

func newDeaf(t *testing.T) *deaf {
	made := &deaf{cancelled: make(chan struct{}), ends: make(chan struct{})}
	t.Cleanup(func() {
		select {
		case <-made.ends:
		default:
			close(made.ends)
		}
	})
	return made
}

func (d *deaf) command(ctx context.Context) int {
	<-ctx.Done()
	d.cause = context.Cause(ctx)
	close(d.cancelled)
	<-d.ends
	return ExitRolledBack
}

func TestACommandThatReturnsKeepsItsCode(t *testing.T) {
	if got := Supervise(make(chan os.Signal), &bytes.Buffer{}, func(context.Context) int { return ExitRolledBack }); got != ExitRolledBack {
		t.Errorf("exit code %d, expected %d", got, ExitRolledBack)
	}
}

func await(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(hangGuard):
		t.Fatalf("still waiting for %s", what)
	}
}
