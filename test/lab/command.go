package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// enter runs a command in the namespaces that its first two arguments name, in
// the folder that it was started in: entering a mount namespace leaves that.
const enter = `network=$1 mounts=$2; shift 2; exec nsenter "$network" "$mounts" -- env -C "$PWD" "$@"`

// Command prepares a command that runs inside the lab: it reaches the
// addresses of pods and Services, knows the names that a pod of the namespace
// default knows, and has KUBECONFIG set and the cluster's own kubectl first on
// PATH. Its Dir may be set as usual.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	// A record that can't be read gives a path that isn't there, so the
	// command fails to start and says so.
	known, _ := l.record.read()
	inside := []string{
		"-c", enter, "sh",
		"--net=" + l.layout.namespace().Path(), fmt.Sprintf("--mount=/proc/%d/ns/mnt", known.Holder.PID),
		name,
	}
	command := exec.CommandContext(ctx, "sh", append(inside, args...)...)
	command.Env = l.environment(os.Environ())
	return command
}

// Kubectl prepares a kubectl command that runs inside the lab.
func (l *Lab) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return l.Command(ctx, "kubectl", args...)
}

// Path is the folder of the lab's programs, kubectl among them.
func (l *Lab) Path() string { return l.layout.file("bin") }

// environment changes an environment to the lab's.
func (l *Lab) environment(outer []string) []string {
	path := systemPath
	inner := slices.DeleteFunc(slices.Clone(outer), func(variable string) bool {
		name, value, _ := strings.Cut(variable, "=")
		if name == "PATH" && value != "" {
			path = value + ":" + systemPath
		}
		// What the machine reaches through a proxy isn't in the lab.
		switch strings.ToLower(name) {
		case "path", "kubeconfig", "http_proxy", "https_proxy", "no_proxy", "all_proxy":
			return true
		default:
			return false
		}
	})
	return append(inner, "PATH="+l.Path()+":"+path, "KUBECONFIG="+l.Kubeconfig())
}
