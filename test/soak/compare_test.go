package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// limits are those of the release that a soak makes.
func limits(t *testing.T) health {
	t.Helper()
	loaded, err := release.Load(filepath.Join("..", "..", "examples", "recommendation", "bluegreen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shop.QuickRelease(loaded.Release)
	found, err := healthOf(loaded.Release)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is healthy is said by the release's own rules: 0.5 % of errors is the
// profile's, 1 s of latency the quick release's.
func TestHealthOfTheRelease(t *testing.T) {
	if got := limits(t); got != (health{errors: 0.005, p95: 1}) {
		t.Errorf("health = %+v, want below 0.5 %% of errors and 1 s", got)
	}
	plain := &release.Release{}
	plain.Spec.Gates.Profile = release.ProfileAtomic
	if got, err := healthOf(plain); err != nil || got != (health{errors: 0.005, p95: 0.2}) {
		t.Errorf("health of a release without overrides = %+v, %v", got, err)
	}
}

// seen is an A/A run of a service that is well, as well as a machine with two
// cores lets it be, with one thing changed.
func seen(change func(*sighting)) sighting {
	s := sighting{answered: map[measure.Query]int{}}
	s.blue.Requests, s.green.Requests = 3000, 3000
	for range fewest {
		var readings []measure.Reading
		for _, query := range questions() {
			reading := measure.Reading{Query: query, State: measure.OK, Value: 0.004}
			if query.Signal == measure.LatencyP95 {
				reading.Value = 0.7
			}
			readings = append(readings, reading)
		}
		s.add(readings)
	}
	change(&s)
	return s
}

// Only what is well, was looked at and lost nothing gives thresholds, and the
// record says which of these it was.
func TestSightingIsJudged(t *testing.T) {
	blind := func(signal measure.Signal, color string) func(*sighting) {
		return func(s *sighting) { s.answered[measure.Query{Signal: signal, Color: color, Window: window}]-- }
	}
	for name, tt := range map[string]struct {
		change func(*sighting)
		says   string
	}{
		"well":                     {func(*sighting) {}, ""},
		"errors":                   {func(s *sighting) { s.errors = 0.005 }, "errors reach 0.50 %, and a healthy service stays below 0.50 %"},
		"slow":                     {func(s *sighting) { s.p95 = 1 }, "p95 reaches 1000 ms, and a healthy service stays below 1000 ms"},
		"errors of green not read": {blind(measure.ErrorRatio, shop.Green), "error-ratio of green was read 29 times"},
		"latency of blue not read": {blind(measure.LatencyP95, shop.Blue), "latency-p95 of blue was read 29 times"},
		"nothing read":             {func(s *sighting) { clear(s.answered) }, "error-ratio of blue was read 0 times"},
		"blue lost a request":      {func(s *sighting) { s.blue.Failed = 1 }, "clients lost requests"},
		"green lost a request":     {func(s *sighting) { s.green.Failed = 1 }, "clients lost requests"},
	} {
		t.Run(name, func(t *testing.T) {
			found := seen(tt.change).outcome(limits(t))
			if found.Passed != (tt.says == "") || (found.Thresholds != nil) != found.Passed {
				t.Errorf("passed: %t, with thresholds %v", found.Passed, found.Thresholds)
			}
			if !strings.Contains(found.Detail, tt.says) || strings.Contains(found.Detail, "\n") {
				t.Errorf("nothing says %q in a line: %s", tt.says, found.Detail)
			}
		})
	}
}

// The thresholds follow the worst that was seen, from the profile's own up to
// twice what is still healthy.
func TestThresholds(t *testing.T) {
	for worst, want := range map[float64]float64{0.01: 0.8, 0.4: 0.8, 0.7: 1.4, 0.999: 1.998} {
		if got := (sighting{p95: worst}).thresholds().P95; got != want {
			t.Errorf("a worst p95 of %v s makes a threshold of %v s, want %v", worst, got, want)
		}
	}
}

// Readings that have no value count for nothing.
func TestSightingTakesWhatIsOK(t *testing.T) {
	s := sighting{answered: map[measure.Query]int{}}
	query := questions()[1]
	for _, state := range []measure.State{measure.NoData, measure.SourceDown} {
		s.add([]measure.Reading{{Query: query, State: state, Value: 9}})
	}
	s.add([]measure.Reading{{Query: query, State: measure.OK, Value: 0.2}, {Query: query, State: measure.OK, Value: 0.1}})
	if s.p95 != 0.2 || s.errors != 0 || s.answered[query] != 2 {
		t.Errorf("the worst p95 is %v, that of errors %v, with %d answers", s.p95, s.errors, s.answered[query])
	}
}

// A release passes when it is done and nobody lost a request, and it says what
// became of all requests.
func TestReleasedCountsWhatWasLost(t *testing.T) {
	ended := func(code int) shop.Result {
		return shop.Result{Code: code, Stdout: `{"kind":"RunStatus"}`, Took: time.Minute}
	}
	lost := clients.Counts{Failures: []clients.Failure{{Detail: "connection reset by peer"}}}
	lost.Requests, lost.Failed = 4000, 1
	served := clients.Counts{}
	served.Requests = 4000
	for name, tt := range map[string]struct {
		result shop.Result
		counts clients.Counts
		passed bool
		says   string
	}{
		"done":           {ended(0), served, true, "exit code 0; 4000 requests, 0 lost"},
		"rolled back":    {ended(3), served, false, "exit code 3; 4000 requests, 0 lost"},
		"lost a request": {ended(0), lost, false, "4000 requests, 1 lost, the first: connection reset by peer"},
		"nobody asked":   {ended(0), clients.Counts{}, false, "0 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			found := released("healthy release 1", tt.result, tt.counts)
			if found.Passed != tt.passed || !strings.Contains(found.Detail, tt.says) || found.Took != time.Minute {
				t.Errorf("%+v; want passed: %t and %q", found, tt.passed, tt.says)
			}
		})
	}
}
