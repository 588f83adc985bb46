package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// service is the whole program, run in the test's own process.
type service struct {
	url  string
	logs *logs
	stop context.CancelFunc
	// ended gets run's error.
	ended chan error
}

// startService runs the service until the test ends and returns when it is
// ready (or listening at all, where readiness is made to fail).
func startService(t *testing.T, dsn, color string, env map[string]string) *service {
	t.Helper()
	complete := map[string]string{
		"DATABASE_URL": dsn, "VERSION": map[string]string{"blue": "v2.4.0", "green": "v2.5.0"}[color], "COLOR": color,
		"PORT": strconv.Itoa(freePort(t)), "DRAIN_SECONDS": "0.05", "FAULTS_ENABLED": "true",
	}
	maps.Copy(complete, env)
	ctx, stop := context.WithCancel(context.Background())
	s := &service{url: "http://127.0.0.1:" + complete["PORT"], logs: &logs{}, stop: stop, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ended <- run(ctx, func(name string) string { return complete[name] }, s.logs)
	}()
	t.Cleanup(func() { stop(); <-done })
	await(t, s.logs, func() bool {
		response, err := http.Get(s.url + "/ready")
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && (response.StatusCode == http.StatusOK || complete["FAULT_NOT_READY"] == "true")
	})
	return s
}

// answer is a response that was read whole.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (s *service) send(t *testing.T, method, path, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (s *service) get(t *testing.T, path string) answer {
	t.Helper()
	return s.send(t, http.MethodGet, path, "")
}

// setFaults posts the switches, which must be taken.
func (s *service) setFaults(t *testing.T, document string) {
	t.Helper()
	if got := s.send(t, http.MethodPost, "/faults", document); got.code != http.StatusOK {
		t.Fatalf("POST /faults answered %d: %s", got.code, got.body)
	}
}

// metric returns the value of a series as /metrics prints it, "" if absent.
func (s *service) metric(t *testing.T, series string) string {
	t.Helper()
	for line := range strings.Lines(s.get(t, "/metrics").body) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), series+" "); found {
			return value
		}
	}
	return ""
}

// logs collects the service's lines; it is safe for concurrent use.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines parses every line; all of them must be JSON.
func (l *logs) lines(t *testing.T) []map[string]any {
	t.Helper()
	var parsed []map[string]any
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		parsed = append(parsed, fields)
	}
	return parsed
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// await polls for a state that must come; its deadline is a hang guard.
func await(t *testing.T, context fmt.Stringer, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatalf("the awaited state did not come:\n%s", context)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
