package measure

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestProbeHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			_, _ = fmt.Fprint(w, `{"status":"ok"}`)
		case "/order":
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, "%s %s %s q=%s", r.Method, r.Header.Get("X-Test"), body, r.URL.Query().Get("q"))
		case "/slow":
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		probe   release.HTTPProbe
		ok      bool
		status  string
		message string
	}{
		{"healthy", release.HTTPProbe{Path: "/health", Contains: `"ok"`}, true, "200", "GET /health of pod green-1, port 8080: status 200 in"},
		{"a transaction", release.HTTPProbe{Method: "POST", Path: "/order?q=1", Headers: map[string]string{"X-Test": "yes"}, Body: "one", Status: 201, Contains: "POST yes one q=1"}, true, "201", "status 201"},
		{"unhealthy", release.HTTPProbe{Path: "/broken"}, false, "503", "status 503, expected 2xx"},
		{"another status", release.HTTPProbe{Path: "/health", Status: 204}, false, "200", "status 200, expected 204"},
		{"another answer", release.HTTPProbe{Path: "/health", Contains: "ready"}, false, "200", `doesn't contain "ready"`},
		{"slow", release.HTTPProbe{Path: "/slow"}, false, "", "no answer in time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience(test.name))
			defer cancel()
			got := probeHTTP(ctx, redirected{address.Host}, "green-1", 8080, test.probe)
			if got.OK != test.ok || got.Status != test.status || !strings.Contains(got.Message, test.message) {
				t.Errorf("%+v", got)
			}
		})
	}
	server.Close()
	if got := probeHTTP(t.Context(), redirected{address.Host}, "green-1", 8080, release.HTTPProbe{Path: "/health"}); got.OK || !strings.Contains(got.Message, "connection refused") {
		t.Errorf("stopped: %+v", got)
	}
}

// TestProbeHTTPWithAHeaderFromASecret goes the whole way, through the pod proxy
// of an API server: the pod gets the value, and nothing that is said holds it.
func TestProbeHTTPWithAHeaderFromASecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces/shop/pods/green-1:8080/proxy/order" || r.Header.Get("X-Api-Key") != "planted" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "shop-probe", Namespace: "shop"}, Data: map[string][]byte{"key": []byte("planted"), "old": []byte("planted before")}}
	client := &cluster.Client{Config: &rest.Config{Host: server.URL}, Kubernetes: fake.NewClientset(secret)}
	for key, want := range map[string]struct {
		ok   bool
		says string
	}{
		"key":  {true, "POST /order of pod green-1, port 8080: status 200"},
		"old":  {false, "POST /order of pod green-1, port 8080: status 403"},
		"gone": {false, "probe pod green-1: make header X-Api-Key of a probe: read secret shop/shop-probe: it has no key gone"},
	} {
		probe := release.HTTPProbe{Method: http.MethodPost, Path: "/order", Port: 8080, HeadersFrom: map[string]release.SecretSource{
			"X-Api-Key": {SecretKeyRef: &release.SecretKeyReference{Name: "shop-probe", Key: key}},
		}}
		got := ProbeHTTP(t.Context(), client, "shop", "green-1", probe)
		if got.OK != want.ok || !strings.HasPrefix(got.Message, want.says) || strings.Contains(fmt.Sprintf("%+v", got), "planted") {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

// TestAnAnswerThatBreaksOffIsNotQuoted: net/http quotes a trailer that is none.
func TestAnAnswerThatBreaksOffIsNotQuoted(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // an answer before it is asked for is none
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nup 1\n\r\n0\r\nplanted words\r\n\r\n")
			_ = conn.Close()
		}
	}()
	transport := redirected{listener.Addr().String()}
	got := probeHTTP(t.Context(), transport, "green-1", 8080, release.HTTPProbe{Path: "/health"})
	if want := "GET /health of pod green-1, port 8080: the answer broke off: it can't be asked: malformed MIME header"; !strings.HasPrefix(got.Message, want) || strings.Contains(got.Message, "planted") {
		t.Errorf("a probe: %+v", got)
	}
	if _, err := readExporterPage(t.Context(), transport); err == nil || !strings.Contains(err.Error(), "malformed MIME header") || strings.Contains(err.Error(), "planted") {
		t.Errorf("an exporter: %v", err)
	}
}

// talkative is a health service that answers with words of its own.
type talkative struct {
	healthv1.UnimplementedHealthServer
}

func (talkative) Check(context.Context, *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	return nil, status.Error(codes.PermissionDenied, "no, says planted")
}

// TestProbeGRPCQuotesNothing: of an error that a pod answers with, the code alone
// is told.
func TestProbeGRPCQuotesNothing(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, talkative{})
	go func() { _ = server.Serve(listener) }() // ends with Stop
	defer server.Stop()
	got := probeGRPC(t.Context(), func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	}, "green-1", release.GRPCProbe{Service: "orders", Port: 9090})
	if want := `health of service "orders" of pod green-1, port 9090: PermissionDenied`; got.OK || got.Message != want || got.Status != "PermissionDenied" {
		t.Errorf("%+v, want %s", got, want)
	}
}

func TestProbeGRPC(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	checks := health.NewServer()
	checks.SetServingStatus("orders", healthv1.HealthCheckResponse_SERVING)
	checks.SetServingStatus("broken", healthv1.HealthCheckResponse_NOT_SERVING)
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, checks)
	go func() { _ = server.Serve(listener) }() // ends with Stop
	defer server.Stop()
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	}
	for _, test := range []struct {
		service string
		ok      bool
		status  string
	}{{"orders", true, "SERVING"}, {"", true, "SERVING"}, {"broken", false, "NOT_SERVING"}, {"unknown", false, "NotFound"}} {
		got := probeGRPC(t.Context(), dial, "green-1", release.GRPCProbe{Service: test.service, Port: 9090})
		if got.OK != test.ok || got.Status != test.status {
			t.Errorf("%q: %+v", test.service, got)
		}
	}
	server.Stop()
	if got := probeGRPC(t.Context(), dial, "green-1", release.GRPCProbe{Port: 9090}); got.OK || !strings.Contains(got.Message, "connection refused") {
		t.Errorf("stopped: %+v", got)
	}
}
