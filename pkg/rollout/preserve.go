package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/yaml"
)

// preservedLogBytes bounds what is kept of one container's log.
const preservedLogBytes = int64(8 << 20)

// keep writes the logs, events and specs of a colour's pods to
// <artefacts>/<run>/<colour>/ and returns the directory and how many files
// it wrote. What one pod does not give up doesn't keep the others' from being
// written; the errors are joined.
func (r *Runner) keep(ctx context.Context, color string) (string, int, error) {
	directory := filepath.Join(r.Artefacts, r.tenure.Run().ID, color)
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return directory, 0, fmt.Errorf("keep logs of %s: %w", color, err)
	}
	pods, err := r.pods(ctx, color)
	if err != nil {
		return directory, 0, fmt.Errorf("keep logs of %s: %w", color, err)
	}
	var files atomic.Int64
	failures := make([]error, len(pods))
	group := errgroup.Group{}
	group.SetLimit(8)
	for index, pod := range pods {
		group.Go(func() error {
			failures[index] = errors.Join(
				r.keepLogs(ctx, directory, pod, &files),
				r.keepEvents(ctx, directory, pod, &files),
				keepSpec(directory, pod, &files))
			return nil
		})
	}
	_ = group.Wait()
	return directory, int(files.Load()), errors.Join(failures...)
}

// keepLogs keeps the log of every container, and of the container before it
// where it was restarted.
func (r *Runner) keepLogs(ctx context.Context, directory string, pod corev1.Pod, files *atomic.Int64) error {
	var failures []error
	for _, status := range pod.Status.ContainerStatuses {
		for _, previous := range []bool{false, true} {
			if previous && status.RestartCount == 0 {
				continue
			}
			name := fmt.Sprintf("%s.%s.log", pod.Name, status.Name)
			if previous {
				name = fmt.Sprintf("%s.%s.previous.log", pod.Name, status.Name)
			}
			if err := r.keepLog(ctx, filepath.Join(directory, name), pod, status.Name, previous); err != nil {
				failures = append(failures, err)
				continue
			}
			files.Add(1)
		}
	}
	return errors.Join(failures...)
}

// keepLog copies one log into a file.
func (r *Runner) keepLog(ctx context.Context, path string, pod corev1.Pod, container string, previous bool) (err error) {
	limit := preservedLogBytes
	stream, err := r.Client.Kubernetes.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, Timestamps: true, LimitBytes: &limit,
	}).Stream(ctx)
	if err != nil {
		return fmt.Errorf("read log of %s/%s: %w", pod.Name, container, err)
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("keep log of %s/%s: %w", pod.Name, container, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, stream); err != nil {
		return fmt.Errorf("keep log of %s/%s: %w", pod.Name, container, err)
	}
	return nil
}

// keepEvents keeps the events about one pod.
func (r *Runner) keepEvents(ctx context.Context, directory string, pod corev1.Pod, files *atomic.Int64) error {
	events, err := r.Client.Kubernetes.CoreV1().Events(pod.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(pod.UID)).String(), Limit: 500,
	})
	if err != nil {
		return fmt.Errorf("read events of %s: %w", pod.Name, err)
	}
	return writeYAML(filepath.Join(directory, pod.Name+".events.yaml"), events.Items, files)
}

// leftOut stands where a value was that may be a secret.
const leftOut = "(left out)"

// keepSpec keeps one pod's spec and status without the values of its
// environment and its command lines, among which secrets stand.
func keepSpec(directory string, pod corev1.Pod, files *atomic.Int64) error {
	kept := pod.DeepCopy()
	kept.ManagedFields = nil
	for index := range kept.Spec.InitContainers {
		redact(&kept.Spec.InitContainers[index])
	}
	for index := range kept.Spec.Containers {
		redact(&kept.Spec.Containers[index])
	}
	kept.Spec.EphemeralContainers = nil
	delete(kept.Annotations, corev1.LastAppliedConfigAnnotation)
	return writeYAML(filepath.Join(directory, pod.Name+".yaml"), kept, files)
}

// redact leaves out of a container what may be a secret.
func redact(container *corev1.Container) {
	for index := range container.Env {
		if container.Env[index].Value != "" {
			container.Env[index].Value = leftOut
		}
	}
	for _, words := range [][]string{container.Command, container.Args} {
		for index := range words {
			words[index] = leftOut
		}
	}
}

// writeYAML writes one file and counts it.
func writeYAML(path string, value any, files *atomic.Int64) error {
	data, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, data, 0o640); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	files.Add(1)
	return nil
}
