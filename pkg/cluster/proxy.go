package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// How this client reaches pods, remembered once it is known.
const (
	reachUnknown int32 = iota
	reachProxy
	reachForward
	reachDoubtful // the proxy stayed silent: the next request tries the other way
)

// PodTransport sends HTTP requests to a port of a pod through the API
// server's pod proxy. Only the method, path, query, headers and body of a
// request count; its host is not looked at.
//
// Where the API server answers that it can't reach pods, the request goes
// through a port-forward, and the client remembers that for all its pods.
// So does a request with an Authorization header, for which the pod proxy has
// no room. An answer of the API server itself (no such pod, not allowed) is
// an error, never a response, so that it can't be taken for the pod's own. No
// error quotes what the pod said.
func (c *Client) PodTransport(namespace, pod string, port int) http.RoundTripper {
	return &podTransport{
		client: c,
		path:   []string{"api", "v1", "namespaces", namespace, "pods", net.JoinHostPort(pod, strconv.Itoa(port)), "proxy"},
		locate: func(context.Context) (string, int, error) { return pod, port, nil },
		space:  namespace,
	}
}

// ServiceTransport sends HTTP requests to a port of a Service, by name or
// number, through the API server's service proxy; in all else it is like
// PodTransport. Its port-forward goes to one ready pod of the Service.
func (c *Client) ServiceTransport(namespace, service, port string) http.RoundTripper {
	return &podTransport{
		client: c,
		path:   []string{"api", "v1", "namespaces", namespace, "services", net.JoinHostPort(service, port), "proxy"},
		locate: func(ctx context.Context) (string, int, error) { return c.servicePod(ctx, namespace, service, port) },
		space:  namespace,
	}
}

// podTransport implements PodTransport and ServiceTransport.
type podTransport struct {
	client *Client
	path   []string
	locate func(ctx context.Context) (pod string, port int, err error)
	space  string
}

// RoundTrip implements http.RoundTripper.
func (t *podTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.roundTrip(request)
	return response, Unquoted(err)
}

// roundTrip sends the request the way that is known to work, or tries both.
func (t *podTransport) roundTrip(request *http.Request) (*http.Response, error) {
	reach := t.client.reach.Load()
	switch {
	case reach == reachForward || request.Header.Get("Authorization") != "":
		return t.throughForward(request)
	case reach == reachDoubtful:
		response, err := t.throughForward(request)
		settled := reachForward
		if err != nil {
			settled = reachProxy
		}
		t.client.reach.CompareAndSwap(reachDoubtful, settled)
		return response, err
	}
	response, err := t.throughProxy(request)
	switch {
	case err == nil:
		t.client.reach.CompareAndSwap(reachUnknown, reachProxy)
		return response, nil
	case isUnreachablePod(err):
	case reach == reachUnknown && errors.Is(err, context.DeadlineExceeded):
		// An API server that is cut off from the pods tries for 30 s before
		// it says so; the next request takes the other way.
		t.client.reach.CompareAndSwap(reachUnknown, reachDoubtful)
		return nil, err
	default:
		return nil, err
	}
	again, rewindErr := rewind(request)
	if rewindErr != nil {
		return nil, err
	}
	response, forwardErr := t.throughForward(again)
	if forwardErr != nil {
		return nil, fmt.Errorf("%w; and by port-forward: %w", err, forwardErr)
	}
	t.client.reach.Store(reachForward)
	return response, nil
}

// throughProxy sends the request by the API server's proxy.
func (t *podTransport) throughProxy(request *http.Request) (*http.Response, error) {
	httpClient, err := t.client.httpClient()
	if err != nil {
		return nil, err
	}
	address, _, err := rest.DefaultServerUrlFor(t.client.Config)
	if err != nil {
		return nil, fmt.Errorf("read address of the cluster: %w", err)
	}
	proxied := request.Clone(request.Context())
	proxied.URL = proxyURL(address, t.path, request.URL)
	proxied.Host = ""
	response, err := httpClient.Transport.RoundTrip(proxied)
	if err != nil {
		return nil, err
	}
	return refuseStatus(response)
}

// proxyURL is the proxy's path followed by the request's own, as escaped by
// the caller.
func proxyURL(server *url.URL, path []string, wanted *url.URL) *url.URL {
	target := server.JoinPath(path...)
	rest := wanted.EscapedPath()
	if rest == "" || rest[0] != '/' {
		rest = "/" + rest
	}
	escaped := "/" + strings.TrimPrefix(target.EscapedPath(), "/") + rest
	target.Path, _ = url.PathUnescape(escaped)
	target.RawPath = escaped
	target.RawQuery = wanted.RawQuery
	return target
}

// throughForward sends the request by a port-forward.
func (t *podTransport) throughForward(request *http.Request) (*http.Response, error) {
	pod, port, err := t.locate(request.Context())
	if err != nil {
		return nil, err
	}
	direct := request.Clone(request.Context())
	direct.URL.Scheme = "http"
	direct.URL.Host = net.JoinHostPort(pod, strconv.Itoa(port))
	return t.client.forwardTransport(t.space, pod, port).RoundTrip(direct)
}

// forwardIdle is how long an idle port-forward is kept for the next request.
const forwardIdle = 20 * time.Second

// forwardTransport is the transport of one pod's port, shared by all that
// ask for it, so that its port-forward is used again.
func (c *Client) forwardTransport(namespace, pod string, port int) http.RoundTripper {
	key := fmt.Sprintf("%s/%s:%d", namespace, pod, port)
	made := &http.Transport{
		IdleConnTimeout:     forwardIdle,
		MaxIdleConnsPerHost: 1,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return c.DialPod(ctx, namespace, pod, port)
		},
	}
	kept, _ := c.forward.LoadOrStore(key, made)
	if transport, ok := kept.(http.RoundTripper); ok {
		return transport
	}
	return made
}

// rewind returns the request with its body from the start.
func rewind(request *http.Request) (*http.Request, error) {
	again := request.Clone(request.Context())
	if request.Body == nil || request.Body == http.NoBody {
		return again, nil
	}
	if request.GetBody == nil {
		return nil, errors.New("the request's body can't be read twice")
	}
	var err error
	var body io.ReadCloser
	if body, err = request.GetBody(); err != nil {
		return nil, err
	}
	again.Body = body
	return again, nil
}
