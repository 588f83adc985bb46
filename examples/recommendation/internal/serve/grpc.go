package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Service is the name under which gRPC health checks know the service; the
// empty name, the server as a whole, answers the same.
const Service = "recommendation"

// GRPCHealth serves grpc.health.v1 on port, answering with what check says,
// until stop is called.
func GRPCHealth(ctx context.Context, port int, check func(context.Context) error, logger *slog.Logger) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, fmt.Errorf("listen on GRPC_PORT: %w", err)
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, &health{check: check})
	go func() {
		if err := server.Serve(listener); err != nil {
			logger.ErrorContext(ctx, "gRPC server ended", "error", err)
		}
	}()
	return server.Stop, nil
}

type health struct {
	grpc_health_v1.UnimplementedHealthServer
	check func(context.Context) error
}

// Check implements grpc.health.v1.Health.
func (h *health) Check(ctx context.Context, request *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if request.GetService() != "" && request.GetService() != Service {
		return nil, status.Errorf(codes.NotFound, "unknown service %q", request.GetService())
	}
	answer := grpc_health_v1.HealthCheckResponse_SERVING
	if h.check(ctx) != nil {
		answer = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return &grpc_health_v1.HealthCheckResponse{Status: answer}, nil
}
