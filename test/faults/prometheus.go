package faults

import (
	"context"
	"fmt"
	"net/url"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/faultproxy"
)

// prometheusAddress is that of the lab's Prometheus.
const prometheusAddress = "prometheus.monitoring:9090"

// openPrometheus opens the way to Prometheus: a link, and behind it what can
// talk nonsense.
func (s *Suite) openPrometheus(ctx context.Context) error {
	s.liar = faultproxy.New("127.0.0.1:0", &url.URL{Scheme: "http", Host: prometheusAddress})
	if err := s.liar.Set(ctx, faultproxy.Pass); err != nil {
		return fmt.Errorf("open the way to Prometheus: %w", err)
	}
	s.closers = append(s.closers, func() { _ = s.liar.Set(context.WithoutCancel(ctx), faultproxy.Refuse) })
	var err error
	if s.prometheus, err = newLink("prometheus", s.liar.Address()); err != nil {
		return err
	}
	s.closers = append(s.closers, s.prometheus.close)
	return s.setting.Shop.ChangeRelease(func(document *release.Release) {
		document.Spec.Metrics.Prometheus = &release.Prometheus{URL: "http://" + s.prometheus.address()}
	})
}

// onPrometheus breaks the way to Prometheus.
func onPrometheus(breaks func(*link, context.Context) (func(context.Context) error, error)) begin {
	return func(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
		return breaks(suite.prometheus, ctx)
	}
}

// talking makes Prometheus answer wrongly.
func talking(mode faultproxy.Mode) begin {
	return func(ctx context.Context, suite *Suite) (func(context.Context) error, error) {
		mend := func(ctx context.Context) error { return suite.liar.Set(ctx, faultproxy.Pass) }
		return mend, suite.liar.Set(ctx, mode)
	}
}
