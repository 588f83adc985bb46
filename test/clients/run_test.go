package clients_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

func TestCountsByVersionAndLosesNothingOnAHealthyServer(t *testing.T) {
	server := newServer(t, "v2.4.0")
	run := start(t, clients.Options{URL: server.URL, Rate: 1000, KeepAlive: 5, Fresh: 5, MaxRequests: 503, Strict: true})
	<-run.Done()
	counts := run.Stop()
	if counts.Requests != 503 || counts.Failed != 0 || counts.ByVersion["v2.4.0"] != 503 || len(counts.Failures) != 0 {
		t.Errorf("counts = %+v, want 503 good answers of v2.4.0", counts)
	}
	if got := counts.KeepAlive.Requests + counts.Fresh.Requests; got != 503 {
		t.Errorf("the kinds add up to %d", got)
	}
	if counts.KeepAlive.Connections != 5 {
		t.Errorf("5 keep-alive clients opened %d connections", counts.KeepAlive.Connections)
	}
	if counts.Fresh.Connections != counts.Fresh.Requests {
		t.Errorf("fresh clients opened %d connections for %d requests", counts.Fresh.Connections, counts.Fresh.Requests)
	}
}

// The server closes idle connections while it goes on serving: a client
// that opens another one unasked, or sends its request again, would see no
// failure at all.
func TestCountsRequestsLostToClosedIdleConnections(t *testing.T) {
	server := newServer(t, "v2.4.0")
	run := start(t, clients.Options{URL: server.URL, Rate: 200, KeepAlive: 5})
	awaitRequests(t, run, 50)
	before := run.Counts()
	if before.Failed != 0 {
		t.Fatalf("%d requests failed before anything was closed: %v", before.Failed, before.Failures)
	}
	server.closeIdle(5)
	awaitRequests(t, run, before.Requests+50)
	counts := run.Stop().Since(before)
	if counts.KeepAlive.Failed != 5 || len(counts.Failures) != 5 {
		t.Fatalf("%d requests failed and %d failures are kept: 5 connections were closed", counts.KeepAlive.Failed, len(counts.Failures))
	}
	if counts.KeepAlive.Failed != counts.KeepAlive.Connections {
		t.Errorf("%d requests were lost and %d connections opened anew", counts.KeepAlive.Failed, counts.KeepAlive.Connections)
	}
	for _, f := range counts.Failures {
		if f.Client != clients.KeepAlive || f.Kind != clients.Transport || f.Detail == "" || f.Time.IsZero() {
			t.Errorf("failure = %+v", f)
		}
	}
}

func TestFollowsConnectionCloseWithoutLoss(t *testing.T) {
	server := newServer(t, "v2.4.0")
	run := start(t, clients.Options{URL: server.URL, Rate: 200, KeepAlive: 5, Strict: true})
	awaitRequests(t, run, 50)
	server.farewell.Store(true)
	before := run.Counts()
	awaitRequests(t, run, before.Requests+50)
	counts := run.Stop().Since(before)
	if counts.Failed != 0 {
		t.Errorf("%d requests failed: %v", counts.Failed, counts.Failures)
	}
	if counts.KeepAlive.Connections == 0 {
		t.Error("no client followed Connection: close")
	}
}

func TestCountsBadAnswers(t *testing.T) {
	for _, tt := range []struct {
		status int
		strict bool
		failed bool
	}{
		{200, true, false}, {302, false, false}, {302, true, true}, {404, false, false}, {404, true, true}, {503, false, true},
	} {
		server := newServer(t, "v2.5.0")
		server.status.Store(int64(tt.status))
		run := start(t, clients.Options{URL: server.URL, Rate: 1000, KeepAlive: 1, Fresh: 1, MaxRequests: 20, Strict: tt.strict, KeepFailures: 3})
		<-run.Done()
		counts := run.Stop()
		if counts.Requests != 20 || counts.ByVersion["v2.5.0"] != 20 {
			t.Errorf("%d: counts = %+v, want 20 answers", tt.status, counts)
		}
		if tt.failed != (counts.Failed == 20) || !tt.failed && counts.Failed != 0 {
			t.Errorf("%d, strict %v: %d of 20 failed", tt.status, tt.strict, counts.Failed)
		}
		if tt.failed && (len(counts.Failures) != 3 || counts.Failures[0].Kind != clients.Status || counts.Failures[0].Version != "v2.5.0") {
			t.Errorf("%d: failures = %+v, want the first 3", tt.status, counts.Failures)
		}
	}
}

func TestCountsTimeoutsAndRefusals(t *testing.T) {
	server := newServer(t, "v2.4.0")
	server.hang.Store(true)
	refused := httptest.NewServer(http.NotFoundHandler())
	refused.Close()
	for _, url := range []string{server.URL, refused.URL} {
		run := start(t, clients.Options{URL: url, Rate: 100, KeepAlive: 1, Fresh: 1, MaxRequests: 6, Timeout: 50 * time.Millisecond})
		<-run.Done()
		counts := run.Stop()
		if counts.Requests != 6 || counts.KeepAlive.Failed != 3 || counts.Fresh.Failed != 3 || len(counts.ByVersion) != 0 {
			t.Errorf("counts = %+v, want 6 failures and no answer", counts)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	run, err := clients.Start(ctx, clients.Options{URL: newServer(t, "v2.4.0").URL, Rate: 100, KeepAlive: 1, Fresh: 1})
	if err != nil {
		t.Fatal(err)
	}
	awaitRequests(t, run, 5)
	cancel()
	<-run.Done()
	if counts := run.Stop(); counts.Failed != 0 {
		t.Errorf("the end made %d requests fail: %v", counts.Failed, counts.Failures)
	}
}

func TestRefusesOptionsThatMakeNoSense(t *testing.T) {
	for want, options := range map[string]clients.Options{
		"URL":                      {URL: "https://shop", Rate: 1, Fresh: 1},
		"URL: \"xds://shop/name\"": {URL: "xds://shop/name", Rate: 1, Fresh: 1},
		"rate":                     {URL: "http://shop", Fresh: 1},
		"clients":                  {URL: "http://shop", Rate: 1},
		"timeout":                  {URL: "http://shop", Rate: 1, Fresh: 1, Timeout: -1},
	} {
		if _, err := clients.Start(t.Context(), options); err == nil || !strings.Contains(err.Error(), "read "+want) {
			t.Errorf("Start(%+v) = %v, want an error about the %s", options, err, want)
		}
	}
}

func start(t *testing.T, options clients.Options) *clients.Run {
	t.Helper()
	run, err := clients.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Stop() })
	return run
}

func awaitRequests(t *testing.T, run *clients.Run, requests int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for run.Counts().Requests < requests {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s there are %d requests, want %d", run.Counts().Requests, requests)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// server answers with its version and misbehaves on demand.
type server struct {
	*httptest.Server
	status   atomic.Int64
	farewell atomic.Bool
	hang     atomic.Bool
	closing  atomic.Int64
}

func newServer(t *testing.T, version string) *server {
	t.Helper()
	s := &server{}
	s.status.Store(http.StatusOK)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.hang.Load() {
			<-r.Context().Done()
			return
		}
		if s.farewell.Load() {
			w.Header().Set("Connection", "close")
		}
		w.Header().Set("X-Version", version)
		w.WriteHeader(int(s.status.Load()))
	}))
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle && s.closing.Add(-1) >= 0 {
			_ = conn.Close()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// closeIdle makes the server close the next n connections that become idle, as
// an idle timeout does.
func (s *server) closeIdle(n int64) { s.closing.Store(n) }
