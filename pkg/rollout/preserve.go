package rollout

import (
	"bufio"
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

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
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
	kept := keeping{runner: r, directory: directory, secrets: r.redactor(ctx, Preserve, pods)}
	failures := make([]error, len(pods))
	group := errgroup.Group{}
	group.SetLimit(8)
	for index, pod := range pods {
		group.Go(func() error {
			failures[index] = errors.Join(kept.logs(ctx, pod), kept.events(ctx, pod), kept.spec(pod))
			return nil
		})
	}
	_ = group.Wait()
	return directory, int(kept.files.Load()), errors.Join(failures...)
}

// keeping is what is kept of one colour, without secrets.
type keeping struct {
	runner    *Runner
	directory string
	secrets   release.Redactor
	files     atomic.Int64
}

// logs keeps the log of every container, and of the container before it where
// it was restarted.
func (k *keeping) logs(ctx context.Context, pod corev1.Pod) error {
	var failures []error
	for _, status := range pod.Status.ContainerStatuses {
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
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if _, failure := io.WriteString(to, k.secrets.Redact(line)); failure != nil {
			return failure
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// events keeps the events about one pod.
func (k *keeping) events(ctx context.Context, pod corev1.Pod) error {
	events, err := k.runner.Client.Kubernetes.CoreV1().Events(pod.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(pod.UID)).String(), Limit: 500,
	})
	if err != nil {
		return fmt.Errorf("read events of %s: %w", pod.Name, err)
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

// yaml writes one file, without secrets, and counts it.
func (k *keeping) yaml(name string, value any) error {
	data, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(k.directory, name), []byte(k.secrets.Redact(string(data))), 0o640); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	k.files.Add(1)
	return nil
}
