// Command kubectl-bluegreen is the plugin behind kubectl bluegreen. All that
// it does itself is what only a process can: it hears signals and exits.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	// A kubeconfig may name an authentication provider; krew asks every
	// plugin to know the ones that client-go knows.
	_ "k8s.io/client-go/plugin/pkg/client/auth"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

func main() { os.Exit(run()) }

func run() int {
	// What client-go logs of a cluster that does not answer comes back as an error
	// too, which says it once and in a person's words.
	klog.SetLogger(logr.Discard())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A run must not end because whoever read its progress did: without this
	// `shift 2>&1 | head` would kill the shift at its next line.
	signal.Ignore(syscall.SIGPIPE)
	return supervise(signals, os.Stderr, func(ctx context.Context) int {
		return plugin.Run(ctx, environment(), plugin.StandardStreams(), os.Args[1:])
	})
}

// left is what a person is told whose second signal was heard.
const left = "left at once: what it was doing is in the record; next: kubectl bluegreen status"

// supervise runs a command until it returns. The first signal cancels the
// command's context, so that it can write down where it stands; the second
// leaves at once, which is as safe as a kill is: an intent is in the journal
// before every write. A terminal that is closed may send SIGHUP twice, by its
// shell and by the kernel: the second of them is nobody's wish to leave.
func supervise(signals <-chan os.Signal, told io.Writer, command func(context.Context) int) int {
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
				cancel(&plugin.Interrupted{Signal: got.String()})
			case first != syscall.SIGHUP || got != syscall.SIGHUP:
				_, _ = fmt.Fprintln(told, left)
				return plugin.ExitHeld
			}
		}
	}
}

// image is the reference by digest of the image that is released with this
// program. The release sets it, at link time: -ldflags "-X main.image=…".
var image string

func environment() plugin.Environment {
	return plugin.Environment{Program: os.Args[0], LookupEnv: os.LookupEnv, Identity: identity(), Image: image}
}

// identity names this process to others who want the same lease: who, where
// and which process.
func identity() string {
	who := "somebody"
	if current, err := user.Current(); err == nil && current.Username != "" {
		who = current.Username
	}
	where, err := os.Hostname()
	if err != nil {
		where = "somewhere"
	}
	return fmt.Sprintf("%s@%s/%d", who, where, os.Getpid())
}
