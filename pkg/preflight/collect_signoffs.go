package preflight

import (
	"context"
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"
)

// CollectSigned reads what it takes to judge and to bind sign-offs, and nothing
// else: the route, the colours, and the sign-offs.
func CollectSigned(ctx context.Context, in Inputs) *Facts {
	facts := begun(in)
	collectTarget(ctx, in, facts)
	parallel(ctx,
		func(ctx context.Context) { collectColors(ctx, in, facts) },
		func(ctx context.Context) { facts.SignOffs = signOffs(ctx, in) },
	)
	facts.Images = images(facts)
	return facts
}

func signOffs(ctx context.Context, in Inputs) Fact[map[string]signoff.Entry] {
	return factOf(signoff.NewStore(in.Client.Kubernetes, in.namespace(), in.Release.Metadata.Name).Read(ctx))
}

// images are what the containers of both colours run, by colour and in the
// order in which they are declared. Those of a target are as the shift will leave
// them.
func images(facts *Facts) Fact[[]signoff.Image] {
	var found []signoff.Image
	for _, color := range facts.colors() {
		workloads := color.Workloads
		if !workloads.Known {
			problem := "the workloads of colour " + color.Name + ": " + workloads.Problem
			return Fact[[]signoff.Image]{Problem: problem, Remedy: workloads.Remedy, Transient: workloads.Transient}
		}
		for _, workload := range workloads.Value {
			found = append(found, imagesIn(workload, color.Owned.Value)...)
		}
	}
	if len(found) == 0 {
		return notKnown[[]signoff.Image](errors.New("the colours declare no workload"))
	}
	return known(found)
}

// imagesIn are the images of one workload, with the digests that its pods tell.
func imagesIn(workload cluster.Workload, owned []corev1.Pod) []signoff.Image {
	var found []signoff.Image
	for _, container := range workload.Template.Spec.Containers {
		found = append(found, signoff.Image{Workload: workload.Ref.String(), Container: container.Name,
			Reference: container.Image, Digest: digestOf(container, workload, owned)})
	}
	return found
}

// digestOf is what an image was seen to be: what its reference says, or what all
// pods that run it say alike; "" where neither does.
func digestOf(container corev1.Container, workload cluster.Workload, owned []corev1.Pod) string {
	if _, pinned, found := strings.Cut(container.Image, "@"); found {
		return pinned
	}
	digest := ""
	for _, pod := range owned {
		if workload.Selector == nil || !workload.Selector.Matches(labels.Set(pod.Labels)) || !runs(pod, container) {
			continue
		}
		for _, status := range pod.Status.ContainerStatuses {
			seen := status.ImageID[strings.LastIndex(status.ImageID, "@")+1:]
			if status.Name != container.Name || seen == "" {
				continue
			}
			if digest != "" && digest != seen {
				return ""
			}
			digest = seen
		}
	}
	return digest
}

// runs reports whether a pod was made with a container's image.
func runs(pod corev1.Pod, container corev1.Container) bool {
	for _, its := range pod.Spec.Containers {
		if its.Name == container.Name {
			return its.Image == container.Image
		}
	}
	return false
}
