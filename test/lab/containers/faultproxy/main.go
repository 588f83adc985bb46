// Command faultproxy is package faultproxy as a program. It listens on port
// 9090 as Prometheus does and is switched through port 9091; TARGET is the
// real one's URL.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Getenv("TARGET"))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, target string) error {
	parsed, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("parse TARGET: %w", err)
	}
	proxy := faultproxy.New(":9090", parsed)
	if err := proxy.Set(ctx, faultproxy.Pass); err != nil {
		return err
	}
	control := &http.Server{Addr: ":9091", Handler: proxy.Control(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = control.Close()
	}()
	if err := control.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve control port: %w", err)
	}
	return nil
}
