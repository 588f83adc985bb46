package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// server is an API server that proxies and forwards to one application.
type server struct {
	application http.Handler
	// unreachable is the message with which the pod proxy refuses.
	unreachable       string
	proxied, forwards atomic.Int32
	address           string
}

func startServer(t *testing.T, application http.Handler, unreachable string) (*server, *cluster.Client) {
	t.Helper()
	app := httptest.NewServer(application)
	t.Cleanup(app.Close)
	s := &server{application: application, unreachable: unreachable, address: app.Listener.Addr().String()}
	api := httptest.NewServer(s)
	t.Cleanup(api.Close)
	return s, &cluster.Client{Config: &rest.Config{Host: api.URL, BearerToken: "secret"}}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const proxy = "/api/v1/namespaces/shop/pods/shop-1:8080/proxy"
	switch {
	case strings.HasSuffix(r.URL.Path, "/portforward"):
		s.forward(w, r)
	case s.unreachable != "":
		s.proxied.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
			Status: metav1.StatusFailure, Reason: metav1.StatusReasonServiceUnavailable, Code: 503, Message: s.unreachable})
	case strings.HasPrefix(r.URL.Path, proxy) && r.Header.Get("Authorization") == "Bearer secret":
		s.proxied.Add(1)
		r.Header.Del("Authorization")
		r.URL.Path = strings.TrimPrefix(r.URL.Path, proxy)
		s.application.ServeHTTP(w, r)
	default:
		http.Error(w, "unexpected "+r.URL.Path, http.StatusTeapot)
	}
}

// forward answers as an API server older than 1.30: SPDY alone.
func (s *server) forward(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "no WebSocket here", http.StatusBadRequest)
		return
	}
	s.forwards.Add(1)
	w.Header().Set(httpstream.HeaderProtocolVersion, "portforward.k8s.io")
	streams := make(chan httpstream.Stream, 2)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if connection == nil {
		return
	}
	defer func() { _ = connection.Close() }()
	failures, data := <-streams, <-streams
	s.join(failures, data)
}

func (s *server) join(failures, data httpstream.Stream) {
	defer func() { _ = data.Close() }()
	defer func() { _ = failures.Close() }()
	if data.Headers().Get(corev1.PortHeader) != "8080" {
		_, _ = fmt.Fprint(failures, "error forwarding port: dial tcp 10.0.0.1:1: connect: connection refused")
		return
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		_, _ = fmt.Fprint(failures, err)
		return
	}
	go func() { _, _ = io.Copy(conn, data) }()
	_, _ = io.Copy(data, conn)
	_ = conn.Close()
}

func get(t *testing.T, transport http.RoundTripper, path string, headers ...string) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pod"+path, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	if len(headers) == 2 {
		request.Header.Set(headers[0], headers[1])
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// echo answers what it was asked.
func echo(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.URL.RequestURI(), body, r.Header.Get("Authorization"))
	})
}

func TestPodTransportProxies(t *testing.T) {
	server, client := startServer(t, echo(http.StatusOK), "")
	status, body, err := get(t, client.PodTransport("shop", "shop-1", 8080), "/metrics?format=text")
	if err != nil || status != http.StatusOK || body != "/metrics?format=text body " {
		t.Fatalf("%d %q %v", status, body, err)
	}
	if server.forwards.Load() != 0 {
		t.Error("it forwarded a port for nothing")
	}
	// A credential meant for the pod would take the place of ours.
	status, body, err = get(t, client.PodTransport("shop", "shop-1", 8080), "/", "Authorization", "Basic eA==")
	if err != nil || status != http.StatusOK || body != "/ body Basic eA==" || server.forwards.Load() != 1 {
		t.Errorf("with a credential: %d %q %v", status, body, err)
	}
}

func TestPodTransportFallsBack(t *testing.T) {
	server, client := startServer(t, echo(http.StatusOK), "error trying to reach service: dial tcp 10.0.0.1:8080: i/o timeout")
	for range 3 {
		status, body, err := get(t, client.PodTransport("shop", "shop-1", 8080), "/health")
		if err != nil || status != http.StatusOK || body != "/health body " {
			t.Fatalf("%d %q %v", status, body, err)
		}
	}
	if proxied, forwards := server.proxied.Load(), server.forwards.Load(); proxied != 1 || forwards != 1 {
		t.Errorf("%d requests by proxy, %d port-forwards; the way should be remembered and used again", proxied, forwards)
	}
}

func TestPodTransportTellsWhoseRefusalItIs(t *testing.T) {
	server, client := startServer(t, echo(http.StatusServiceUnavailable), "")
	status, body, err := get(t, client.PodTransport("shop", "shop-1", 8080), "/health")
	if err != nil || status != http.StatusServiceUnavailable || body != "/health body " || server.forwards.Load() != 0 {
		t.Errorf("the pod's own 503: %d %q %v", status, body, err)
	}
	server, client = startServer(t, echo(http.StatusOK), "error trying to reach service: dial tcp 10.0.0.1:8080: connect: connection refused")
	_, _, err = get(t, client.PodTransport("shop", "shop-1", 8080), "/health")
	if !apierrors.IsServiceUnavailable(err) || server.forwards.Load() != 0 {
		t.Errorf("a port on which nothing listens: %v", err)
	}
}

func TestDialPod(t *testing.T) {
	_, client := startServer(t, echo(http.StatusOK), "")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := client.DialPod(ctx, "shop", "shop-1", 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	for range 3 {
		if _, err := io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
	}
	if err := conn.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	var failed net.Error
	if _, err := conn.Read(make([]byte, 1)); !errors.As(err, &failed) || !failed.Timeout() {
		t.Errorf("a deadline in the past: err = %v", err)
	}
}

func TestDialPodSaysWhyItEnded(t *testing.T) {
	_, client := startServer(t, echo(http.StatusOK), "")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := client.DialPod(ctx, "shop", "shop-1", 9)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Read(make([]byte, 1))
	if err == nil || err.Error() != "forward a port of pod shop/shop-1:9: connection refused: nothing listens on the port" {
		t.Errorf("err = %v", err)
	}
}
