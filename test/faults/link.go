package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const (
	// slowness is what an answer of an API server takes longer when it is
	// slow: less than what the program waits for one.
	slowness = 700 * time.Millisecond
	// crawling is what it takes longer when it is too slow for any reading
	// (5 s for a query of Prometheus and for a look into PostgreSQL).
	crawling = 10 * time.Second
)

// link is a way over TCP that can be broken: a toxiproxy on loopback.
type link struct {
	proxy *toxiproxy.Proxy
}

// newLink opens a way to an address.
func newLink(name, upstream string) (*link, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, name, "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		return nil, fmt.Errorf("open a way to %s: %w", upstream, err)
	}
	return &link{proxy: proxy}, nil
}

// address is where it is entered.
func (l *link) address() string { return l.proxy.Listen }

// close ends it and every connection through it.
func (l *link) close() { l.proxy.Stop() }

// cut ends every connection, and refuses new ones.
func (l *link) cut(context.Context) (func(context.Context) error, error) {
	l.proxy.Stop()
	return func(context.Context) error {
		if err := l.proxy.Start(); err != nil {
			return fmt.Errorf("mend the way to %s: %w", l.proxy.Upstream, err)
		}
		return nil
	}, nil
}

// silence takes connections and requests, and hands no answer on.
func (l *link) silence(ctx context.Context) (func(context.Context) error, error) {
	return l.poison(ctx, "timeout", map[string]any{"timeout": 0})
}

// slow hands every answer on late.
func (l *link) slow(ctx context.Context) (func(context.Context) error, error) {
	return l.poison(ctx, "latency", map[string]any{"latency": slowness.Milliseconds()})
}

// crawl hands every answer on too late.
func (l *link) crawl(ctx context.Context) (func(context.Context) error, error) {
	return l.poison(ctx, "latency", map[string]any{"latency": crawling.Milliseconds()})
}

// poison adds a toxic to what comes back.
func (l *link) poison(_ context.Context, kind string, attributes map[string]any) (func(context.Context) error, error) {
	text, err := json.Marshal(map[string]any{"name": kind, "type": kind, "stream": "downstream", "attributes": attributes})
	if err != nil {
		return nil, err
	}
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		return nil, fmt.Errorf("make the way to %s %s: %w", l.proxy.Upstream, kind, err)
	}
	return func(ctx context.Context) error { return l.proxy.Toxics.RemoveToxic(ctx, kind) }, nil
}

// redirect leads to another address; every connection ends.
func (l *link) redirect(upstream string) (func(context.Context) error, error) {
	before := l.proxy.Upstream
	lead := func(to string) error {
		return l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: to, Enabled: true})
	}
	if err := lead(upstream); err != nil {
		return nil, fmt.Errorf("lead the way to %s astray: %w", before, err)
	}
	return func(context.Context) error { return lead(before) }, nil
}
