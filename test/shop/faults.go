package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// servicePort is where the service listens.
const servicePort = 8080

// FaultsEnabled is the environment in which a colour takes faults while it
// runs.
func FaultsEnabled() map[string]string { return map[string]string{"FAULTS_ENABLED": "true"} }

// Fault sets fault switches, as JSON, on every pod of a colour that runs. It
// is an error when there is none.
func (s *Shop) Fault(ctx context.Context, color, switches string) error {
	pods, err := s.Pods(ctx, color)
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return fmt.Errorf("set faults of %s: it has no pod", color)
	}
	var failures []error
	for _, pod := range pods {
		failures = append(failures, s.FaultPod(ctx, pod, switches))
	}
	return errors.Join(failures...)
}

// FaultPod sets fault switches on one pod.
func (s *Shop) FaultPod(ctx context.Context, pod corev1.Pod, switches string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pod/faults", strings.NewReader(switches))
	if err != nil {
		return fmt.Errorf("set faults of %s: %w", pod.Name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.place.Client.PodTransport(s.Namespace, pod.Name, servicePort).RoundTrip(request)
	if err != nil {
		return fmt.Errorf("set faults of %s: %w", pod.Name, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("set faults of %s: %s: %s", pod.Name, response.Status, text)
	}
	return nil
}
