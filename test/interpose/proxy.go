package interpose

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
)

// errDropped ends an exchange whose connection is to be closed.
var errDropped = errors.New("dropped by a hook")

// exchangeKey is the context's key of a request's *Exchange.
type exchangeKey struct{}

// Proxy is a server that stands in the API server's place.
type Proxy struct {
	kubeconfig string
	server     *http.Server
	forward    *httputil.ReverseProxy

	mutex sync.Mutex
	hooks []*Hook
	// under is how many exchanges are under way; quiet is closed when the
	// last of them ends.
	under int
	quiet chan struct{}
}

// Start starts a proxy before the cluster that a kubeconfig's current context
// names, and writes its kubeconfig into folder. It ends with ctx, or when it is
// closed. A kubeconfig that logs in with a client certificate is refused: the
// API server would not see the certificate.
func Start(ctx context.Context, kubeconfig, folder string) (*Proxy, error) {
	config, err := upstreamOf(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("interpose before %s: %w", kubeconfig, err)
	}
	proxy, err := newProxy(config)
	if err != nil {
		return nil, fmt.Errorf("interpose before %s: %w", config.Host, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("interpose before %s: %w", config.Host, err)
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err == nil {
		err = proxy.serve(listener, certificate, key)
	}
	if err == nil {
		proxy.kubeconfig, err = writeKubeconfig(kubeconfig, folder, "https://"+listener.Addr().String(), certificate)
	}
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("interpose before %s: %w", config.Host, err)
	}
	context.AfterFunc(ctx, proxy.Close)
	return proxy, nil
}

// newProxy makes the part that forwards. What it sends is HTTP/1.1, the only
// version that can be upgraded to a port-forward.
func newProxy(config *rest.Config) (*Proxy, error) {
	target, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"http/1.1"}
	config.DisableCompression = true
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	proxy := &Proxy{}
	proxy.forward = &httputil.ReverseProxy{
		Transport:      transport,
		FlushInterval:  -1, // an event of a watch is handed on at once
		Rewrite:        func(request *httputil.ProxyRequest) { rewrite(request, target) },
		ModifyResponse: proxy.answered,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
	}
	return proxy, nil
}

// rewrite sends a request on as it is, but for an encoding of the answer that
// hooks could not read.
func rewrite(request *httputil.ProxyRequest, target *url.URL) {
	request.SetURL(target)
	request.Out.Header.Del("Accept-Encoding")
}

// serve answers on a listener until the proxy is closed.
func (p *Proxy) serve(listener net.Listener, certificate, key []byte) error {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	p.server = &http.Server{
		Handler:           p,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
	}
	go func() { _ = p.server.ServeTLS(listener, "", "") }()
	return nil
}

// Kubeconfig is the path of the file that leads through the proxy.
func (p *Proxy) Kubeconfig() string { return p.kubeconfig }

// Close ends the proxy and the connections to it. It may be called again.
func (p *Proxy) Close() { _ = p.server.Close() }

// Use adds a hook, behind those that are there, and returns what takes it away
// again. The first hook that lets an exchange not pass decides; those behind
// it are not asked.
func (p *Proxy) Use(hook Hook) (remove func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hooks = append(p.hooks, &hook)
	return func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.hooks = slices.DeleteFunc(p.hooks, func(known *Hook) bool { return known == &hook })
	}
}

// Quiet waits until no exchange is under way. After a program was killed, its
// requests have landed or were given up by then.
func (p *Proxy) Quiet(ctx context.Context) error {
	p.mutex.Lock()
	under, quiet := p.under, p.quiet
	p.mutex.Unlock()
	if under == 0 {
		return nil
	}
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %d exchanges to end: %w", under, ctx.Err())
	}
}

// enter counts an exchange, and leave counts it off.
func (p *Proxy) enter() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.under++; p.under == 1 {
		p.quiet = make(chan struct{})
	}
}

func (p *Proxy) leave() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.under--; p.under == 0 {
		close(p.quiet)
	}
}

// ask asks the hooks that are there now.
func (p *Proxy) ask(ctx context.Context, exchange *Exchange) Reaction {
	p.mutex.Lock()
	hooks := slices.Clone(p.hooks)
	p.mutex.Unlock()
	for _, hook := range hooks {
		if reaction := (*hook)(ctx, exchange); !reaction.passes() {
			return reaction
		}
	}
	return Pass()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	p.enter()
	defer p.leave()
	exchange, err := read(request)
	if err != nil {
		panic(http.ErrAbortHandler) // the program has not sent all of it
	}
	reaction := p.ask(request.Context(), exchange)
	switch {
	case reaction.drop:
		panic(http.ErrAbortHandler)
	case reaction.answer != nil:
		reply := reaction.answer.response(exchange)
		defer reply.Body.Close()
		header := response.Header()
		for name, values := range reply.Header {
			header[name] = values
		}
		response.WriteHeader(reply.StatusCode)
		_, _ = io.Copy(response, reply.Body)
		return
	}
	exchange.half = reaction.half
	p.forward.ServeHTTP(response, request.WithContext(context.WithValue(request.Context(), exchangeKey{}, exchange)))
}

// read makes an exchange of a request, which stays whole.
func read(request *http.Request) (*Exchange, error) {
	query := request.URL.Query()
	exchange := &Exchange{
		Target: targetOf(request), Stage: Arriving, Header: request.Header,
		Method: request.Method, Path: request.URL.Path, Query: request.URL.RawQuery, UserAgent: request.UserAgent(),
	}
	upgrades := request.Header.Get("Upgrade") != ""
	exchange.stream = upgrades || exchange.Verb == "watch" || query.Get("follow") == "true"
	if upgrades {
		return exchange, nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	exchange.Body = body
	request.Body = io.NopCloser(bytes.NewReader(body))
	return exchange, nil
}

// answered asks the hooks what becomes of an answer.
func (p *Proxy) answered(response *http.Response) error {
	ctx := response.Request.Context()
	exchange, known := ctx.Value(exchangeKey{}).(*Exchange)
	if !known {
		return errDropped
	}
	exchange.Stage, exchange.Status = Answered, response.StatusCode
	if !exchange.stream {
		whole, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return err
		}
		exchange.Answer = whole
		response.Body = io.NopCloser(bytes.NewReader(whole))
	}
	reaction := p.ask(ctx, exchange)
	switch {
	case reaction.drop:
		_ = response.Body.Close()
		return errDropped
	case reaction.answer != nil:
		_ = response.Body.Close()
		*response = *reaction.answer.response(exchange) //nolint:bodyclose // the reverse proxy closes what it hands on
	case (reaction.half || exchange.half) && !exchange.stream:
		half := exchange.Answer[:len(exchange.Answer)/2]
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half), failing{}))
	}
	return nil
}

// failing is a body that breaks off.
type failing struct{}

// Read implements io.Reader.
func (failing) Read([]byte) (int, error) { return 0, errDropped }
