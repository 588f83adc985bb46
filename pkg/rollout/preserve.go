package rollout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/yaml"
)

// preservedLogBytes bounds what is kept of one container's log.
const preservedLogBytes = int64(8 << 20)

// preserved is what was kept of a colour.
type preserved struct {
	directory string
	files     int
	// silenced says whose logs were left out and why, "" where none were.
	silenced string
}

// keep writes the logs, events and specs of a colour's pods to
// <artefacts>/<run>/<colour>/. What one pod does not give up doesn't keep the
// others' from being written; the errors are joined.
func (r *Runner) keep(ctx context.Context, color string) (preserved, error) {
	found := preserved{directory: filepath.Join(r.Artefacts, r.tenure.Run().ID, color)}
	if err := os.MkdirAll(found.directory, 0o750); err != nil {
		return found, fmt.Errorf("keep logs of %s: %w", color, err)
	}
	pods, err := r.pods(ctx, color)
	if err != nil {
		return found, fmt.Errorf("keep logs of %s: %w", color, err)
	}
	keep := keeping{runner: r, directory: found.directory, secrets: r.redaction(ctx, Preserve, pods)}
	failures := make([]error, len(pods))
	group := errgroup.Group{}
	group.SetLimit(8)
	for index, pod := range pods {
		group.Go(func() error {
			failures[index] = errors.Join(keep.logs(ctx, pod), keep.events(ctx, pod), keep.spec(pod))
			return nil
		})
	}
	_ = group.Wait()
	found.silenced = keep.silenced(pods)
	err = errors.Join(append(failures, keep.note(found.silenced))...)
	found.files = int(keep.files.Load())
	return found, err
}

// keeping is what is kept of one colour, without secrets.
type keeping struct {
	runner    *Runner
	directory string
	secrets   redaction
	files     atomic.Int64
}

// silenced says whose logs are left out and why, those of a kind together.
func (k *keeping) silenced(pods []corev1.Pod) string {
	var reasons, groups []string
	names := map[string][]string{}
	for _, pod := range pods {
		if reason := k.secrets.silences(pod.Name); reason != "" {
			names[reason] = append(names[reason], pod.Name)
			if len(names[reason]) == 1 {
				reasons = append(reasons, reason)
			}
		}
	}
	for _, reason := range reasons {
		groups = append(groups, fmt.Sprintf("the logs of %s are left out: %s", strings.Join(names[reason], ", "), reason))
	}
	return strings.Join(groups, "; ")
}

// note leaves word, where the logs would be looked for, of those that are left
// out.
func (k *keeping) note(silenced string) error {
	if silenced == "" {
		return nil
	}
	text := silenced + "\nso no secret could be hidden in them. Of events only what the cluster itself says is kept, and of containers that ended not what they said.\n"
	if err := os.WriteFile(filepath.Join(k.directory, "left-out.txt"), []byte(text), 0o640); err != nil {
		return fmt.Errorf("note what is left out: %w", err)
	}
	return nil
}

// logs keeps the log of every container, those that start the pod too, and of the
// container before it where it was restarted; of a pod that is silenced none.
func (k *keeping) logs(ctx context.Context, pod corev1.Pod) error {
	if k.secrets.silences(pod.Name) != "" {
		return nil
	}
	var failures []error
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.State.Waiting != nil && status.LastTerminationState.Terminated == nil {
			continue // it has never run
		}
		for _, previous := range []bool{false, true} {
			if previous && status.RestartCount == 0 {
				continue
			}
			failures = append(failures, k.log(ctx, pod, status.Name, previous))
		}
	}
	return errors.Join(failures...)
}

// log copies one log into a file, line by line and without secrets.
func (k *keeping) log(ctx context.Context, pod corev1.Pod, container string, previous bool) (err error) {
	name, limit := fmt.Sprintf("%s.%s.log", pod.Name, container), preservedLogBytes
	if previous {
		name = fmt.Sprintf("%s.%s.previous.log", pod.Name, container)
	}
	stream, err := k.runner.Client.Kubernetes.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, Timestamps: true, LimitBytes: &limit,
	}).Stream(ctx)
	if err != nil {
		return fmt.Errorf("read log of %s/%s: %w", pod.Name, container, err)
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	file, err := os.OpenFile(filepath.Join(k.directory, name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("keep log of %s/%s: %w", pod.Name, container, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := k.copy(file, stream); err != nil {
		return fmt.Errorf("keep log of %s/%s: %w", pod.Name, container, err)
	}
	k.files.Add(1)
	return nil
}

// copy copies lines without secrets.
func (k *keeping) copy(to io.Writer, from io.Reader) error {
	return wholeLines(from, preservedLogBytes, func(line string) (more bool, err error) {
		_, err = io.WriteString(to, k.secrets.Redact(line))
		return true, err
	})
}

// events keeps the events about one pod.
func (k *keeping) events(ctx context.Context, pod corev1.Pod) error {
	events, err := k.runner.Client.Kubernetes.CoreV1().Events(pod.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(pod.UID)).String(), Limit: 500,
	})
	if err != nil {
		return fmt.Errorf("read events of %s: %w", pod.Name, err)
	}
	if k.secrets.silences(pod.Name) != "" {
		for index := range events.Items {
			silenceEvent(&events.Items[index])
		}
	}
	return k.yaml(pod.Name+".events.yaml", events.Items)
}

// leftOut stands where a value was that may be a secret.
const leftOut = "(left out)"

// spec keeps one pod's spec and status without the values of its environment,
// its command lines and the headers of its probes, among which secrets stand.
func (k *keeping) spec(pod corev1.Pod) error {
	kept := pod.DeepCopy()
	kept.ManagedFields = nil
	for index := range kept.Spec.InitContainers {
		redact(&kept.Spec.InitContainers[index])
	}
	for index := range kept.Spec.Containers {
		redact(&kept.Spec.Containers[index])
	}
	kept.Spec.EphemeralContainers = nil
	if k.secrets.silences(pod.Name) != "" {
		silenceStatus(&kept.Status)
	}
	delete(kept.Annotations, corev1.LastAppliedConfigAnnotation)
	return k.yaml(pod.Name+".yaml", kept)
}

// redact leaves out of a container what may be a secret.
func redact(container *corev1.Container) {
	for index := range container.Env {
		if container.Env[index].Value != "" {
			container.Env[index].Value = leftOut
		}
	}
	conceal(container.Command)
	conceal(container.Args)
	for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe, container.StartupProbe} {
		if probe != nil {
			redactCalls(probe.Exec, probe.HTTPGet)
		}
	}
	if hooks := container.Lifecycle; hooks != nil {
		for _, hook := range []*corev1.LifecycleHandler{hooks.PostStart, hooks.PreStop} {
			if hook != nil {
				redactCalls(hook.Exec, hook.HTTPGet)
			}
		}
	}
}

// redactCalls leaves the words and the headers out of what a kubelet calls.
func redactCalls(exec *corev1.ExecAction, get *corev1.HTTPGetAction) {
	if exec != nil {
		conceal(exec.Command)
	}
	if get == nil {
		return
	}
	for index := range get.HTTPHeaders {
		get.HTTPHeaders[index].Value = leftOut
	}
}

func conceal(words []string) {
	for index := range words {
		words[index] = leftOut
	}
}

// yaml writes one file, without secrets, and counts it. They are looked for in
// the values, for YAML may break or escape them, and then in the text, for what a
// field is called tells too.
func (k *keeping) yaml(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	data, err := yaml.Marshal(k.redacted(plain))
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(k.directory, name), []byte(k.secrets.Redact(string(data))), 0o640); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	k.files.Add(1)
	return nil
}

// redacted is a value with every string in it without secrets.
func (k *keeping) redacted(value any) any {
	switch value := value.(type) {
	case string:
		return k.secrets.Redact(value)
	case []any:
		for index := range value {
			value[index] = k.redacted(value[index])
		}
	case map[string]any:
		for name := range value {
			value[name] = k.redacted(value[name])
		}
	}
	return value
}
