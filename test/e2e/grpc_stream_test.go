package e2e

import (
	"context"
	"net/url"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// watchMethod is a stream that stays open until the client ends it.
const watchMethod = "/recommendation.Recommendations/Watch"

// A stream of gRPC that a client holds on the old side outlasts the drain, which says
// so, and keeps the side whatever is signed, until it is ended.
func TestStreamOfGRPCKeepsTheOldSide(t *testing.T) {
	s := open(t, shop.Options{Route: shop.GRPCRoute, Release: briefDrain})
	run := s.production(keepAliveClients, freshCallers)
	end := s.grpcStream(blueVersion)
	before := run.Counts()
	shifted := s.run(rollout.CodeDone, "shift", "-o", "json")
	const stream = "1 request or stream is still open on blue (by http_requests_in_flight and grpc_server_started_total - grpc_server_handled_total"
	says(t, shifted.Stderr, stream, "finish will not end it before")
	if status := s.status(shifted); status.Open == nil || status.Open.Value != 1 {
		t.Errorf("the run says that %+v is open on blue, want the stream", status.Open)
	}
	signed := []string{"finish", "--sign-off", "connections=the clients are ours", "--sign-off", "sessions/main=an idle pool"}
	used := s.run(rollout.CodeBlocked, signed...)
	says(t, used.Stdout+used.Stderr, stream)

	end()
	s.run(rollout.CodeDone, signed...)
	s.scaledToZero(shop.Blue, 2)
	s.onlyVersion(run, greenVersion)
	s.lostNothing("a shift beside a stream, and finish", run.Counts().Since(before))
}

// grpcStream opens a stream by the production route, and fails the test unless a
// version answers it. It stays open until it is ended, at the latest with the test.
func (s *scenario) grpcStream(version string) (end func()) {
	s.t.Helper()
	where, err := url.Parse(s.url())
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///"+where.Host, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(s.shop.Header().Get("Host")))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	end = func() {
		cancel()
		_ = conn.Close() // it may be closed already
	}
	s.t.Cleanup(end)
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, watchMethod)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
		s.t.Fatal(err)
	}
	header, err := stream.Header()
	if got := header.Get("X-Version"); err != nil || !slices.Equal(got, []string{version}) {
		s.t.Fatalf("the stream is answered by %q, %v, want %s", got, err, version)
	}
	return end
}
