package shop

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The colours of the example.
const (
	Blue  = "blue"
	Green = "green"
)

// Slot says how a colour's manifests differ from the example's.
type Slot struct {
	// Version is one of [Versions]; "" is the example's own.
	Version string
	// Replicas of the Deployment; 0 is 2, which a small machine bears.
	Replicas int32
	// Env is added to the container's environment, or replaces what is
	// there.
	Env map[string]string
	// Pod changes the pods further; nil leaves them as they are.
	Pod func(*corev1.PodSpec)
}

// Options say what shop to open.
type Options struct {
	// Namespace is the shop's own. It must not exist.
	Namespace string
	// Labels are put on the namespace, to know it again by.
	Labels map[string]string
	// Folder is where the Release and the manifests are written.
	Folder string
	// Env is the environment of both colours.
	Env         map[string]string
	Blue, Green Slot
	// Route is the kind of the production route.
	Route Route
	// GreenByHand deploys green at once and takes the manifests out of the
	// Release, instead of leaving them to a shift.
	GreenByHand bool
	// Release changes the [QuickRelease] before it is written; nil leaves
	// it as it is.
	Release func(*release.Release)
}

// environment joins what a slot has with what both have.
func (o Options) environment(slot Slot) map[string]string {
	joined := maps.Clone(o.Env)
	if joined == nil {
		joined = map[string]string{}
	}
	maps.Copy(joined, slot.Env)
	return joined
}
