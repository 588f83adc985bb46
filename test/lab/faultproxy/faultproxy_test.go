package faultproxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start puts a proxy before a server that says "real".
func start(t *testing.T) *Proxy {
	t.Helper()
	real := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(response, "real")
	}))
	t.Cleanup(real.Close)
	target, err := url.Parse(real.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := New("127.0.0.1:0", target)
	set(t, proxy, Pass)
	t.Cleanup(func() { set(t, proxy, Refuse) })
	return proxy
}

// set changes the mode through the control endpoint.
func set(t *testing.T, proxy *Proxy, mode Mode) {
	t.Helper()
	response := httptest.NewRecorder()
	proxy.Control().ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/mode/"+string(mode), nil))
	if response.Code != http.StatusOK {
		t.Fatalf("set mode %s: %d %s", mode, response.Code, response.Body)
	}
}

// ask sends a query and returns the answer.
func ask(ctx context.Context, proxy *Proxy) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+proxy.Address()+"/api/v1/query?query=up", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestModes(t *testing.T) {
	proxy := start(t)
	for _, test := range []struct {
		mode Mode
		want string
	}{
		{Pass, "real"},
		{Empty, `"result":[]`},
		{Nonsense, "<html>"},
		{Pass, "real"},
	} {
		set(t, proxy, test.mode)
		answer, err := ask(t.Context(), proxy)
		if err != nil || !strings.Contains(answer, test.want) {
			t.Errorf("%s: got %q, %v, want %q", test.mode, answer, err, test.want)
		}
	}
}

func TestSlowOutlastsAnImpatientClient(t *testing.T) {
	proxy := start(t)
	set(t, proxy, Slow)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if answer, err := ask(ctx, proxy); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %q, %v, want %v", answer, err, context.DeadlineExceeded)
	}
	proxy.Delay = time.Millisecond
	if answer, err := ask(t.Context(), proxy); err != nil || answer != "real" {
		t.Errorf("got %q, %v, want the real answer", answer, err)
	}
}

func TestRefuseIsAClosedPortAndComesBack(t *testing.T) {
	proxy := start(t)
	set(t, proxy, Refuse)
	if _, err := ask(t.Context(), proxy); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want %v", err, syscall.ECONNREFUSED)
	}
	set(t, proxy, Pass)
	if answer, err := ask(t.Context(), proxy); err != nil || answer != "real" {
		t.Errorf("got %q, %v, want the real answer", answer, err)
	}
}

func TestAnUnknownModeIsRefused(t *testing.T) {
	proxy := start(t)
	if err := proxy.Set(t.Context(), "broken"); err == nil {
		t.Error("took a mode that there isn't")
	}
	if proxy.Mode() != Pass {
		t.Errorf("mode is %s, want %s", proxy.Mode(), Pass)
	}
}
