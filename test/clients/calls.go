package clients

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// calls is how a method of gRPC is called, with an empty message.
type calls struct {
	// target is who is called, as gRPC names it.
	target, method string
	// metadata goes with every call.
	metadata metadata.MD
	options  []grpc.DialOption
}

// metadata is the header as gRPC sends it; Host is who is called.
func (o Options) metadata() metadata.MD {
	sent := metadata.MD{}
	for name, values := range o.Header {
		if name != "Host" {
			sent.Append(name, values...)
		}
	}
	return sent
}

// plainCalls go to an address, by the name in the header Host where there is one.
func (o Options) plainCalls(target *url.URL) calls {
	c := calls{target: "passthrough:///" + target.Host, method: target.Path, metadata: o.metadata()}
	if host := o.Header.Get("Host"); host != "" {
		c.options = append(c.options, grpc.WithAuthority(host))
	}
	return c
}

// protocol sends them.
func (c calls) protocol() protocol {
	return protocol{
		kept:  func(d *dialer) connection { return &keptCalls{calls: c, dialer: d} },
		fresh: func(d *dialer) http.RoundTripper { return freshCalls{calls: c, dialer: d} },
	}
}

// connect opens a connection, or several where a mesh says so. What it says of
// sending calls again is left out: a call that failed is to be counted.
func (c calls) connect(d *dialer) (*grpc.ClientConn, error) {
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return d.dial(ctx, "tcp", address) }),
	}, c.options...)
	return grpc.NewClient(c.target, options...)
}

// call makes one call, and an answer of HTTP of what it ends with. Where no
// server of the service has said that it is one, there is no answer.
func (c calls) call(request *http.Request, conn *grpc.ClientConn) (*http.Response, error) {
	var header metadata.MD
	err := conn.Invoke(metadata.NewOutgoingContext(request.Context(), c.metadata), c.method, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header))
	versions := header.Get("X-Version")
	if err != nil && len(versions) == 0 {
		return nil, err
	}
	response := &http.Response{Request: request, StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Body: http.NoBody}
	if err != nil {
		response.StatusCode, response.Status = http.StatusInternalServerError, err.Error()
		if status.Code(err) == codes.Unavailable {
			response.StatusCode = http.StatusServiceUnavailable
		}
	}
	for _, version := range versions {
		response.Header.Add("X-Version", version)
	}
	return response, nil
}

// keptCalls are those of one client that holds on to its connection.
type keptCalls struct {
	calls

	dialer *dialer
	conn   *grpc.ClientConn
}

// RoundTrip implements http.RoundTripper.
func (k *keptCalls) RoundTrip(request *http.Request) (*http.Response, error) {
	if k.conn == nil {
		conn, err := k.connect(k.dialer)
		if err != nil {
			return nil, err
		}
		k.conn = conn
	}
	return k.call(request, k.conn)
}

func (k *keptCalls) hangUp() {
	if k.conn != nil {
		// Nothing depends on how a connection that is given up ends.
		_ = k.conn.Close()
		k.conn = nil
	}
}

// freshCalls are those of clients that connect for every call.
type freshCalls struct {
	calls

	dialer *dialer
}

// RoundTrip implements http.RoundTripper.
func (f freshCalls) RoundTrip(request *http.Request) (*http.Response, error) {
	conn, err := f.connect(f.dialer)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return f.call(request, conn)
}
