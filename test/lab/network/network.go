// Package network makes the network namespace that a lab lives in, and reaches
// into it.
//
// Both ends of the lab's only link are inside the namespace, and its default
// route leads into that link: whatever is sent to an address outside goes
// nowhere. The same addresses can therefore be used by any number of labs.
package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// folder is where ip(8) keeps named network namespaces.
const folder = "/run/netns"

// The addresses inside every lab.
const (
	// Node is the node's own address; the API server and cluster DNS listen
	// on it.
	Node = "10.20.0.10"
	// Gateway is where the default route points. Nothing answers there.
	Gateway = "10.20.0.1"
	// Services is the range of cluster addresses.
	Services = "10.96.0.0/16"
	// DNS is the cluster address of cluster DNS.
	DNS = "10.96.0.10"
	// Pods is the range of pod addresses.
	Pods = "10.244.0.0/16"
)

// Namespace is a named network namespace.
type Namespace struct {
	// Name is what `ip netns list` shows.
	Name string
}

// Path is the file that stands for the namespace; nsenter takes it.
func (n Namespace) Path() string { return filepath.Join(folder, n.Name) }

// Exists reports whether the namespace is there.
func (n Namespace) Exists() bool {
	_, err := os.Stat(n.Path())
	return err == nil
}

// Create makes the namespace with the node's address in it.
func (n Namespace) Create(ctx context.Context) error {
	if err := ip(ctx, "netns", "add", n.Name); err != nil {
		return err
	}
	// There may be no `dummy` link type; every kernel with containers has veth.
	for _, line := range []string{
		"link set lo up",
		"link add node0 type veth peer name uplink0",
		"addr add " + Node + "/24 dev node0",
		"link set node0 up",
		"link set uplink0 up",
		"route add default via " + Gateway + " dev node0",
	} {
		if err := ip(ctx, append([]string{"-n", n.Name}, strings.Fields(line)...)...); err != nil {
			return err
		}
	}
	return n.forward(ctx)
}

// forward lets the node route between pods, which the links that the container
// network makes need.
func (n Namespace) forward(ctx context.Context) error {
	const script = `f=/proc/sys/net/ipv4/ip_forward; [ "$(cat $f)" = 1 ] || echo 1 > $f`
	output, err := exec.CommandContext(ctx, "nsenter", "--net="+n.Path(), "--", "sh", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("allow forwarding in namespace %s: %w: %s", n.Name, err, output)
	}
	return nil
}

// Remove takes the namespace and all links in it away. It is no error if there
// is none.
func (n Namespace) Remove(ctx context.Context) error {
	if !n.Exists() {
		return nil
	}
	return ip(ctx, "netns", "delete", n.Name)
}

// Processes lists what runs in the namespace, without this process and its
// ancestors.
func (n Namespace) Processes() ([]process.Record, error) {
	namespace, err := os.Stat(n.Path())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list processes of namespace %s: %w", n.Name, err)
	}
	return members(namespace, ancestors(os.Getpid()))
}

// ip runs ip(8).
func ip(ctx context.Context, args ...string) error {
	output, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
