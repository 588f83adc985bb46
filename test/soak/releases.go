package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

const (
	// window is the gate's, and that of the A/A run.
	window = 10 * time.Second
	// baselineRun is how long both colours are measured side by side.
	baselineRun = time.Minute
	// load is in requests per second, over both kinds of clients.
	load = 100
)

// extremes are the worst that the same version showed on either side.
type extremes struct {
	errors, p95 float64
	readings    int
}

// thresholds are what a release must break to be rolled back.
type thresholds struct {
	// Errors is a share of all requests, P95 in seconds.
	Errors float64 `json:"errors"`
	P95    float64 `json:"p95"`
}

// thresholds are twice the worst latency and a percent of errors above the
// worst share that an A/A run showed, never less than the profile's own.
func (e extremes) thresholds() thresholds {
	return thresholds{Errors: max(0.02, e.errors+0.01), P95: max(0.8, 2*e.p95)}
}

// releases runs the A/A comparison and the healthy releases.
func releases(ctx context.Context, chosen options, kept *record) error {
	if len(outstanding(chosen.releases, kept)) == 0 {
		return nil
	}
	current, err := lab.Attach(chosen.lab)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	place, err := shop.Prepare(ctx, current.Kubeconfig(), folder, chosen.plugin, current)
	if err != nil {
		return err
	}
	opened, err := place.Open(ctx, shop.Options{Namespace: "soak", Folder: folder, GreenByHand: true,
		Green: shop.Slot{Version: "v2.4.0"}, Env: map[string]string{"DB_POOL_SIZE": "6"}})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close(context.WithoutCancel(ctx)) }()
	limits, err := compared(ctx, place, opened, kept)
	if err != nil {
		return err
	}
	if err := opened.ChangeRelease(with(limits)); err != nil {
		return err
	}
	return repeat(ctx, outstanding(chosen.releases, kept), opened, kept)
}

// outstanding are the names of the releases that have not passed yet.
func outstanding(times int, kept *record) []string {
	var names []string
	for number := range times {
		if name := fmt.Sprintf("healthy release %d", number+1); !kept.done(name) {
			names = append(names, name)
		}
	}
	return names
}

// compared are the thresholds of the A/A run. All releases of one record are
// judged by the same, so a run that is kept is not made again.
func compared(ctx context.Context, place *shop.Place, opened *shop.Shop, kept *record) (thresholds, error) {
	if limits, found := kept.thresholds(); found {
		return limits, nil
	}
	worst, err := compare(ctx, place, opened)
	if err != nil {
		return thresholds{}, err
	}
	limits := worst.thresholds()
	detail := fmt.Sprintf("%d readings of both colours at %d requests/s each: errors at most %.2f %%, p95 at most %.0f ms; rollback thresholds %.2f %% and %.0f ms",
		worst.readings, load/2, 100*worst.errors, 1000*worst.p95, 100*limits.Errors, 1000*limits.P95)
	err = kept.add(outcome{Part: "A/A", Passed: true, Took: baselineRun, Detail: detail, Thresholds: &limits})
	return limits, err
}

// with sets the thresholds of the A/A run.
func with(limits thresholds) func(*release.Release) {
	return func(document *release.Release) {
		for index, rule := range document.Spec.Gates.Rules {
			switch rule.ID {
			case "rollback-error-ratio":
				document.Spec.Gates.Rules[index].Threshold = ptr.To(limits.Errors)
			case "rollback-latency-p95":
				document.Spec.Gates.Rules[index].Threshold = ptr.To(limits.P95)
			}
		}
	}
}

// compare measures both colours, of one version and under the same load.
func compare(ctx context.Context, place *shop.Place, opened *shop.Shop) (extremes, error) {
	loaded, err := release.Load(filepath.Join(opened.Folder, "bluegreen.yaml"))
	if err != nil {
		return extremes{}, err
	}
	stopBlue, err := ask(ctx, opened, "svc-"+shop.Blue, load/2)
	if err != nil {
		return extremes{}, err
	}
	defer stopBlue()
	stopGreen, err := ask(ctx, opened, "svc-"+shop.Green, load/2)
	if err != nil {
		return extremes{}, err
	}
	defer stopGreen()
	sources, _, err := measure.NewSources(ctx, place.Client, loaded.Release, clock.RealClock{})
	if err != nil {
		return extremes{}, err
	}
	worst := extremes{}
	for until := time.Now().Add(baselineRun); time.Now().Before(until); {
		worst.read(ctx, sources)
		select {
		case <-ctx.Done():
			return worst, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	if worst.readings == 0 {
		return worst, fmt.Errorf("compare blue with itself: no signal was read in %s", baselineRun)
	}
	return worst, nil
}

// read takes one reading of both colours.
func (e *extremes) read(ctx context.Context, sources []measure.Source) {
	var queries []measure.Query
	for _, color := range []string{shop.Blue, shop.Green} {
		queries = append(queries,
			measure.Query{Signal: measure.ErrorRatio, Color: color, Window: window},
			measure.Query{Signal: measure.LatencyP95, Color: color, Window: window})
	}
	for _, reading := range measure.Observe(ctx, sources, queries) {
		switch {
		case reading.State != measure.OK:
			continue
		case reading.Signal == measure.ErrorRatio:
			e.errors = max(e.errors, reading.Value)
		default:
			e.p95 = max(e.p95, reading.Value)
		}
		e.readings++
	}
}

// ask puts load on a Service until it is stopped.
func ask(ctx context.Context, opened *shop.Shop, service string, rate int) (stop func(), err error) {
	url, err := opened.ServiceURL(ctx, service, "/recommendations?user=anna")
	if err != nil {
		return nil, err
	}
	run, err := clients.Start(ctx, clients.Options{URL: url, Rate: rate, KeepAlive: 5, Fresh: 5, Timeout: 15 * time.Second})
	if err != nil {
		return nil, err
	}
	return func() { run.Stop() }, nil
}

// repeat shifts to and fro under load; every release is healthy.
func repeat(ctx context.Context, names []string, opened *shop.Shop, kept *record) error {
	stop, err := ask(ctx, opened, "svc-production", load)
	if err != nil {
		return err
	}
	defer stop()
	for _, name := range names {
		result, err := opened.Run(ctx, "shift", "-o", "json")
		if err != nil {
			return err
		}
		detail := "exit code " + fmt.Sprint(result.Code)
		if status, err := result.Status(); err == nil && status.Reason != "" {
			detail += ": " + status.Reason
		}
		if err := kept.add(outcome{Part: name, Passed: result.Code == rollout.CodeDone, Took: result.Took, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}
