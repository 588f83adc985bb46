package traffic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// recyclePod is one pod as the decision sees it.
type recyclePod struct {
	name   string
	uid    types.UID
	ready  bool
	ending bool
	// images are the digests that its containers run, by container.
	images string
	// config is the hash of the template that it was made from.
	config string
	// detail is its readiness in words.
	detail string
}

// recyclePlan is fixed before the first eviction.
type recyclePlan struct {
	// queue are the pods to restart, those with most requests first.
	queue []types.UID
	// original are the pods that were there.
	original map[types.UID]bool
	// images and configs are what they ran; a replacement must too.
	images, configs map[string]bool
	// ready is how many of them were ready.
	ready int
	floor int
}

// recycleAction is what to do next.
type recycleAction int

const (
	recycleWait recycleAction = iota
	recycleEvict
	recycleStop
	recycleDone
)

// recycleStep is one decision and its reason.
type recycleStep struct {
	action recycleAction
	pod    recyclePod
	reason string
}

// planRecycle fixes which pods are restarted and what must come after them.
func planRecycle(pods []recyclePod, residual map[string]float64, floor int) recyclePlan {
	plan := recyclePlan{original: map[types.UID]bool{}, images: map[string]bool{}, configs: map[string]bool{}, floor: floor}
	var queue []recyclePod
	for _, pod := range pods {
		plan.original[pod.uid] = true
		plan.configs[pod.config] = true
		if pod.ready {
			plan.ready++
			plan.images[pod.images] = true
		}
		if residual[pod.name] > 0 && !pod.ending {
			queue = append(queue, pod)
		}
	}
	slices.SortFunc(queue, func(a, b recyclePod) int {
		return cmp.Or(cmp.Compare(residual[b.name], residual[a.name]), strings.Compare(a.name, b.name))
	})
	for _, pod := range queue {
		plan.queue = append(plan.queue, pod.uid)
	}
	return plan
}

// decideRecycle is pure: what to do next, given the pods that there are now
// and those that were evicted.
func decideRecycle(plan recyclePlan, pods []recyclePod, evicted map[types.UID]bool) recycleStep {
	ready, waitFor := 0, ""
	for _, pod := range pods {
		if pod.ready {
			ready++
		}
		if evicted[pod.uid] {
			waitFor = fmt.Sprintf("pod %s has not ended", pod.name)
			continue
		}
		if plan.original[pod.uid] {
			continue
		}
		if reason := plan.stranger(pod); reason != "" {
			return recycleStep{action: recycleStop, reason: reason}
		}
		if !pod.ready && !pod.ending && waitFor == "" {
			waitFor = "the replacement is not ready: " + pod.detail
		}
	}
	next, found := plan.next(pods, evicted)
	switch {
	case waitFor != "":
		return recycleStep{action: recycleWait, reason: waitFor}
	case ready < plan.ready:
		return recycleStep{action: recycleWait, reason: fmt.Sprintf("only %d of %d pods are ready", ready, plan.ready)}
	case !found:
		return recycleStep{action: recycleDone}
	case next.ready && ready-1 < plan.floor:
		return recycleStep{action: recycleStop, reason: fmt.Sprintf("without pod %s %d pods would be ready, fewer than the %d that must be kept", next.name, ready-1, plan.floor)}
	}
	return recycleStep{action: recycleEvict, pod: next}
}

// stranger says why a pod is no replacement of those that were there. Its
// image is only known once it runs.
func (p recyclePlan) stranger(pod recyclePod) string {
	switch {
	case !p.configs[pod.config]:
		return fmt.Sprintf("pod %s was made from another template (%s): the workload has changed", pod.name, pod.config)
	case pod.ready && !p.images[pod.images]:
		return fmt.Sprintf("pod %s runs another image: %s", pod.name, pod.images)
	}
	return ""
}

// next is the first pod of the queue that is still there and not ending.
func (p recyclePlan) next(pods []recyclePod, evicted map[types.UID]bool) (recyclePod, bool) {
	for _, uid := range p.queue {
		at := slices.IndexFunc(pods, func(pod recyclePod) bool { return pod.uid == uid })
		if at >= 0 && !evicted[uid] && !pods[at].ending {
			return pods[at], true
		}
	}
	return recyclePod{}, false
}

// unsettled is what was seen before, with nothing that could be built on: no
// pod counts as ready.
func unsettled(pods []recyclePod) []recyclePod {
	copied := slices.Clone(pods)
	for index := range copied {
		copied[index].ready = false
	}
	return copied
}

// imageDigests names what each container of a pod runs, by digest where the
// runtime tells one; sorted.
func imageDigests(pod *corev1.Pod) string {
	var digests []string
	for _, status := range pod.Status.ContainerStatuses {
		image := status.ImageID
		if at := strings.LastIndex(image, "@"); at >= 0 {
			image = image[at+1:]
		}
		digests = append(digests, status.Name+"="+image)
	}
	slices.Sort(digests)
	return strings.Join(digests, ",")
}
