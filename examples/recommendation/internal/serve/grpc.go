package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Service is the name under which gRPC health checks know the service; the
// empty name, the server as a whole, answers the same.
const Service = "recommendation"

// GRPC is a server of gRPC, with grpc.health.v1 beside the service itself.
type GRPC struct {
	Port int
	// Check is what health checks answer by.
	Check func(context.Context) error
	// Production is the service.
	Production *grpc.ServiceDesc
	// Ending is asked when the server is told to end.
	Ending func() Ending
	Logger *slog.Logger
}

// Start serves until stop is called, which tells clients to go elsewhere and
// waits for what they have under way, unless the ending is abrupt. It belongs
// after the drain, in which new connections are still taken.
func (g *GRPC) Start(ctx context.Context) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf(":%d", g.Port))
	if err != nil {
		return nil, fmt.Errorf("listen on GRPC_PORT: %w", err)
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, &health{check: g.Check})
	server.RegisterService(g.Production, nil)
	go func() {
		if err := server.Serve(listener); err != nil {
			g.Logger.ErrorContext(ctx, "gRPC server ended", "error", err)
		}
	}()
	return func() { g.end(server) }, nil
}

func (g *GRPC) end(server *grpc.Server) {
	if g.Ending() != Abrupt {
		late := time.AfterFunc(shutdownDeadline, server.Stop)
		defer late.Stop()
		server.GracefulStop()
	}
	server.Stop()
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
