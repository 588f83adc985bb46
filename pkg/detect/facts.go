package detect

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Facts are what was read from the cluster.
type Facts struct {
	Subject Subject
	// Objects are those of each kind that is looked at, by its name.
	Objects map[string][]*unstructured.Unstructured
	// Services are those of the namespace, or, for a host, those that its
	// objects lead to. Missing are the ones that are led to and don't exist.
	Services []corev1.Service
	Missing  []string
	// Unlisted are what could not be looked at.
	Unlisted []Unlisted
	// Absent are the kinds that the cluster does not serve.
	Absent []string
	// Release says which the colours are, and Origin where it comes from; nil
	// where nothing says so, and Undiscovered is why discovery does not.
	Release      *release.Release
	Origin       string
	Undiscovered string
	// Discovered: the Release is what discovery concluded from the Service that
	// is asked about, and nobody wrote it.
	Discovered bool
}

// Unlisted is something that could not be looked at.
type Unlisted struct {
	// Resource is what the API server calls it: httproutes.gateway.networking.k8s.io.
	Resource string `json:"resource"`
	// Right is the right that is missing, "" where it is not that.
	Right string `json:"right,omitempty"`
	// Why is one sentence.
	Why string `json:"why"`
}
