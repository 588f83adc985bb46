package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

const (
	// window is the gate's, and that of the A/A run.
	window = 10 * time.Second
	// baselineRun is how long both colours are measured side by side.
	baselineRun = time.Minute
	// fewest is the readings of a signal of one colour below which the A/A run
	// says nothing: one is taken every second, and half of them must answer.
	fewest = int(baselineRun / time.Second / 2)
)

// thresholds are what the A/A run finds: what a release must break to be rolled
// back. That of errors stays the profile's own, since what is healthy shows
// less than a quarter of it.
type thresholds struct {
	// P95 is in seconds.
	P95 float64 `json:"p95"`
}

// health is what a service that is well stays below: the release's own rules
// for advancing.
type health struct {
	// errors is a share of all requests, p95 in seconds.
	errors, p95 float64
}

// healthOf reads it from the rules of a release.
func healthOf(document *release.Release) (health, error) {
	rules, err := gate.Rules(document.Spec.Gates, document.Spec.Databases, func(measure.Query) bool { return true })
	if err != nil {
		return health{}, err
	}
	limits := health{}
	for _, rule := range rules {
		switch rule.ID {
		case "advance-error-ratio":
			limits.errors = rule.Threshold
		case "advance-latency-p95":
			limits.p95 = rule.Threshold
		}
	}
	return limits, nil
}

// sighting is what the A/A run saw of two colours of the same version.
type sighting struct {
	// errors and p95 are the worst that either colour showed.
	errors, p95 float64
	// answered counts the readings that were OK, by what was asked.
	answered map[measure.Query]int
	// blue and green are what the clients of each counted.
	blue, green clients.Counts
}

// thresholds are twice the worst latency, never less than the profile's 0.8 s.
func (s sighting) thresholds() thresholds { return thresholds{P95: max(0.8, 2*s.p95)} }

// verdict is an error that says why no release can be judged by this run: the
// service is not well, or was hardly looked at.
func (s sighting) verdict(limits health) error {
	var reasons []error
	if s.errors >= limits.errors {
		reasons = append(reasons, fmt.Errorf("errors reach %.2f %%, and a healthy service stays below %.2f %%", 100*s.errors, 100*limits.errors))
	}
	if s.p95 >= limits.p95 {
		reasons = append(reasons, fmt.Errorf("p95 reaches %.0f ms, and a healthy service stays below %.0f ms", 1000*s.p95, 1000*limits.p95))
	}
	for _, query := range questions() {
		if count := s.answered[query]; count < fewest {
			reasons = append(reasons, fmt.Errorf("%s of %s was read %d times, and %d are too few", query.Signal, query.Color, count, fewest-1))
		}
	}
	if s.blue.Failed+s.green.Failed > 0 {
		reasons = append(reasons, errors.New("clients lost requests"))
	}
	return errors.Join(reasons...)
}

// outcome is the run as the record keeps it.
func (s sighting) outcome(limits health) outcome {
	found := outcome{Part: "A/A", Took: baselineRun}
	found.Detail = fmt.Sprintf("both colours at %d requests/s each: errors at most %.2f %%, p95 at most %.0f ms; blue: %s; green: %s",
		load/2, 100*s.errors, 1000*s.p95, told(s.blue), told(s.green))
	if err := s.verdict(limits); err != nil {
		found.Detail += "; " + strings.ReplaceAll(err.Error(), "\n", "; ")
		return found
	}
	judged := s.thresholds()
	found.Passed, found.Thresholds = true, &judged
	found.Detail += fmt.Sprintf("; a release is rolled back above %.0f ms", 1000*judged.P95)
	return found
}

// questions are what is asked every second: both signals of both colours.
func questions() []measure.Query {
	var queries []measure.Query
	for _, color := range []string{shop.Blue, shop.Green} {
		for _, signal := range []measure.Signal{measure.ErrorRatio, measure.LatencyP95} {
			queries = append(queries, measure.Query{Signal: signal, Color: color, Window: window})
		}
	}
	return queries
}

// errUnfit says that the machine or the service is not fit for a soak: what its
// releases would show is not theirs.
var errUnfit = errors.New("two colours of one version are not both healthy, so no release can be judged here")

// compared are the thresholds of the A/A run. All releases of one record are
// judged by the same, so a run that is kept is not made again. One that does not
// pass is kept as well, and ends the soak.
func compared(ctx context.Context, opened *shop.Shop, kept *keeper) (thresholds, error) {
	if limits, found := kept.thresholds(); found {
		return limits, nil
	}
	loaded, err := release.Load(filepath.Join(opened.Folder, "bluegreen.yaml"))
	if err != nil {
		return thresholds{}, err
	}
	limits, err := healthOf(loaded.Release)
	if err != nil {
		return thresholds{}, err
	}
	seen, err := compare(ctx, opened, loaded.Release)
	if err != nil {
		return thresholds{}, err
	}
	found := seen.outcome(limits)
	if err := kept.add(found); err != nil {
		return thresholds{}, err
	}
	if !found.Passed {
		return thresholds{}, fmt.Errorf("%w: %s", errUnfit, found.Detail)
	}
	return *found.Thresholds, nil
}

// compare measures both colours, of one version and under the same load.
func compare(ctx context.Context, opened *shop.Shop, document *release.Release) (sighting, error) {
	blue, err := ask(ctx, opened, "svc-"+shop.Blue, load/2)
	if err != nil {
		return sighting{}, err
	}
	defer blue.Stop()
	green, err := ask(ctx, opened, "svc-"+shop.Green, load/2)
	if err != nil {
		return sighting{}, err
	}
	defer green.Stop()
	sources, _, err := measure.NewSources(ctx, opened.Client(), document, clock.RealClock{})
	if err != nil {
		return sighting{}, err
	}
	seen := sighting{answered: map[measure.Query]int{}}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for until := time.Now().Add(baselineRun); time.Now().Before(until); {
		seen.add(measure.Observe(ctx, sources, questions()))
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-second.C:
		}
	}
	seen.blue, seen.green = blue.Stop(), green.Stop()
	return seen, nil
}

// add takes in what was read in one second.
func (s *sighting) add(readings []measure.Reading) {
	for _, reading := range readings {
		if reading.State != measure.OK {
			continue
		}
		s.answered[reading.Query]++
		if reading.Signal == measure.ErrorRatio {
			s.errors = max(s.errors, reading.Value)
		} else {
			s.p95 = max(s.p95, reading.Value)
		}
	}
}
