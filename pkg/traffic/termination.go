package traffic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Termination says whether pods end gracefully: whether a client that keeps
// its connection to one is told to leave before the connection is closed. It
// holds for pods of the same image and configuration.
type Termination struct {
	Graceful bool `json:"graceful"`
	// Message is one sentence with the counts, or why it isn't proven.
	Message string `json:"message"`
	// Image is the image of the workload's first container.
	Image string `json:"image"`
	// ConfigHash is the SHA-256 of the pod template, in hexadecimal.
	ConfigHash string `json:"configHash"`
	// Took is the time from the pod's creation to the verdict.
	Took time.Duration `json:"took"`
}

// The times of a trial.
const (
	// trialLeash is how long the spare pod may run if nobody removes it.
	trialLeash = 5 * time.Minute
	// trialReady bounds the wait for its readiness.
	trialReady = 2 * time.Minute
	// trialPoll is the time between two looks at it.
	trialPoll = 500 * time.Millisecond
	// trialInterval is the time between two requests: well under the idle
	// timeouts of servers, so that only the termination can end the
	// connection.
	trialInterval = 150 * time.Millisecond
	// trialAnswer bounds one request when the probe has no timeout.
	trialAnswer = 5 * time.Second
	// trialCleanup bounds the removal of the spare pod.
	trialCleanup = 30 * time.Second
)

// ProveTermination finds out whether a workload's pods end gracefully,
// without touching a pod that has users. It makes one spare pod of the
// workload's template, with labels that no Service, ReplicaSet or
// PodDisruptionBudget of the workload matches, waits until it is ready, and
// keeps one connection to it on which it requests the probe's path. Then it
// deletes the pod with the pod's own grace period and goes on asking. The
// termination is graceful if the pod answered on after the deletion, no
// request failed, and an answer carried `Connection: close` before the
// connection ended.
//
// Pods with init containers are not tried: a migration must not run because
// of a trial. A trial that can't be made (no right to create pods, quota, a pod that does
// not become ready) proves nothing and says why in Message; an error is only
// returned when ctx ends. The spare pod is removed in every case.
func ProveTermination(ctx context.Context, client *cluster.Client, namespace string, workload *cluster.Workload, probe release.HTTPProbe, clock clock.Clock) (Termination, error) {
	probe, err := client.CompleteProbe(ctx, namespace, probe)
	if err != nil && ctx.Err() == nil {
		return Termination{Message: fmt.Sprintf("graceful termination of %s is not proven: %s", workload.Ref, cluster.Explain(err))}, nil
	}
	trial := &terminationTrial{
		pods: client.Kubernetes.CoreV1().Pods(namespace),
		dial: func(ctx context.Context, pod string, port int) (net.Conn, error) {
			return client.DialPod(ctx, namespace, pod, port)
		},
		clock:    clock,
		probe:    probe,
		ready:    trialReady,
		poll:     trialPoll,
		interval: trialInterval,
	}
	return trial.run(ctx, namespace, workload)
}

// terminationTrial is one trial of ProveTermination.
type terminationTrial struct {
	pods  typedcorev1.PodInterface
	dial  func(ctx context.Context, pod string, port int) (net.Conn, error)
	clock clock.Clock
	probe release.HTTPProbe

	ready, poll, interval time.Duration
}

// run makes the trial and turns what stood in its way into a reason.
func (t *terminationTrial) run(ctx context.Context, namespace string, workload *cluster.Workload) (Termination, error) {
	started := t.clock.Now()
	termination := Termination{Image: firstImage(workload.Template.Spec), ConfigHash: workload.TemplateHash()}
	if len(workload.Template.Spec.InitContainers) > 0 {
		termination.Message = fmt.Sprintf("graceful termination of %s is not proven: a spare pod would run its init containers again", workload.Ref)
		return termination, nil
	}
	message, err := t.try(ctx, sparePod(namespace, workload))
	termination.Took = t.clock.Since(started)
	if ctx.Err() != nil {
		return termination, fmt.Errorf("prove graceful termination of %s: %w", workload.Ref, context.Cause(ctx))
	}
	if err != nil {
		termination.Message = fmt.Sprintf("graceful termination of %s is not proven: %s", workload.Ref, cluster.Explain(err))
		return termination, nil
	}
	termination.Graceful = true
	termination.Message = fmt.Sprintf("pods of %s end gracefully: %s", workload.Ref, message)
	return termination, nil
}

// try makes the spare pod, talks to it through its end, and removes it. It
// returns the proof in words, or the reason why there is none.
func (t *terminationTrial) try(ctx context.Context, spare *corev1.Pod) (message string, err error) {
	port := cmp.Or(t.probe.Port, cluster.ServingPort(spare.Spec))
	if port == 0 {
		return "", errors.New("neither the probe nor the pod template names a port")
	}
	var uid types.UID
	gone := false // or on its way
	defer func() {
		if !gone {
			err = errors.Join(err, t.remove(ctx, spare.Name, uid))
		}
	}()
	made, err := t.pods.Create(ctx, spare, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	if err != nil {
		// A refusal made nothing; an answer that was lost may have.
		gone = ctx.Err() == nil && !cluster.Transient(err)
		return "", err
	}
	uid = made.UID
	if err := t.awaitReady(ctx, spare.Name); err != nil {
		return "", err
	}
	conn, err := t.dial(ctx, spare.Name, port)
	if err != nil {
		return "", err
	}
	talk := newConversation(conn, t.probe)
	defer talk.close()
	if err := t.talkBefore(ctx, talk); err != nil {
		return "", err
	}
	if err := t.pods.Delete(ctx, spare.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(uid))}); err != nil {
		return "", err
	}
	gone = true
	return t.talkAfter(ctx, talk, gracePeriod(spare.Spec))
}

// requestsBefore is how many requests must succeed before the deletion, so
// that a later failure can only be the termination's.
const requestsBefore = 3

// talkBefore makes sure that the connection works and is kept.
func (t *terminationTrial) talkBefore(ctx context.Context, talk *conversation) error {
	for range requestsBefore {
		answer, err := talk.ask(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("%s did not answer: %w", talk.subject(), err)
		case !answer.good:
			return fmt.Errorf("%s answered %s before anything was deleted", talk.subject(), answer.status)
		case answer.closes:
			return errors.New("its server keeps no connection, so there is none to lose")
		}
		if err := pause(ctx, t.clock, t.interval); err != nil {
			return err
		}
	}
	return nil
}

// talkAfter goes on asking after the deletion, until the server says that it
// closes the connection, or does so without a word.
func (t *terminationTrial) talkAfter(ctx context.Context, talk *conversation, grace time.Duration) (string, error) {
	deleted := t.clock.Now()
	for answered := 0; ; answered++ {
		answer, err := talk.ask(ctx)
		since := t.clock.Since(deleted).Round(time.Millisecond)
		switch {
		case err != nil:
			return "", fmt.Errorf("after the deletion it answered %d requests, then %s later the connection ended without `Connection: close`, and one request was lost (%w)", answered, since, err)
		case !answer.good:
			return "", fmt.Errorf("%s later, while it ended, %s answered %s", since, talk.subject(), answer.status)
		case answer.closes:
			return fmt.Sprintf("after the deletion a spare pod answered %d requests on the connection that it had, the last with `Connection: close`, and lost none", answered+1), nil
		case since > grace:
			return "", fmt.Errorf("%s after the deletion it still answered, and never said `Connection: close`", since)
		}
		if err := pause(ctx, t.clock, t.interval); err != nil {
			return "", err
		}
	}
}

// awaitReady waits for the spare pod, within its deadline.
func (t *terminationTrial) awaitReady(ctx context.Context, name string) error {
	started := t.clock.Now()
	for {
		pod, err := t.pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		readiness := cluster.PodReadiness(pod)
		switch {
		case readiness.Successful:
			return nil
		case readiness.Done:
			return errors.New("the spare " + readiness.Message)
		case t.clock.Since(started) >= t.ready:
			return fmt.Errorf("after %s the spare %s", t.ready, readiness.Message)
		}
		if err := pause(ctx, t.clock, t.poll); err != nil {
			return err
		}
	}
}

// remove deletes the spare pod, even when ctx has ended. It may never have
// been made, or not be known to have been: its name is its own either way.
func (t *terminationTrial) remove(ctx context.Context, name string, uid types.UID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), trialCleanup)
	defer cancel()
	options := metav1.DeleteOptions{}
	if uid != "" {
		options.Preconditions = metav1.NewUIDPreconditions(string(uid))
	}
	err := t.pods.Delete(ctx, name, options)
	if err == nil || uid == "" || isGone(err) {
		return nil
	}
	return fmt.Errorf("spare pod %s could not be removed, and ends by itself within %s: %w", name, trialLeash, err)
}

func firstImage(spec corev1.PodSpec) string {
	if len(spec.Containers) == 0 {
		return ""
	}
	return spec.Containers[0].Image
}

// pause waits on the clock, or until ctx ends.
func pause(ctx context.Context, clock clock.Clock, wait time.Duration) error {
	timer := clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
