package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// StartDeadline is how long a pod may take to say that it works: an image
	// of 25 MB is pulled in seconds, and a pod that can't start says so before.
	StartDeadline = time.Minute
	// lookEvery is the time between two looks at a pod that starts.
	lookEvery = 500 * time.Millisecond
	// removeWithin bounds the clean-up after the context was cancelled.
	removeWithin = 10 * time.Second
)

// StartError says why a Job did not come to work. What was created for it was
// taken away again.
type StartError struct {
	// Job is its name.
	Job    string
	Reason string
	Remedy string
	// Code is the exit code that the pod itself gave as its result, 1 when it
	// gave none.
	Code int
}

// Error names the Job and the reason.
func (e *StartError) Error() string { return fmt.Sprintf("start job/%s: %s", e.Job, e.Reason) }

// Hint is what to do about it.
func (e *StartError) Hint() string { return e.Remedy }

// ExitStatus is the exit code that fits: the pod's own result, never 0.
func (e *StartError) ExitStatus() int { return max(e.Code, 1) }

// Launcher creates Jobs and sees them start.
type Launcher struct {
	Client *cluster.Client
	Clock  clock.Clock
	// Tell is told what is waited for whenever that changes; nil tells nobody.
	Tell func(message string)
}

// Launch creates the objects and returns who works in the pod once begun says
// so, which is asked again and again and names nobody until then. When the pod
// can't start, ends before, or has not begun by StartDeadline, everything is
// taken away again and the error is a *StartError; so it is when ctx is
// cancelled.
func (l *Launcher) Launch(ctx context.Context, objects Objects, begun func(context.Context) (holder string, err error)) (string, error) {
	if err := l.account(ctx, objects); err != nil {
		return "", err
	}
	if err := l.create(ctx, objects); err != nil {
		return "", err
	}
	holder, err := l.await(ctx, objects, begun)
	if err != nil {
		return "", errors.Join(err, l.withdraw(ctx, objects))
	}
	return holder, nil
}

// account refuses a service account that isn't there. Who may not look is told
// by the pod that doesn't come.
func (l *Launcher) account(ctx context.Context, objects Objects) error {
	called := objects.Job.Spec.Template.Spec.ServiceAccountName
	_, err := l.Client.Kubernetes.CoreV1().ServiceAccounts(objects.Job.Namespace).Get(ctx, called, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return &StartError{Job: objects.Job.Name, Code: 1, Reason: fmt.Sprintf("there is no service account %s in namespace %s", called, objects.Job.Namespace), Remedy: remedyAccount}
	case err != nil && !apierrors.IsForbidden(err):
		return fmt.Errorf("read service account %s: %w", called, err)
	}
	return nil
}

// create makes the Job and then its ConfigMap, which goes when the Job does and
// which the pod waits for. What was made before an error is taken away again.
func (l *Launcher) create(ctx context.Context, objects Objects) error {
	options := metav1.CreateOptions{FieldManager: cluster.FieldManager}
	created, err := l.Client.Kubernetes.BatchV1().Jobs(objects.Job.Namespace).Create(ctx, objects.Job, options)
	if err != nil {
		return fmt.Errorf("create job/%s: %w", objects.Job.Name, err)
	}
	config := objects.Config.DeepCopy()
	config.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: created.Name, UID: created.UID}}
	if _, err := l.Client.Kubernetes.CoreV1().ConfigMaps(config.Namespace).Create(ctx, config, options); err != nil {
		return errors.Join(fmt.Errorf("create configmap/%s: %w", config.Name, err), l.withdraw(ctx, Objects{Job: objects.Job}))
	}
	return nil
}

// await looks at the pod until it works.
func (l *Launcher) await(ctx context.Context, objects Objects, begun func(context.Context) (string, error)) (string, error) {
	started := l.Clock.Now()
	waiting := ""
	for {
		holder, err := begun(ctx)
		if holder != "" {
			return holder, nil
		}
		if err != nil && !cluster.Transient(err) {
			return "", err
		}
		state, err := l.look(ctx, objects)
		if err != nil && !cluster.Transient(err) && !apierrors.IsForbidden(err) {
			return "", err
		}
		if err != nil {
			state = progress{doing: "its pod can't be seen: " + err.Error()}
		}
		if state.stuck != nil {
			// It may have begun, and even ended, between the two looks.
			if holder, err := begun(ctx); holder != "" && err == nil {
				return holder, nil
			}
			return "", state.stuck
		}
		if state.doing != waiting && l.Tell != nil {
			l.Tell(state.doing)
		}
		waiting = state.doing
		if l.Clock.Since(started) >= StartDeadline {
			return "", &StartError{Job: objects.Job.Name, Code: 1, Reason: fmt.Sprintf("it did not work within %s: %s", StartDeadline, waiting),
				Remedy: fmt.Sprintf("see what keeps pods from starting there: kubectl -n %s get events", objects.Job.Namespace)}
		}
		select {
		case <-ctx.Done():
			return l.lastLook(ctx, begun)
		case <-l.Clock.After(lookEvery):
		}
	}
}

// lastLook leaves a Job alone that has begun just before ctx was cancelled.
func (l *Launcher) lastLook(ctx context.Context, begun func(context.Context) (string, error)) (string, error) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	if holder, err := begun(last); err == nil && holder != "" {
		return holder, nil
	}
	return "", context.Cause(ctx)
}

// look reads the newest pod of the Job, and where there is none, why.
func (l *Launcher) look(ctx context.Context, objects Objects) (progress, error) {
	selector := labels.SelectorFromSet(labels.Set{LabelJob: objects.Job.Name})
	pods, err := l.Client.Pods(ctx, objects.Job.Namespace, selector)
	if err != nil {
		return progress{}, err
	}
	if len(pods) > 0 {
		newest := slices.MaxFunc(pods, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		return ofPod(objects.Job, newest), nil
	}
	events, err := l.Client.Kubernetes.CoreV1().Events(objects.Job.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": "Job", "involvedObject.name": objects.Job.Name}.String(), Limit: 100,
	})
	if err != nil {
		return progress{}, err
	}
	return ofEvents(objects.Job, events.Items), nil
}

// Remove takes away what was created for a Job, its pods with it. What isn't
// there any more is no error.
func (l *Launcher) Remove(ctx context.Context, objects Objects) error {
	var failures []error
	remains := func(what, namespace, name string, err error) {
		if err != nil && !apierrors.IsNotFound(err) {
			failures = append(failures, release.WithHint(fmt.Errorf("delete %s/%s: %w", what, name, err), fmt.Sprintf("kubectl -n %s delete %s/%s", namespace, what, name)))
		}
	}
	if object := objects.Job; object != nil {
		remains("job", object.Namespace, object.Name, l.Client.Kubernetes.BatchV1().Jobs(object.Namespace).Delete(ctx, object.Name,
			metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}))
	}
	if object := objects.Config; object != nil {
		remains("configmap", object.Namespace, object.Name, l.Client.Kubernetes.CoreV1().ConfigMaps(object.Namespace).Delete(ctx, object.Name, metav1.DeleteOptions{}))
	}
	return errors.Join(failures...)
}

// withdraw is Remove where something has failed, the context perhaps too.
func (l *Launcher) withdraw(ctx context.Context, objects Objects) error {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	return l.Remove(clean, objects)
}
