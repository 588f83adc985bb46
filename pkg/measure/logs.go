package measure

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// LogSettled is the time in which a pod's newest lines are read: what began
	// it should be in a Loki by its end.
	LogSettled = 2 * time.Minute
	// podsSought is how many pods of a colour are looked for by their names,
	// which all stand in one address.
	podsSought = 20
	// podsFollowed is for how many of them the newest line is sought.
	podsFollowed = 3
	// lineLimit bounds, in bytes, what is read of a line: its time comes first.
	lineLimit = 64
)

// Logs is what a Loki has of one colour.
type Logs struct {
	// Label is the label that tells the colours apart, as Loki spells it; Values
	// are what the colour's pods say that it is.
	Label  string
	Values []string
	// Selector is what finds the colour's streams, in LogQL; Streams is how many
	// it finds.
	Selector string
	Streams  int
	// Pods is how many pods the colour has, Sought how many of them were looked
	// for by name.
	Pods, Sought int
	// Strays are streams of the colour's pods that the selector doesn't find.
	Strays []Stray
	// Followed are pods whose own log was held against what Loki has of it.
	Followed []Followed
}

// Stray is a stream of a pod under another value of the label, or "" for none.
type Stray struct{ Pod, Value string }

// Followed is one pod and when it and Loki had a line of it.
type Followed struct {
	Pod string
	// Written is when it wrote a line that should have arrived, by its own log:
	// the oldest of the last LogSettled, or else its last one; the zero time when
	// it wrote none. Unread says why that can't be told.
	Written time.Time
	Unread  string
	// Shipped is the newest line of it that Loki has, or of its colour where
	// the streams don't say whose they are; the zero time for none.
	Shipped time.Time
}

// podName is where a pod's log is.
type podName struct{ namespace, pod, container string }

// podLabels are the names under which collectors keep a pod's name.
func podLabels() []string { return []string{"pod", "pod_name", "k8s_pod_name", "kubernetes_pod_name"} }

// Logs looks at what there is of a colour. A colour without pods has nothing to
// look for.
func (l *Loki) Logs(ctx context.Context, color string) (Logs, error) {
	pods, err := l.colors.pods(ctx, color)
	if err != nil {
		return Logs{}, err
	}
	pods = slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil || cluster.PodEnded(&pod) })
	logs := Logs{Label: l.label, Pods: len(pods)}
	if len(pods) == 0 {
		return logs, nil
	}
	if logs.Values = l.values(color, pods); len(logs.Values) == 0 {
		return Logs{}, release.WithHint(fmt.Errorf("nothing tells the streams of %s: its pods have no label %s", color, l.label),
			"give the pods that label, or name the one that they have in spec.logs.loki.versionLabel")
	}
	pods = pods[:min(len(pods), podsSought)]
	logs.Sought = len(pods)
	logs.Selector = l.selector(oneOf(l.label, "=~", logs.Values))
	found, err := l.streams(ctx, logs.Selector)
	if err != nil {
		return Logs{}, err
	}
	logs.Streams = len(found)
	if logs.Strays, err = l.strays(ctx, logs, pods); err != nil {
		return Logs{}, err
	}
	for i := range pods[:min(len(pods), podsFollowed)] {
		followed, err := l.follow(ctx, logs, &pods[i], podLabelIn(found))
		if err != nil {
			return Logs{}, err
		}
		logs.Followed = append(logs.Followed, followed)
	}
	return logs, nil
}

// values are what the pods of a colour say the label is, each once: that of
// theirs which Loki spells so, or that by which metrics tell the colours.
func (l *Loki) values(color string, pods []corev1.Pod) []string {
	var values []string
	for _, pod := range pods {
		for key, value := range pod.Labels {
			if PrometheusLabel(key) == l.label && value != "" {
				values = append(values, value)
			}
		}
	}
	if value := l.colors.spec.Colors[color].Selector[l.key]; len(values) == 0 && value != "" {
		values = []string{value}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// strays are streams of pods that what finds their colour doesn't find.
func (l *Loki) strays(ctx context.Context, logs Logs, pods []corev1.Pod) ([]Stray, error) {
	var names, selectors []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	for _, label := range podLabels() {
		selectors = append(selectors, l.selector(oneOf(label, "=~", names), oneOf(l.label, "!~", logs.Values)))
	}
	streams, err := l.streams(ctx, selectors...)
	if err != nil {
		return nil, err
	}
	var strays []Stray
	for _, stream := range streams {
		strays = append(strays, Stray{Pod: stream[podLabelIn([]map[string]string{stream})], Value: stream[l.label]})
	}
	slices.SortFunc(strays, func(a, b Stray) int { return strings.Compare(a.Pod+" "+a.Value, b.Pod+" "+b.Value) })
	return slices.Compact(strays), nil
}

// podLabelIn is the name under which streams keep a pod's name, "" for none.
func podLabelIn(streams []map[string]string) string {
	for _, label := range podLabels() {
		if slices.ContainsFunc(streams, func(stream map[string]string) bool { return stream[label] != "" }) {
			return label
		}
	}
	return ""
}

// follow holds the end of a pod's log against the end of what Loki has of it.
// The pod's is read first, so that what it writes meanwhile is no gap.
func (l *Loki) follow(ctx context.Context, logs Logs, pod *corev1.Pod, label string) (Followed, error) {
	followed := Followed{Pod: pod.Name}
	written, err := l.written(ctx, podName{pod.Namespace, pod.Name, mainContainer(pod)})
	if err != nil {
		followed.Unread = cluster.Explain(err).Error()
	}
	followed.Written = written
	matchers := []string{oneOf(logs.Label, "=~", logs.Values)}
	if label != "" {
		matchers = append(matchers, fmt.Sprintf("%s=%q", label, pod.Name))
	}
	followed.Shipped, err = l.newest(ctx, l.selector(matchers...))
	return followed, err
}

// mainContainer is the one whose log kubectl shows.
func mainContainer(pod *corev1.Pod) string {
	if name := pod.Annotations["kubectl.kubernetes.io/default-container"]; name != "" || len(pod.Spec.Containers) == 0 {
		return name
	}
	return pod.Spec.Containers[0].Name
}

// lastLine is when a container wrote a line that should have reached a Loki by
// now: the oldest of the last LogSettled, or else its last one; the zero time
// when it wrote none.
func lastLine(ctx context.Context, client *cluster.Client, now time.Time, pod podName) (time.Time, error) {
	since := metav1.NewTime(now.Add(-LogSettled))
	written, err := lineTime(ctx, client, pod, &corev1.PodLogOptions{SinceTime: &since})
	if err != nil || !written.IsZero() {
		return written, err
	}
	return lineTime(ctx, client, pod, &corev1.PodLogOptions{TailLines: ptr.To(int64(1))})
}

// lineTime is the time of the first line of a log, the zero time for none. No
// more of it is read.
func lineTime(ctx context.Context, client *cluster.Client, pod podName, options *corev1.PodLogOptions) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	options.Container, options.Timestamps, options.LimitBytes = pod.container, true, ptr.To(int64(lineLimit))
	stream, err := client.Kubernetes.CoreV1().Pods(pod.namespace).GetLogs(pod.pod, options).Stream(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read logs of pod/%s: %w", pod.pod, err)
	}
	defer func() { _ = stream.Close() }() // nothing was written
	start, err := io.ReadAll(io.LimitReader(stream, lineLimit))
	if err != nil {
		return time.Time{}, fmt.Errorf("read logs of pod/%s: %w", pod.pod, err)
	}
	if len(start) == 0 {
		return time.Time{}, nil
	}
	first, _, _ := strings.Cut(string(start), " ")
	written, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(first))
	if err != nil {
		return time.Time{}, fmt.Errorf("read logs of pod/%s: a line of it has no time", pod.pod) // the line may hold a secret
	}
	return written.UTC(), nil
}
