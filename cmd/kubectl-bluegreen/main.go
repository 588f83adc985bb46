// Command kubectl-bluegreen is the plugin behind kubectl bluegreen. All that
// it does itself is what only a process can: it hears signals and exits.
package main

import (
	"context"
	"os"
	"os/signal"
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
		return plugin.Run(ctx, plugin.ProcessEnvironment(version, image), plugin.StandardStreams(), os.Args[1:])
	})
}

// What the release sets at link time, -ldflags "-X main.version=… -X main.image=…":
// the version, such as v1.2.3, and the reference by digest of the image that is
// released with this program.
var version, image string
