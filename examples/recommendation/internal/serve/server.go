// Package serve runs the service's servers and ends them well.
//
// What happens at SIGTERM decides whether a release loses requests. The pod
// is still in some EndpointSlice for a moment, so new connections still
// arrive; and clients hold idle keep-alive connections on which their next
// request may be on its way at the very moment that the server closes them.
// net/http's Shutdown closes idle connections at once, and so does
// SetKeepAlivesEnabled(false), so each such client sees one broken request.
//
// The graceful ending therefore goes on answering for a while, with
// `Connection: close` on every response: that tells each client, at the one
// moment at which nothing is in flight, to open its next connection elsewhere.
// Only then comes Shutdown. The plain ending (Shutdown at once) and the abrupt
// one (everything closed at once) are here to be compared with it.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Ending is what the server does when it is told to end.
type Ending int

// The endings; see the package's documentation.
const (
	Graceful Ending = iota
	Plain
	Abrupt
)

// String names the ending in logs.
func (e Ending) String() string {
	return [...]string{Graceful: "graceful", Plain: "plain", Abrupt: "abrupt"}[e]
}

// shutdownDeadline bounds how long requests in flight may take at the end; it
// is what a pod's default grace period of 30 s leaves beside the drain.
const shutdownDeadline = 20 * time.Second

// Server is an HTTP server with an ending.
type Server struct {
	Handler http.Handler
	// Ending is asked when the server is told to end.
	Ending func() Ending
	// Drain is how long a graceful ending goes on answering.
	Drain time.Duration
	// IdleTimeout is after how long idle connections are closed.
	IdleTimeout time.Duration
	Logger      *slog.Logger

	draining atomic.Bool
}

// Run serves until ctx ends and the ending is over.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       s.IdleTimeout,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	// The ending is bounded by its own deadlines: ctx has ended already.
	return s.end(context.WithoutCancel(ctx), server)
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	s.Handler.ServeHTTP(w, r)
}

func (s *Server) end(ctx context.Context, server *http.Server) error {
	ending := s.Ending()
	s.Logger.InfoContext(ctx, "ending", "how", ending.String())
	if ending == Abrupt {
		return closed(server.Close())
	}
	if ending == Graceful {
		s.draining.Store(true)
		drain := time.NewTimer(s.Drain)
		defer drain.Stop()
		<-drain.C
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownDeadline)
	defer cancel()
	err := server.Shutdown(ctx)
	s.Logger.InfoContext(ctx, "ended")
	return closed(err)
}

func closed(err error) error {
	if err == nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("shut HTTP server down: %w", err)
}
