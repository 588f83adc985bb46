// Package plugintest is what the script tests of every face share: where they
// run, and the commands that they have beside testscript's.
package plugintest

import (
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is one that a script may use.
type Command = func(script *testscript.TestScript, negated bool, args []string)

// Params are for the scripts of a folder, with further commands beside those of
// this package.
func Params(folder string, further map[string]Command) testscript.Params {
	commands := map[string]Command{"exits": exits, "nobody": nobody, "cluster": cluster}
	maps.Copy(commands, further)
	return testscript.Params{
		Dir:   folder,
		Setup: setUp,
		Cmds:  commands,
		// UPDATE_SCRIPTS=1 rewrites the files that cmp compares with.
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
}

func setUp(env *testscript.Env) error {
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("TERM", "xterm")
	env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-such-kubeconfig"))
	return nil
}

// exits runs a command and asserts its exit code: exits CODE COMMAND ARGS...
func exits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v exited with %d, expected %d", args[1:], got, want)
	}
}

// nobody points the kubeconfig at a port of this machine where nobody
// listens.
func nobody(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 0 {
		ts.Fatalf("usage: nobody")
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	address := listener.Addr().String()
	ts.Check(listener.Close())
	writeKubeconfig(ts, address)
}

// writeKubeconfig makes an API server the one that the commands talk to.
func writeKubeconfig(ts *testscript.TestScript, address string) {
	path := ts.MkAbs("kubeconfig")
	ts.Check(os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "http://`+address+`"}}]
contexts: [{name: here, context: {cluster: here, namespace: shop}}]
current-context: here
`), 0o600))
	ts.Setenv("KUBECONFIG", path)
	ts.Setenv("ADDRESS", address)
}
