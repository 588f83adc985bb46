package clients_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// callServer answers the method shop.Shop/Ask with its version, or fails.
type callServer struct {
	version   string
	code      atomic.Uint32
	authority atomic.Value
	tester    atomic.Value
}

// newCallServer starts one, and returns the URL of its method too.
func newCallServer(t *testing.T, version string) (*callServer, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, server := &callServer{version: version}, grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "shop.Shop", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Ask", Handler: s.ask}},
	}, nil)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s, "grpc://" + listener.Addr().String() + "/shop.Shop/Ask"
}

//nolint:revive // gRPC says in which order it hands these over
func (s *callServer) ask(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	asked, _ := metadata.FromIncomingContext(ctx)
	s.authority.Store(asked.Get(":authority")[0])
	s.tester.Store(strings.Join(asked.Get("x-tester"), ","))
	if err := grpc.SetHeader(ctx, metadata.Pairs("x-version", s.version)); err != nil {
		return nil, err
	}
	if code := codes.Code(s.code.Load()); code != codes.OK {
		return nil, status.Error(code, "as told")
	}
	return &emptypb.Empty{}, decode(&emptypb.Empty{})
}

// Calls are counted by the version in their header, and sent as requests are: a
// client keeps its connection, or makes one for each.
func TestCountsCalls(t *testing.T) {
	server, url := newCallServer(t, "v2.4.0")
	header := http.Header{"Host": {"shop.example"}, "X-Tester": {"ann"}}
	run := start(t, clients.Options{URL: url, Header: header, Rate: 500, KeepAlive: 4, Fresh: 4, MaxRequests: 160, Strict: true})
	<-run.Done()
	counts := run.Stop()
	if counts.Requests != 160 || counts.Failed != 0 || counts.ByVersion["v2.4.0"] != 160 {
		t.Errorf("counts = %+v", counts)
	}
	if counts.KeepAlive.Connections != 4 || counts.Fresh.Connections != counts.Fresh.Requests {
		t.Errorf("%d connections of 4 clients, %d for %d calls", counts.KeepAlive.Connections, counts.Fresh.Connections, counts.Fresh.Requests)
	}
	if got := server.authority.Load(); got != "shop.example" {
		t.Errorf("the server was called as %v", got)
	}
	if got := server.tester.Load(); got != "ann" {
		t.Errorf("the server was told of the tester %v", got)
	}
}

// What a version fails with is its bad answer; that nobody answers is none.
func TestCountsCallsThatFail(t *testing.T) {
	for code, want := range map[codes.Code]string{codes.Internal: "rpc error: code = Internal desc = as told", codes.Unavailable: "rpc error: code = Unavailable desc = as told"} {
		server, url := newCallServer(t, "v2.5.0")
		server.code.Store(uint32(code))
		run := start(t, clients.Options{URL: url, Rate: 500, KeepAlive: 1, Fresh: 1, MaxRequests: 20})
		<-run.Done()
		counts := run.Stop()
		if counts.Failed != 20 || counts.ByVersion["v2.5.0"] != 20 {
			t.Fatalf("%s: counts = %+v", code, counts)
		}
		if f := counts.Failures[0]; f.Kind != clients.Status || f.Version != "v2.5.0" || f.Detail != want {
			t.Errorf("%s: failure = %+v", code, f)
		}
	}
	run := start(t, clients.Options{URL: "grpc://127.0.0.1:1/shop.Shop/Ask", Rate: 500, KeepAlive: 1, Fresh: 1, MaxRequests: 20})
	<-run.Done()
	counts := run.Stop()
	if counts.Failed != 20 || len(counts.ByVersion) != 0 || counts.Failures[0].Kind != clients.Transport {
		t.Errorf("nobody answers: counts = %+v", counts)
	}
}

// Who is told by no control plane where to go has no answer.
func TestCountsCallsThatNoControlPlaneLeads(t *testing.T) {
	run := start(t, clients.Options{
		URL: "xds://127.0.0.1:1/shop.there.svc.cluster.local:9090/shop.Shop/Ask", Rate: 100, KeepAlive: 1, Fresh: 1, MaxRequests: 4, Timeout: 3 * time.Second,
	})
	<-run.Done()
	counts := run.Stop()
	if counts.Failed != 4 || counts.Connections != 0 || counts.Failures[0].Kind != clients.Transport {
		t.Fatalf("counts = %+v", counts)
	}
	if detail := counts.Failures[0].Detail; !strings.Contains(detail, "xds") {
		t.Errorf("it failed with %q, want a word of xDS", detail)
	}
}
