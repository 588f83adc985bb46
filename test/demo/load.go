package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

const (
	// clientsPod is the name of the pod that sends the load.
	clientsPod = "clients"
	// keepAliveClients and freshClients are how many there are of each kind.
	keepAliveClients, freshClients = 10, 10
	// productionPath is what they ask for: a read of the database.
	productionPath = "/recommendations?user=anna"
	// longest bounds the load, should nobody end it.
	longest = 20 * time.Minute
	// patience bounds waits for what takes seconds.
	patience = 3 * time.Minute
)

// load is the constant load on production and what came of it.
type load struct {
	mu       sync.Mutex
	seen     timeline
	failure  error
	finished bool
	// changed is closed, and made anew, with every second that was seen.
	changed chan struct{}
}

// startLoad starts the clients as a pod beside the service, so that they
// reach it like any other program of the cluster, and follows their log.
func startLoad(ctx context.Context, client kubernetes.Interface, namespace string, rate int) (*load, error) {
	pod := clientsManifest(namespace, rate)
	if _, err := client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("start clients: %w", err)
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		found, err := client.CoreV1().Pods(namespace).Get(ctx, clientsPod, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return found.Status.Phase != corev1.PodPending, nil
	})
	if err != nil {
		return nil, fmt.Errorf("start clients: %w", err)
	}
	log, err := client.CoreV1().Pods(namespace).GetLogs(clientsPod, &corev1.PodLogOptions{Follow: true}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("follow the clients' log: %w", err)
	}
	l := &load{changed: make(chan struct{})}
	go l.follow(log)
	return l, nil
}

// clientsManifest is the pod of the clients.
func clientsManifest(namespace string, rate int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: clientsPod, Namespace: namespace, Labels: map[string]string{"app": clientsPod}},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			TerminationGracePeriodSeconds: ptr.To(int64(1)),
			AutomountServiceAccountToken:  ptr.To(false),
			Containers: []corev1.Container{{
				Name: clientsPod, Image: clientsImage, ImagePullPolicy: corev1.PullIfNotPresent,
				Args: []string{
					"-url=http://" + shop.Service + "." + namespace + productionPath,
					fmt.Sprintf("-rate=%d", rate),
					fmt.Sprintf("-keep-alive=%d", keepAliveClients), fmt.Sprintf("-fresh=%d", freshClients),
					"-strict", "-timeout=10s", "-duration=" + longest.String(),
				},
			}},
		},
	}
}

// follow takes in the clients' log until it ends.
func (l *load) follow(log io.ReadCloser) {
	defer func() { _ = log.Close() }()
	lines := bufio.NewScanner(log)
	last := ""
	for lines.Scan() {
		seen, isSecond, err := parseSecond(lines.Text())
		if err != nil {
			l.end(err)
			return
		}
		if isSecond {
			l.add(seen)
		} else {
			last = lines.Text()
		}
	}
	l.end(errors.Join(fmt.Errorf("the clients ended, with %q", last), lines.Err()))
}

func (l *load) add(seen second) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, seen)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *load) end(failure error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure, l.finished = failure, true
	close(l.changed)
}

// settle waits until so many more seconds were seen, and returns how many
// there are.
func (l *load) settle(ctx context.Context, seconds int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l.mu.Lock()
	wanted := len(l.seen) + seconds
	l.mu.Unlock()
	for {
		l.mu.Lock()
		count, changed, finished, failure := len(l.seen), l.changed, l.finished, l.failure
		l.mu.Unlock()
		switch {
		case count >= wanted:
			return count, nil
		case finished:
			return 0, failure
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the clients: %w", context.Cause(ctx))
		case <-changed:
		}
	}
}

// between is what was seen from one count of seconds to another.
func (l *load) between(from, to int) timeline {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(timeline{}, l.seen[from:to]...)
}
