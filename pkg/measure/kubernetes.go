package measure

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"
)

// kubernetesSource reads pods and workloads.
type kubernetesSource struct {
	colors *colors
	clock  clock.PassiveClock

	mu sync.Mutex
	// restarts is, by colour and pod UID, what was seen of a pod.
	restarts map[string]map[string]podRestarts
	// complete is, by colour, the number of replicas with which it was last
	// seen fully ready.
	complete map[string]int
}

// podRestarts counts one pod's restarts.
type podRestarts struct{ baseline, latest int32 }

func newKubernetesSource(colors *colors, clock clock.PassiveClock) *kubernetesSource {
	return &kubernetesSource{colors: colors, clock: clock, restarts: map[string]map[string]podRestarts{}, complete: map[string]int{}}
}

// Name says what it is.
func (k *kubernetesSource) Name() string { return "kubernetes" }

// Answers reports whether the signal can be asked.
func (k *kubernetesSource) Answers(query Query) bool {
	return query.Signal == Restarts || query.Signal == ReadyRatio
}

// Read answers one query.
func (k *kubernetesSource) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: k.clock.Now(), Source: k.Name()}
	pods, err := k.colors.pods(ctx, query.Color)
	if err != nil {
		return reading.down("%v", err)
	}
	if query.Signal == Restarts {
		return k.readRestarts(reading, pods)
	}
	return k.readReady(ctx, reading, pods)
}

// readRestarts counts the restarts since the colour was first read. What a
// pod did before that is its baseline; a pod that came later has none, and
// one that is gone still counts.
func (k *kubernetesSource) readRestarts(reading Reading, pods []corev1.Pod) Reading {
	reading.Expression = "status.containerStatuses.restartCount of the pods of " + reading.Color
	k.mu.Lock()
	defer k.mu.Unlock()
	seen, known := k.restarts[reading.Color]
	if !known {
		seen = map[string]podRestarts{}
		k.restarts[reading.Color] = seen
	}
	for i := range pods {
		uid, count := string(pods[i].UID), restartsOf(&pods[i])
		pod, before := seen[uid]
		if !before && !known {
			pod.baseline = count
		}
		pod.latest = max(pod.latest, count)
		seen[uid] = pod
	}
	var restarts int32
	for _, pod := range seen {
		restarts += pod.latest - pod.baseline
	}
	if reason := lastFailure(pods); reason != "" && restarts > 0 {
		reading.Detail = reason
	}
	return reading.ok(float64(restarts), float64(len(pods)))
}

func restartsOf(pod *corev1.Pod) int32 {
	var restarts int32
	for _, status := range pod.Status.ContainerStatuses {
		restarts += status.RestartCount
	}
	return restarts
}

// lastFailure says how a container of the pods ended.
func lastFailure(pods []corev1.Pod) string {
	for i := range pods {
		for _, status := range pods[i].Status.ContainerStatuses {
			if ended := status.LastTerminationState.Terminated; ended != nil {
				return fmt.Sprintf("container %s of pod %s ended with %s, exit code %d", status.Name, pods[i].Name, ended.Reason, ended.ExitCode)
			}
		}
	}
	return ""
}

// readReady takes ready pods over wanted ones, 1 at most. While an autoscaler
// adds pods to a colour that was complete, those on their way are not
// missing: it is measured by the replicas with which it was complete.
func (k *kubernetesSource) readReady(ctx context.Context, reading Reading, pods []corev1.Pod) Reading {
	reading.Expression = "ready pods over spec.replicas of the workloads of " + reading.Color
	wanted, err := k.colors.wanted(ctx, reading.Color)
	if err != nil {
		return reading.down("%v", err)
	}
	var ready int
	var waiting string
	for i := range pods {
		if isReady(&pods[i]) {
			ready++
		} else if waiting == "" {
			waiting = pods[i].Name
		}
	}
	if len(k.colors.spec.Colors[reading.Color].Workloads) == 0 {
		wanted = len(pods)
	}
	if wanted == 0 {
		return reading.noData("%s is scaled to zero", reading.Color)
	}
	// To go back to a side of which as little is heard would help nobody.
	if unheard(pods) && k.othersUnheard(ctx, reading.Color) {
		return reading.down("no pod of any colour counts as ready, though the containers of all are: their nodes are not heard of, which says nothing of %s", reading.Color)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if ready >= wanted {
		k.complete[reading.Color] = wanted
	}
	if complete := k.complete[reading.Color]; complete > 0 {
		wanted = min(wanted, complete)
	}
	reading.Detail = fmt.Sprintf("%d of %d pods are ready", ready, wanted)
	if waiting != "" && ready < wanted {
		reading.Detail += ", " + waiting + " is not"
	}
	return reading.ok(min(float64(ready)/float64(wanted), 1), float64(len(pods)))
}
