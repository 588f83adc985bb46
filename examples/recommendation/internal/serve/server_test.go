package serve_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/serve"
)

// clients is how many keep-alive connections are open when the old side ends.
const clients = 10

func TestGracefulEndingLosesNoRequest(t *testing.T) {
	outcome := endUnderKeepAliveClients(t, serve.Graceful)
	if outcome.failed != 0 {
		t.Errorf("%d of %d requests failed, want none", outcome.failed, outcome.requests)
	}
	if outcome.moved != clients {
		t.Errorf("%d of %d clients moved to the new side", outcome.moved, clients)
	}
}

// Without these two the first test could pass on a client that can't see a
// loss at all.
func TestPlainEndingBreaksIdleConnections(t *testing.T) {
	if outcome := endUnderKeepAliveClients(t, serve.Plain); outcome.failed == 0 {
		t.Errorf("none of %d requests failed, but idle connections were closed", outcome.requests)
	}
}

func TestAbruptEndingBreaksConnections(t *testing.T) {
	if outcome := endUnderKeepAliveClients(t, serve.Abrupt); outcome.failed == 0 {
		t.Errorf("none of %d requests failed, but all connections were closed", outcome.requests)
	}
}

func TestRequestInFlightIsAnsweredAfterThePlainEnding(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	side := startSide(t, serve.Plain, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(started)
		<-finish
	}))
	answered := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + side.address)
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	<-started
	side.stop()
	close(finish)
	if err := <-answered; err != nil {
		t.Errorf("the request in flight failed: %v", err)
	}
	<-side.ended
}

// outcome is what the clients saw.
type outcome struct{ requests, failed, moved int64 }

// endUnderKeepAliveClients is a release in small: clients hold connections to
// the old side, the route sends new connections to the new side, the old side
// is told to end.
func endUnderKeepAliveClients(t *testing.T, ending serve.Ending) outcome {
	t.Helper()
	before := startSide(t, ending, named("old"))
	after := startSide(t, ending, named("new"))
	var route atomic.Value
	route.Store(before.address)

	ctx, stop := context.WithCancel(t.Context())
	var requests, failed, onOld, onNew atomic.Int64
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			client := keepAliveClient{dial: func() string { return route.Load().(string) }}
			defer client.hangUp()
			var last string
			for ctx.Err() == nil {
				side, err := client.request()
				requests.Add(1)
				if err != nil {
					failed.Add(1)
				} else if side != last {
					last = side
					map[string]*atomic.Int64{"old": &onOld, "new": &onNew}[side].Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	await(t, func() bool { return onOld.Load() == clients })
	route.Store(after.address)
	seen := requests.Load()
	await(t, func() bool { return requests.Load() > seen+clients })
	if onNew.Load() != 0 {
		t.Errorf("a keep-alive connection moved when the route did")
	}
	before.stop()
	await(t, func() bool { return onNew.Load() == clients })
	<-before.ended
	stop()
	running.Wait()
	return outcome{requests.Load(), failed.Load(), onNew.Load()}
}

func named(side string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Side", side) })
}

type side struct {
	address string
	stop    context.CancelFunc
	ended   chan struct{}
}

func startSide(t *testing.T, ending serve.Ending, handler http.Handler) side {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &serve.Server{
		Handler: handler, Ending: func() serve.Ending { return ending },
		Drain: time.Second, IdleTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler),
	}
	ctx, stop := context.WithCancel(context.Background())
	s := side{address: listener.Addr().String(), stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		if err := server.Run(ctx, listener); err != nil {
			t.Errorf("Run() = %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-s.ended })
	return s
}

// keepAliveClient holds one connection as long as the server lets it, and does
// not repeat a request that broke, as net/http's client would.
type keepAliveClient struct {
	dial   func() (address string)
	conn   net.Conn
	reader *bufio.Reader
}

func (c *keepAliveClient) request() (side string, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.dial()); err != nil {
			c.conn = nil
			return "", err
		}
		c.reader = bufio.NewReader(c.conn)
	}
	if _, err := io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"); err != nil {
		c.hangUp()
		return "", err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.hangUp()
		return "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err != nil || response.Close {
		c.hangUp()
	}
	return response.Header.Get("X-Side"), err
}

func (c *keepAliveClient) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// await polls for a state that must come; its deadline is a hang guard.
func await(t *testing.T, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatal("the awaited state did not come")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
