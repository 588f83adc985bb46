// Command kubectl-bluegreen is the plugin behind kubectl bluegreen. All that
// it does itself is what only a process can: it hears signals and exits.
package main

import (
	"context"
	"fmt"
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
	return plugin.Supervise(signals, os.Stderr, func(ctx context.Context) int {
		return plugin.Run(ctx, environment(), plugin.StandardStreams(), os.Args[1:])
	})
}

// What the release sets at link time, -ldflags "-X main.version=… -X main.image=…":
// the version, such as v1.2.3, and the reference by digest of the image that is
// released with this program.
var version, image string

func environment() plugin.Environment {
	return plugin.Environment{Program: os.Args[0], LookupEnv: os.LookupEnv, Identity: identity(), Version: version, Image: image}
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
