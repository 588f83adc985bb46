// Command bluegreen-action is the engine of the GitHub Action. All that it does
// itself is what only a process can: it hears signals and exits.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	// A kubeconfig may name an authentication provider.
	_ "k8s.io/client-go/plugin/pkg/client/auth"

	"github.com/bluegreen-dev/kubectl-bluegreen/action"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

func main() { os.Exit(run()) }

// What the release sets at link time, -ldflags "-X main.version=… -X main.image=…":
// the version, such as v1.2.3, and the reference by digest of the image that is
// released with this program.
var version, image string

func run() int {
	// What client-go logs of a cluster that does not answer comes back as an error
	// too, which says it once and in a person's words.
	klog.SetLogger(logr.Discard())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// A run must not end because whoever read its log did.
	signal.Ignore(syscall.SIGPIPE)
	environment := plugin.ProcessEnvironment(version, image)
	environment.Programs = itself()
	return plugin.Supervise(signals, os.Stdout, func(ctx context.Context) int {
		return action.Run(ctx, action.Environment{
			Plugin: environment, Variables: os.Environ(), Log: os.Stdout, Complaints: os.Stderr,
		}, os.Args[1:])
	})
}

// itself is the file of this program, by the name under which a kubeconfig may have
// it get tokens. What lies beside it was verified by nobody, so its folder is not put
// on PATH. Where it can't be found, that kubeconfig says so.
func itself() map[string]string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return map[string]string{"bluegreen-action": self}
}
