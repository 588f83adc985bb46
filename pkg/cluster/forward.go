package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// DialPod opens a connection to a port of a pod through the API server, by a
// port-forward of its own. The connection keeps deadlines, so it is good for
// http.Transport, a database driver or gRPC. Closing it ends the
// port-forward. ctx bounds the dialling alone.
//
// The dial succeeds before the kubelet has connected to the port: a port on
// which nothing listens shows as an error of the first Read. A dial that fails
// is a [ForwardError].
func (c *Client) DialPod(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	target := fmt.Sprintf("%s/%s:%d", namespace, pod, port)
	dialer, err := c.forwardDialer(namespace, pod)
	if err != nil {
		return nil, &ForwardError{Target: target, Err: err}
	}
	stream, err := dialStream(ctx, dialer)
	if err != nil {
		return nil, &ForwardError{Target: target, Err: err}
	}
	conn, err := newForwardConn(stream, target, port)
	if err != nil {
		_ = stream.Close()
		return nil, &ForwardError{Target: target, Err: err}
	}
	return conn, nil
}

// ForwardError is a port-forward that never came about: the API server, or the
// kubelet behind it, did not take it. Unless that is because there is no such
// pod, it says nothing of the pod.
type ForwardError struct {
	// Target is NAMESPACE/POD:PORT.
	Target string
	Err    error
}

func (e *ForwardError) Error() string {
	return fmt.Sprintf("forward a port of pod %s: %v", e.Target, e.Err)
}

func (e *ForwardError) Unwrap() error { return e.Err }

// forwardDialer prefers SPDY tunnelled in a WebSocket, which proxies let
// pass, and remembers when the API server is too old for it (before 1.30).
func (c *Client) forwardDialer(namespace, pod string) (httpstream.Dialer, error) {
	if c.Config == nil {
		return nil, errors.New("this client has no address to go to")
	}
	config := rest.CopyConfig(c.Config)
	config.Timeout = 0
	address, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	address = address.JoinPath("api", "v1", "namespaces", namespace, "pods", pod, "portforward")
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	if c.noWeb.Load() {
		return plain, nil
	}
	web, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(web, plain, func(err error) bool {
		refused := httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		if refused {
			c.noWeb.Store(true)
		}
		return refused
	}), nil
}

// dialStream dials in the background, as client-go's dialers know no
// context; a connection that arrives after ctx has ended is closed.
func dialStream(ctx context.Context, dialer httpstream.Dialer) (httpstream.Connection, error) {
	type dialled struct {
		stream httpstream.Connection
		err    error
	}
	answer := make(chan dialled, 1)
	go func() {
		stream, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		answer <- dialled{stream, err}
	}()
	select {
	case got := <-answer:
		return got.stream, got.err
	case <-ctx.Done():
		go func() {
			if got := <-answer; got.err == nil {
				_ = got.stream.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// forwardConn is one forwarded connection. Its near end is one side of a
// net.Pipe, which keeps deadlines as a stream doesn't; two copies join the
// other side to the data stream.
type forwardConn struct {
	net.Conn // the near end

	far    net.Conn
	stream httpstream.Connection
	target podAddress

	ended  chan struct{} // closed when reason is set and the far end closed
	reason error
	close  sync.Once
}

// forwardEndGrace bounds the wait for the reason of a connection's end.
const forwardEndGrace = 2 * time.Second

func newForwardConn(stream httpstream.Connection, target string, port int) (*forwardConn, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	failures, err := stream.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	_ = failures.Close() // nothing is written to it; reading stays open
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := stream.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	conn := &forwardConn{Conn: near, far: far, stream: stream, target: podAddress(target), ended: make(chan struct{})}
	go conn.upload(data)
	go conn.download(data, failures)
	return conn, nil
}

// upload copies what is written to the pod.
func (f *forwardConn) upload(data httpstream.Stream) {
	_, _ = io.Copy(data, f.far)
	_ = data.Close()
}

// download copies what the pod answers, and keeps the reason of the end.
func (f *forwardConn) download(data, failures httpstream.Stream) {
	message := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(failures, 4096))
		message <- text
	}()
	_, _ = io.Copy(f.far, data)
	// Unsent data would hold up the stream that brings the reason.
	_ = data.Reset()
	grace := time.NewTimer(forwardEndGrace)
	defer grace.Stop()
	select {
	case text := <-message:
		if len(text) > 0 {
			f.reason = forwardFailure(string(text))
		}
	case <-grace.C:
	}
	close(f.ended)
	_ = f.far.Close()
}

// Read reads what the pod sent. The end of the connection is io.EOF, or the
// kubelet's reason when the port could not be reached.
func (f *forwardConn) Read(into []byte) (int, error) {
	count, err := f.Conn.Read(into)
	if errors.Is(err, io.EOF) {
		<-f.ended
		if f.reason != nil {
			return count, fmt.Errorf("forward a port of pod %s: %w", f.target, f.reason)
		}
	}
	return count, err
}

// Close ends the connection and its port-forward.
func (f *forwardConn) Close() error {
	var err error
	f.close.Do(func() {
		err = f.Conn.Close()
		_ = f.far.Close()
		_ = f.stream.Close()
	})
	return err
}

// LocalAddr names this end.
func (f *forwardConn) LocalAddr() net.Addr { return podAddress("port-forward") }

// RemoteAddr names the pod and its port.
func (f *forwardConn) RemoteAddr() net.Addr { return f.target }

// podAddress is the address of a forwarded port.
type podAddress string

// Network implements net.Addr.
func (podAddress) Network() string { return "pod" }

// String implements net.Addr.
func (a podAddress) String() string { return string(a) }

// forwardFailure shortens what the kubelet says about a port: the last part
// of its chain of causes is the one that a person can act on.
func forwardFailure(text string) error {
	text = strings.TrimSpace(text)
	if at := strings.LastIndex(text, "connection refused"); at >= 0 {
		return errors.New("connection refused: nothing listens on the port")
	}
	return errors.New(text)
}
