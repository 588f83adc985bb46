// Package faultproxy stands before a Prometheus and fails the way that one
// may: by being slow, by knowing nothing, by answering nonsense, or by not
// being there at all. Which of these is switched while it runs.
package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mode is how the proxy behaves.
type Mode string

const (
	// Pass hands everything on.
	Pass Mode = "pass"
	// Slow hands everything on after [Proxy.Delay].
	Slow Mode = "slow"
	// Empty answers every query well, with nothing in it.
	Empty Mode = "empty"
	// Nonsense answers 200 with what is no answer of Prometheus.
	Nonsense Mode = "nonsense"
	// Refuse takes no connection.
	Refuse Mode = "refuse"
)

// Modes lists all of them.
func Modes() []Mode { return []Mode{Pass, Slow, Empty, Nonsense, Refuse} }

// Proxy is a faulty way to a Prometheus. Make it with [New].
type Proxy struct {
	// Delay is how long an answer takes in mode Slow.
	Delay time.Duration

	address string
	next    http.Handler

	mutex    sync.Mutex
	mode     Mode
	listener net.Listener
	server   *http.Server
}

// New makes a proxy that will listen on address and hand on to target.
func New(address string, target *url.URL) *Proxy {
	return &Proxy{Delay: 30 * time.Second, address: address, next: httputil.NewSingleHostReverseProxy(target), mode: Refuse}
}

// Set changes the mode. What is under way in the old one is cut off when the
// new one is Refuse.
func (p *Proxy) Set(ctx context.Context, mode Mode) error {
	if !slices.Contains(Modes(), mode) {
		return fmt.Errorf("set mode %q: there are %v", mode, Modes())
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if mode == Refuse {
		p.mode = mode
		return p.close()
	}
	if err := p.listen(ctx); err != nil {
		return fmt.Errorf("set mode %s: %w", mode, err)
	}
	p.mode = mode
	return nil
}

// Mode returns the mode it is in.
func (p *Proxy) Mode() Mode {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.mode
}

// listen starts to take connections, if it doesn't yet.
func (p *Proxy) listen(ctx context.Context) error {
	if p.server != nil {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.address)
	if err != nil {
		return err
	}
	// From now on the address is the one it got, should a port of 0 have
	// asked for any.
	p.address, p.listener = listener.Addr().String(), listener
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func(server *http.Server) { _ = server.Serve(listener) }(p.server)
	return nil
}

// close takes no connection any more and ends those there are.
func (p *Proxy) close() error {
	if p.server == nil {
		return nil
	}
	// The server closes a listener only once it serves it, which may still be
	// about to happen.
	err := p.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	err = errors.Join(err, p.server.Close())
	p.server, p.listener = nil, nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Address is where it listens.
func (p *Proxy) Address() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.address
}

// ServeHTTP answers as the mode says.
func (p *Proxy) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	switch p.Mode() {
	case Slow:
		timer := time.NewTimer(p.Delay)
		defer timer.Stop()
		select {
		case <-request.Context().Done():
		case <-timer.C:
			p.next.ServeHTTP(response, request)
		}
	case Empty:
		response.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(response, nothing(request.URL.Path))
	case Nonsense:
		response.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(response, "<html><body>It works!</body></html>")
	default:
		p.next.ServeHTTP(response, request)
	}
}

// nothing is the answer of a Prometheus that knows no series, see
// https://prometheus.io/docs/prometheus/latest/querying/api/.
func nothing(path string) string {
	switch {
	case strings.HasSuffix(path, "/query"):
		return `{"status":"success","data":{"resultType":"vector","result":[]}}`
	case strings.HasSuffix(path, "/query_range"):
		return `{"status":"success","data":{"resultType":"matrix","result":[]}}`
	case strings.HasSuffix(path, "/targets"):
		return `{"status":"success","data":{"activeTargets":[],"droppedTargets":[]}}`
	case strings.HasSuffix(path, "/rules"):
		return `{"status":"success","data":{"groups":[]}}`
	case strings.HasSuffix(path, "/alerts"):
		return `{"status":"success","data":{"alerts":[]}}`
	default:
		return `{"status":"success","data":[]}`
	}
}

// Control switches the mode: GET /mode tells it, POST /mode/NAME sets it.
func (p *Proxy) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mode", func(response http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(response, p.Mode())
	})
	mux.HandleFunc("POST /mode/{name}", func(response http.ResponseWriter, request *http.Request) {
		if err := p.Set(request.Context(), Mode(request.PathValue("name"))); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintln(response, p.Mode())
	})
	return mux
}
