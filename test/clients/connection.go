package clients

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// dialer opens the TCP connections of all clients and reports each.
type dialer struct {
	net    net.Dialer
	opened func()
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.net.DialContext(ctx, network, address)
	if err == nil {
		d.opened()
	}
	return conn, err
}

// freshTransport opens a connection for every request.
func freshTransport(d *dialer) http.RoundTripper {
	return &http.Transport{DialContext: d.dial, DisableKeepAlives: true}
}

// keptConnection is a transport over one connection, for one client that has
// one request at a time. It opens another only when the server said
// `Connection: close` or when a request failed, and sends no request twice.
type keptConnection struct {
	dialer *dialer
	conn   net.Conn
	reader *bufio.Reader
}

// RoundTrip implements http.RoundTripper.
func (k *keptConnection) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := k.exchange(request)
	if err != nil {
		k.hangUp()
		return nil, err
	}
	response.Body = &keptBody{ReadCloser: response.Body, connection: k, last: response.Close}
	return response, nil
}

func (k *keptConnection) exchange(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if k.conn == nil {
		conn, err := k.dialer.dial(ctx, "tcp", address(request))
		if err != nil {
			return nil, err
		}
		k.conn, k.reader = conn, bufio.NewReader(conn)
	}
	// Without a deadline this is the zero time, which lifts an earlier one.
	deadline, _ := ctx.Deadline()
	if err := k.conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	if err := request.Write(k.conn); err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	response, err := http.ReadResponse(k.reader, request)
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	return response, nil
}

func (k *keptConnection) hangUp() {
	if k.conn != nil {
		// Nothing depends on how a connection that is given up ends.
		_ = k.conn.Close()
		k.conn, k.reader = nil, nil
	}
}

// keptBody hangs up after the last answer of a connection, or after a body
// that broke off.
type keptBody struct {
	io.ReadCloser
	connection *keptConnection
	last       bool
}

// Read implements io.Reader.
func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.last = true
	}
	return n, err
}

// Close implements io.Closer.
func (b *keptBody) Close() error {
	err := b.ReadCloser.Close()
	if b.last || err != nil {
		b.connection.hangUp()
	}
	return err
}

func address(request *http.Request) string {
	if request.URL.Port() != "" {
		return request.URL.Host
	}
	return net.JoinHostPort(request.URL.Hostname(), "80")
}
