package lab

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Command prepares a command that runs inside the lab: in its network
// namespace, with KUBECONFIG set and the cluster's own kubectl first on PATH.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	inside := append([]string{"--net=" + l.layout.namespace().Path(), "--", name}, args...)
	command := exec.CommandContext(ctx, "nsenter", inside...)
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
