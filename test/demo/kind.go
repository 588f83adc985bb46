package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// clusterKind is a way to run Kubernetes on one's own machine. Each takes
// images in a way of its own.
type clusterKind string

// The kinds that the demo can give images.
const (
	kindKind          clusterKind = "kind"
	kindMinikube      clusterKind = "minikube"
	kindK3d           clusterKind = "k3d"
	kindDockerDesktop clusterKind = "Docker Desktop"
)

// detected is what a cluster was found to be.
type detected struct {
	kind clusterKind
	// name is the cluster's among those of its kind, which the kind's own
	// command wants to know.
	name string
	// architecture is the node's, as Go names it.
	architecture string
	// local says that the cluster is on this machine beyond doubt.
	local bool
}

// errUnknownKind says that nobody knows how to give the cluster images.
var errUnknownKind = errors.New("it is none of kind, minikube, k3d and Docker Desktop, so the demo can't give it images")

// minikubeLabel holds the name of the profile on every node of minikube.
const minikubeLabel = "minikube.k8s.io/name"

// detect finds out what a cluster is. The nodes know best, since a context can
// be renamed; where they don't say it, the context's name does.
func detect(context, server string, nodes []corev1.Node) (detected, error) {
	if len(nodes) == 0 {
		return detected{}, errors.New("it has no node")
	}
	node := nodes[0]
	found := detected{architecture: node.Status.NodeInfo.Architecture}
	switch provider, rest, _ := strings.Cut(node.Spec.ProviderID, "://"); {
	case context == "docker-desktop" || node.Name == "docker-desktop":
		found.kind = kindDockerDesktop
	case node.Labels[minikubeLabel] != "":
		found.kind, found.name = kindMinikube, node.Labels[minikubeLabel]
	case provider == "kind":
		// It is written as kind://docker/NAME/NODE.
		parts := strings.Split(rest, "/")
		if len(parts) != 3 {
			return detected{}, fmt.Errorf("its node's provider is %q, which is not how kind writes it", node.Spec.ProviderID)
		}
		found.kind, found.name = kindKind, parts[1]
	case provider == "k3s" && strings.HasPrefix(context, "k3d-"):
		found.kind, found.name = kindK3d, strings.TrimPrefix(context, "k3d-")
	default:
		return detected{}, errUnknownKind
	}
	found.local = near(server, found.kind)
	if found.architecture == "" {
		return detected{}, fmt.Errorf("node %s does not say its architecture", node.Name)
	}
	return found, nil
}

// near reports whether a server's address can only be this machine's: a
// loopback address, a name that Docker Desktop gives this machine, or, of
// minikube alone, a private address. minikube's machine has one in a network
// that ends on this machine; of any other kind it may be a colleague's.
func near(server string, kind clusterKind) bool {
	address, err := url.Parse(server)
	if err != nil {
		return false
	}
	host := address.Hostname()
	switch host {
	case "localhost", "kubernetes.docker.internal", "host.docker.internal":
		return true
	}
	parsed, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	// k3d writes 0.0.0.0 for every address of this machine.
	return parsed.IsLoopback() || parsed.IsUnspecified() || kind == kindMinikube && parsed.IsPrivate()
}

// consent says in one sentence why a cluster is not used unasked.
func (d detected) consent(context, server string, yes bool) error {
	if d.local || yes {
		return nil
	}
	return fmt.Errorf("context %s is a cluster of %s at %s, which may not be on this machine: "+
		"the demo puts a database, monitoring and load on it; say --yes if that is meant", context, d.kind, server)
}
