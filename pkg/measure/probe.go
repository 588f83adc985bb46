package measure

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// probeTimeout bounds a probe that has no timeout of its own.
	probeTimeout = 10 * time.Second
	// answerLimit bounds what is read of an answer.
	answerLimit = 1 << 20
)

// ProbeResult is what one probe of one pod came to.
type ProbeResult struct {
	OK bool `json:"ok"`
	// Status is the HTTP status or the gRPC health status, "" where there
	// was no answer.
	Status string        `json:"status,omitempty"`
	Took   time.Duration `json:"took"`
	// Message is one sentence: what was asked, and what was wrong.
	Message string `json:"message"`
	// Err is why there was no answer, nil where there was one: the API server
	// may have refused to ask.
	Err error `json:"-"`
}

// ProbeHTTP asks one pod for what an HTTP probe says, past every router. A
// probe without a port goes to the pod's cluster.ServingPort.
func ProbeHTTP(ctx context.Context, client *cluster.Client, namespace, pod string, probe release.HTTPProbe) ProbeResult {
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(probe.Timeout))
	defer cancel()
	probe, err := client.CompleteProbe(ctx, namespace, probe)
	if err != nil {
		return ProbeResult{Err: err, Message: fmt.Sprintf("probe pod %s: %v", pod, err)}
	}
	port := probe.Port
	if port == 0 {
		found, err := client.Kubernetes.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return ProbeResult{Err: err, Message: fmt.Sprintf("probe %s of pod %s: %v", probe.Path, pod, err)}
		}
		if port = cluster.ServingPort(found.Spec); port == 0 {
			return ProbeResult{Message: fmt.Sprintf("probe %s of pod %s: the pod declares no port; name one in the probe", probe.Path, pod)}
		}
	}
	return probeHTTP(ctx, client.PodTransport(namespace, pod, port), pod, port, probe)
}

// probeHTTP sends the request over a transport and judges the answer.
func probeHTTP(ctx context.Context, transport http.RoundTripper, pod string, port int, probe release.HTTPProbe) ProbeResult {
	method := probe.Method
	if method == "" {
		method = http.MethodGet
	}
	asked := fmt.Sprintf("%s %s of pod %s, port %d", method, probe.Path, pod, port)
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://%s:%d/%s", pod, port, strings.TrimPrefix(probe.Path, "/")), strings.NewReader(probe.Body))
	if err != nil {
		return ProbeResult{Message: asked + ": the request can't be made: " + err.Error()}
	}
	for name, value := range probe.Headers {
		request.Header.Set(name, value)
	}
	start := time.Now()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return ProbeResult{Took: time.Since(start), Err: err, Message: asked + ": " + plainError(ctx, err).Error()}
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	result := ProbeResult{Status: fmt.Sprint(response.StatusCode), Took: time.Since(start)}
	switch {
	case err != nil:
		result.Message = asked + ": the answer broke off: " + plainError(ctx, cluster.Unquoted(err)).Error()
	case probe.Status != 0 && response.StatusCode != probe.Status:
		result.Message = fmt.Sprintf("%s: status %d, expected %d", asked, response.StatusCode, probe.Status)
	case probe.Status == 0 && (response.StatusCode < 200 || response.StatusCode > 299):
		result.Message = fmt.Sprintf("%s: status %d, expected 2xx", asked, response.StatusCode)
	case !strings.Contains(string(body), probe.Contains):
		result.Message = fmt.Sprintf("%s: status %d, but the answer doesn't contain %q", asked, response.StatusCode, probe.Contains)
	default:
		result.OK = true
		result.Message = fmt.Sprintf("%s: status %d in %s", asked, response.StatusCode, result.Took.Round(time.Millisecond))
	}
	return result
}

// ProbeGRPC calls grpc.health.v1.Health/Check of one pod, past every router.
func ProbeGRPC(ctx context.Context, client *cluster.Client, namespace, pod string, probe release.GRPCProbe) ProbeResult {
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(probe.Timeout))
	defer cancel()
	return probeGRPC(ctx, func(ctx context.Context) (net.Conn, error) {
		return client.DialPod(ctx, namespace, pod, probe.Port)
	}, pod, probe)
}

// probeGRPC asks over a connection that dial opens.
func probeGRPC(ctx context.Context, dial func(context.Context) (net.Conn, error), pod string, probe release.GRPCProbe) ProbeResult {
	asked := fmt.Sprintf("health of service %q of pod %s, port %d", probe.Service, pod, probe.Port)
	// The scheme keeps grpc from looking the pod's name up.
	var refusal atomic.Pointer[error] // grpc keeps only the words of it
	connection, err := grpc.NewClient("passthrough:///"+pod,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			dialed, err := dial(ctx)
			refusal.Store(&err)
			return dialed, err
		}))
	if err != nil {
		return ProbeResult{Message: asked + ": " + err.Error()}
	}
	defer func() { _ = connection.Close() }() // the answer is what counts
	start := time.Now()
	answer, err := healthv1.NewHealthClient(connection).Check(ctx, &healthv1.HealthCheckRequest{Service: probe.Service})
	took := time.Since(start)
	if err != nil {
		failed := ProbeResult{Took: took, Err: *cmp.Or(refusal.Load(), &err), Status: status.Code(err).String()}
		switch dialed := refusal.Load(); {
		case ctx.Err() != nil:
			failed.Message = asked + ": " + plainError(ctx, err).Error()
		case dialed != nil && *dialed != nil:
			failed.Message = asked + ": " + plainError(ctx, *dialed).Error()
		default:
			// The words of the status are the pod's, and may hold anything.
			failed.Message = asked + ": " + failed.Status
		}
		return failed
	}
	result := ProbeResult{Took: took, Status: answer.GetStatus().String(), OK: answer.GetStatus() == healthv1.HealthCheckResponse_SERVING}
	result.Message = fmt.Sprintf("%s: %s in %s", asked, result.Status, took.Round(time.Millisecond))
	if !result.OK {
		result.Message = fmt.Sprintf("%s: %s, expected SERVING", asked, result.Status)
	}
	return result
}

func timeoutOf(timeout release.Duration) time.Duration {
	if timeout > 0 {
		return timeout.Std()
	}
	return probeTimeout
}
