package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
)

// grpcService is the service's name.
const grpcService = "recommendation.Recommendations"

// rpcMethod is what calls are counted as, beside the methods of HTTP.
const rpcMethod = "recommend"

// GRPC is the service recommendation.Recommendations. Its method Recommend takes
// the user, a google.protobuf.StringValue, and answers what GET /recommendations
// does, as another. The version and the colour are in the header of the answer.
// Its method Watch is a stream that stays open until the client ends it.
func (s Service) GRPC() *grpc.ServiceDesc {
	s.Metrics.expect(rpcMethod)
	return &grpc.ServiceDesc{
		ServiceName: grpcService,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Recommend", Handler: s.call}},
		Streams:     []grpc.StreamDesc{{StreamName: "Watch", Handler: s.watch, ServerStreams: true}},
	}
}

// watch says who answers, and nothing more.
func (s Service) watch(_ any, stream grpc.ServerStream) (err error) {
	ended := s.Metrics.Call("server_stream", "Watch")
	defer func() { ended(err) }()
	if err := stream.SendHeader(metadata.Pairs("x-version", s.Version, "x-color", s.Color)); err != nil {
		return err
	}
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

// call answers a call, counted by the status that HTTP would have answered with.
//
//nolint:revive // gRPC says in which order it hands these over
func (s Service) call(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (_ any, err error) {
	ended := s.Metrics.Call("unary", "Recommend")
	defer func() { ended(err) }()
	user := &wrapperspb.StringValue{}
	if err := decode(user); err != nil {
		return nil, err
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs("x-version", s.Version, "x-color", s.Color)); err != nil {
		return nil, err
	}
	start := time.Now()
	text, err := s.recommendText(ctx, user.GetValue())
	s.Metrics.count(rpcMethod, httpStatus(err), time.Since(start))
	if err != nil {
		return nil, err
	}
	return wrapperspb.String(text), nil
}

// recommendText is the answer to a read, as JSON, or how it fails.
func (s Service) recommendText(ctx context.Context, user string) (string, error) {
	switch err := s.Faults.Strike(ctx); {
	case errors.Is(err, fault.ErrFails):
		return "", status.Error(codes.Internal, err.Error())
	case err != nil:
		return "", status.Error(codes.Unavailable, err.Error())
	}
	found, err := s.recommendations(ctx, user)
	if err != nil {
		s.logUnavailable(ctx, "rpc", rpcMethod, err)
		return "", status.Error(codes.Unavailable, err.Error())
	}
	text, err := json.Marshal(found)
	if err != nil {
		return "", status.Error(codes.Internal, err.Error())
	}
	return string(text), nil
}

// httpStatus is what HTTP answers with for what a call ends with.
func httpStatus(err error) int {
	switch status.Code(err) {
	case codes.OK:
		return http.StatusOK
	case codes.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusServiceUnavailable
	}
}
