package interpose

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// service is where the tests write.
const service = "/api/v1/namespaces/shop/services/svc"

// server is an API server that knows one token, and counts.
type server struct {
	mutex    sync.Mutex
	asked    []string
	released chan struct{}
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	s.mutex.Lock()
	s.asked = append(s.asked, request.Method+" "+request.URL.Path+" "+string(body))
	s.mutex.Unlock()
	switch {
	case request.Header.Get("Authorization") != "Bearer its-own":
		http.Error(response, "who are you?", http.StatusUnauthorized)
	case request.Header.Get("Upgrade") != "":
		response.Header().Set("Connection", "Upgrade")
		response.Header().Set("Upgrade", request.Header.Get("Upgrade"))
		response.WriteHeader(http.StatusSwitchingProtocols)
		conn, buffered, err := http.NewResponseController(response).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.Copy(conn, buffered)
	case request.URL.Query().Get("watch") == "true":
		_, _ = io.WriteString(response, "first event\n")
		_ = http.NewResponseController(response).Flush()
		<-s.released
		_, _ = io.WriteString(response, "second event\n")
	default:
		response.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(response, `{"kind":"Service","apiVersion":"v1","metadata":{"name":"svc"}}`)
	}
}

func (s *server) requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string{}, s.asked...)
}

// started is a proxy before a server, and a client that goes through it.
func started(t *testing.T) (*Proxy, *server, *rest.Config) {
	t.Helper()
	behind := &server{released: make(chan struct{})}
	listening := httptest.NewTLSServer(behind)
	t.Cleanup(listening.Close)
	folder := t.TempDir()
	path := filepath.Join(folder, "config")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listening.Certificate().Raw})
	writeConfig(t, path, &api.Cluster{Server: listening.URL, CertificateAuthorityData: authority}, &api.AuthInfo{Token: "its-own"})
	proxy, err := Start(t.Context(), path, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	config, err := clientcmd.BuildConfigFromFlags("", proxy.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if config.Host == listening.URL {
		t.Fatal("the kubeconfig leads past the proxy")
	}
	return proxy, behind, config
}

func writeConfig(t *testing.T, path string, cluster *api.Cluster, user *api.AuthInfo) {
	t.Helper()
	config := api.NewConfig()
	config.Clusters["c"], config.AuthInfos["u"] = cluster, user
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u", Namespace: "shop"}
	config.CurrentContext = "x"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
}

// send sends one request as the client does, and returns what it got.
func send(t *testing.T, config *rest.Config, method, path, body string) (int, string, error) {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, config.Host+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

// What goes through goes through as it is, the login included, and is seen
// twice.
func TestPassesOn(t *testing.T) {
	proxy, behind, config := started(t)
	var seen []string
	proxy.Use(func(_ context.Context, exchange *Exchange) Reaction {
		seen = append(seen, fmt.Sprintf("%s %s %s %d %s wrote %t", exchange.Stage, exchange.Target, exchange.Body, exchange.Status, exchange.Answer, exchange.Wrote()))
		return Pass()
	})
	status, answer, err := send(t, config, http.MethodPatch, service, "change")
	if err != nil || status != http.StatusOK || !strings.Contains(answer, `"svc"`) {
		t.Errorf("got %d %q, %v", status, answer, err)
	}
	if requests := behind.requests(); len(requests) != 1 || requests[0] != "PATCH "+service+" change" {
		t.Errorf("the server got %q", requests)
	}
	want := []string{"arriving patch services/svc change 0  wrote false", "answered patch services/svc change 200 " + answer + " wrote true"}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("the hook saw %q, want %q", seen, want)
	}
	config.BearerToken = "another"
	if status, _, err := send(t, config, http.MethodGet, service, ""); err != nil || status != http.StatusUnauthorized {
		t.Errorf("with a wrong token: %d, %v", status, err)
	}
}

// A hook that is taken away is not asked any more.
func TestRemovedHookIsNotAsked(t *testing.T) {
	proxy, _, config := started(t)
	remove := proxy.Use(func(context.Context, *Exchange) Reaction { return Drop() })
	if _, _, err := send(t, config, http.MethodPatch, service, ""); err == nil {
		t.Error("nothing was dropped")
	}
	remove()
	if status, _, err := send(t, config, http.MethodPatch, service, ""); err != nil || status != http.StatusOK {
		t.Errorf("without the hook: %d, %v", status, err)
	}
}

// What is done to an exchange is seen by the client, and by the server only
// when it was done to the answer.
func TestReactions(t *testing.T) {
	tests := map[string]struct {
		reaction Reaction
		status   int // what the client gets, 0 for a broken connection
		fails    bool
	}{
		"drop":   {Drop(), 0, true},
		"answer": {Answer(http.StatusConflict, "somebody was faster", 0), http.StatusConflict, false},
		"half":   {Half(), http.StatusOK, true},
	}
	for name, test := range tests {
		for _, stage := range []Stage{Arriving, Answered} {
			t.Run(name+" "+string(stage), func(t *testing.T) {
				proxy, behind, config := started(t)
				proxy.Use(func(_ context.Context, exchange *Exchange) Reaction {
					if exchange.Stage == stage {
						return test.reaction
					}
					return Pass()
				})
				status, answer, err := send(t, config, http.MethodPatch, service, "")
				if status != test.status || (err != nil) != test.fails {
					t.Errorf("got %d %q, %v", status, answer, err)
				}
				// Half an answer needs an answer.
				if landed := len(behind.requests()) == 1; landed != (stage == Answered || name == "half") {
					t.Errorf("the server got it: %t", landed)
				}
				if name == "half" && (answer == "" || strings.HasSuffix(answer, "}}")) {
					t.Errorf("half an answer is %q", answer)
				}
			})
		}
	}
}

// A client of Kubernetes takes the answers for the API server's own.
func TestAnswersAreThoseOfAnAPIServer(t *testing.T) {
	proxy, _, config := started(t)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	patch := func() error {
		_, err := client.CoreV1().Services("shop").Patch(t.Context(), "svc", types.JSONPatchType, []byte("[]"), metav1.PatchOptions{})
		return err
	}
	for status, is := range map[int]func(error) bool{
		http.StatusConflict: apierrors.IsConflict, http.StatusInternalServerError: apierrors.IsInternalError, http.StatusForbidden: apierrors.IsForbidden,
	} {
		remove := proxy.Use(func(context.Context, *Exchange) Reaction { return Answer(status, "because", 0) })
		if err := patch(); !is(err) {
			t.Errorf("%d is taken for %v", status, err)
		}
		remove()
	}

	// Who is told to ask again after a second does, and gets through.
	asked := 0
	proxy.Use(func(context.Context, *Exchange) Reaction {
		if asked++; asked == 1 {
			return Answer(http.StatusTooManyRequests, "later", time.Second)
		}
		return Pass()
	})
	if err := patch(); err != nil || asked != 3 {
		t.Errorf("after 429: %v, the hook was asked %d times, want 3", err, asked)
	}
}

// A hook that blocks delays the exchange, and hears when its client has gone.
func TestHookHearsThatTheClientIsGone(t *testing.T) {
	proxy, behind, config := started(t)
	heard := make(chan error, 1)
	proxy.Use(func(ctx context.Context, _ *Exchange) Reaction {
		<-ctx.Done()
		heard <- context.Cause(ctx)
		return Drop()
	})
	config.Timeout = 200 * time.Millisecond
	if _, _, err := send(t, config, http.MethodPatch, service, ""); err == nil {
		t.Error("a blocked exchange was answered")
	}
	if err := <-heard; !errors.Is(err, context.Canceled) {
		t.Errorf("heard %v", err)
	}
	if err := proxy.Quiet(t.Context()); err != nil {
		t.Error(err)
	}
	if requests := behind.requests(); len(requests) != 0 {
		t.Errorf("the server got %q", requests)
	}
}

// An event of a watch is handed on while the watch goes on.
func TestWatchIsAStream(t *testing.T) {
	proxy, behind, config := started(t)
	stages := make(chan Stage, 2)
	proxy.Use(func(_ context.Context, exchange *Exchange) Reaction {
		stages <- exchange.Stage
		return Pass()
	})
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+"/api/v1/pods?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() || lines.Text() != "first event" {
		t.Fatalf("got %q, %v", lines.Text(), lines.Err())
	}
	if first, second := <-stages, <-stages; first != Arriving || second != Answered {
		t.Errorf("the hook was called when %s, %s", first, second)
	}
	close(behind.released)
	if !lines.Scan() || lines.Text() != "second event" {
		t.Errorf("then got %q, %v", lines.Text(), lines.Err())
	}
}

// A port-forward upgrades its connection, by SPDY or by WebSocket.
func TestUpgradesGoThrough(t *testing.T) {
	for _, protocol := range []string{"SPDY/3.1", "websocket"} {
		_, _, config := started(t)
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", strings.TrimPrefix(config.Host, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "POST /api/v1/namespaces/shop/pods/web-1/portforward HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer its-own\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
		reader := bufio.NewReader(conn)
		response, err := http.ReadResponse(reader, nil)
		if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != protocol {
			t.Fatalf("%s: %+v, %v", protocol, response, err)
		}
		fmt.Fprint(conn, "there and back\n")
		if line, err := reader.ReadString('\n'); err != nil || line != "there and back\n" {
			t.Errorf("%s: got %q, %v", protocol, line, err)
		}
	}
}

// An API server that is gone is a broken connection, as it is without a proxy.
func TestUnreachableServerIsABrokenConnection(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "config")
	writeConfig(t, path, &api.Cluster{Server: "https://127.0.0.1:1", InsecureSkipTLSVerify: true}, &api.AuthInfo{Token: "its-own"})
	proxy, err := Start(t.Context(), path, folder)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", proxy.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := send(t, config, http.MethodPatch, service, ""); err == nil {
		t.Errorf("answered with %d", status)
	}
}

// What a proxy can't hand on is refused, and the file that it writes is for
// its owner's eyes.
func TestKubeconfig(t *testing.T) {
	proxy, _, _ := started(t)
	if known, err := os.Stat(proxy.Kubeconfig()); err != nil || known.Mode().Perm() != 0o600 {
		t.Errorf("mode %s, %v", known.Mode(), err)
	}
	path := filepath.Join(t.TempDir(), "config")
	writeConfig(t, path, &api.Cluster{Server: "https://127.0.0.1:1"}, &api.AuthInfo{ClientCertificateData: []byte("c"), ClientKeyData: []byte("k")})
	if _, err := Start(t.Context(), path, t.TempDir()); !errors.Is(err, errCertificate) {
		t.Errorf("a client certificate: %v", err)
	}
	if _, err := Start(t.Context(), path+"-missing", t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing kubeconfig: %v", err)
	}
}

// Quiet waits for what is under way, and for nothing else.
func TestQuiet(t *testing.T) {
	proxy, _, config := started(t)
	if err := proxy.Quiet(t.Context()); err != nil {
		t.Error(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	proxy.Use(func(_ context.Context, exchange *Exchange) Reaction {
		if exchange.Stage == Arriving {
			close(held)
			<-release
		}
		return Pass()
	})
	ended := make(chan error, 1)
	go func() {
		_, _, err := send(t, config, http.MethodPatch, service, "")
		ended <- err
	}()
	<-held
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := proxy.Quiet(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while one is under way: %v", err)
	}
	close(release)
	if err := errors.Join(<-ended, proxy.Quiet(t.Context())); err != nil {
		t.Error(err)
	}
}
