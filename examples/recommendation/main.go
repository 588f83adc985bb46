// Command recommendation is the service that the examples release blue-green.
//
// It is a small but honest web service: it keeps a pgx pool to PostgreSQL,
// exposes its metrics by version, logs JSON by version and colour, and lets go
// of its clients before it ends. Its fault switches make it fail on purpose,
// in the ways in which releases fail.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/config"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/jobs"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/serve"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Getenv, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run is the service from its configuration to the end of its drain; ctx ends
// at SIGTERM.
func run(ctx context.Context, getenv func(string) string, logs io.Writer) (err error) {
	settings, err := config.Load(getenv)
	if err != nil {
		return err
	}
	logger := newLogger(logs, settings)
	metrics := web.NewMetrics(settings.Version, settings.Color)
	database, err := store.Open(ctx, settings.Database, store.Observer{
		Logger:   logger,
		OnError:  metrics.DatabaseError,
		Register: metrics.Register,
	})
	if err != nil {
		return err
	}
	faults := fault.New(settings.Faults, database, logger)
	defer func() {
		// A crash takes its leave of nobody.
		if !errors.Is(err, fault.ErrCrash) {
			faults.Close()
			database.Close()
		}
	}()

	logger.InfoContext(ctx, "starting", "port", settings.Port, "pool_size", settings.Database.PoolSize)
	if interrupted := pause(ctx, settings.SlowStart); interrupted {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf(":%d", settings.Port))
	if err != nil {
		return fmt.Errorf("listen on PORT: %w", err)
	}
	return runServers(ctx, settings, listener, database, faults, metrics, logger)
}

// runServers answers until ctx ends and the drain is over, or until the crash
// fault strikes, in which case nothing is drained.
func runServers(ctx context.Context, settings config.Config, listener net.Listener,
	database *store.Store, faults *fault.Switches, metrics *web.Metrics, logger *slog.Logger) error {
	health := web.NewHealth(database, faults.NotReady)
	service := web.Service{
		Version: settings.Version, Color: settings.Color,
		Store: database, Faults: faults, FaultsEnabled: settings.FaultsEnabled,
		Health: health, Metrics: metrics, Logger: logger,
		RequestTimeout: settings.RequestTimeout,
	}
	server := &serve.Server{
		Handler: web.NewHandler(service),
		Ending: func() serve.Ending {
			if faults.NoDrain() {
				return serve.Abrupt
			}
			return settings.Ending
		},
		Drain:       settings.Drain,
		IdleTimeout: settings.IdleTimeout,
		Logger:      logger,
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	crashed := make(chan error, 1)
	go func() { crashed <- faults.Run(background) }()
	go database.Prepare(background)

	if settings.GRPCPort != 0 {
		calls := &serve.GRPC{Port: settings.GRPCPort, Check: health.Check, Production: service.GRPC(), Ending: server.Ending, Logger: logger}
		stop, err := calls.Start(ctx)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer stop()
	}
	takers := jobs.Takers{
		Version: settings.Version, Color: settings.Color, Store: database, Faults: faults,
		Count: metrics.Job, Logger: logger, Work: settings.JobTime,
	}
	takers.Start(ctx, settings.Takers)
	served := make(chan error, 1)
	go func() { served <- server.Run(ctx, listener) }()
	logger.InfoContext(ctx, "listening", "address", listener.Addr().String())
	select {
	case err := <-served:
		takers.Wait()
		return err
	case err := <-crashed:
		return err
	}
}

func newLogger(logs io.Writer, settings config.Config) *slog.Logger {
	handler := slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: settings.LogLevel})
	return slog.New(handler).With("version", settings.Version, "app_version", settings.Version, "color", settings.Color)
}

// pause is the slow-start fault: it delays everything that a probe could see.
// It reports whether the service was told to end meanwhile.
func pause(ctx context.Context, delay time.Duration) (interrupted bool) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return true
	case <-timer.C:
		return false
	}
}
