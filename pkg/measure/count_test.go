package measure

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

// pair is a pod of each colour, counted side by side.
func pair(t *testing.T) (*fleet, *servedPod, *servedPod, *Counting) {
	t.Helper()
	fleet := newFleet(t)
	blue, green := fleet.pod("blue", "blue-1"), fleet.pod("green", "green-1")
	blue.serve("200", 1000, 0.05) // before the first look
	green.serve("200", 0, 0)
	return fleet, blue, green, NewCounting([]Source{fleet.source("")})
}

// beside looks once, five seconds later.
func beside(t *testing.T, fleet *fleet, counting *Counting) (relative.Observation, error) {
	t.Helper()
	fleet.clock.Step(5 * time.Second)
	return counting.Beside(t.Context(), "blue", "green", start)
}

func TestCountsOfAnInterval(t *testing.T) {
	fleet, blue, green, counting := pair(t)
	if _, err := beside(t, fleet, counting); !errors.Is(err, ErrBegins) {
		t.Fatalf("first look: %v", err)
	}
	blue.serve("200", 90, 0.05)
	blue.serve("503", 10, 0.25)
	green.serve("200", 40, 0.15)
	green.serve("404", 10, 2)
	bounds := []float64{.1, .2, .3, 1}
	want := relative.Observation{From: start.Add(5 * time.Second), To: start.Add(10 * time.Second),
		Old: relative.Sample{Requests: 100, Failed: 10, Latency: relative.Histogram{Bounds: bounds, Counts: []float64{90, 0, 10, 0, 0}}},
		New: relative.Sample{Requests: 50, Latency: relative.Histogram{Bounds: bounds, Counts: []float64{0, 40, 0, 0, 10}}}}
	got, err := beside(t, fleet, counting)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if next, err := beside(t, fleet, counting); err != nil || next.Old.Requests != 0 || !next.From.Equal(want.To) {
		t.Errorf("%+v, %v: want an interval of nothing that follows", next, err)
	}
}

// What a gate has asked the pods in the same tick is not asked again.
func TestCountingSharesTheScrape(t *testing.T) {
	fleet, _, green, _ := pair(t)
	source := fleet.source("")
	counting := NewCounting([]Source{source})
	for range 3 {
		source.Read(t.Context(), ask(ErrorRatio))
		_, _ = beside(t, fleet, counting)
		source.Read(t.Context(), ask(LatencyP95))
	}
	if green.asked() != 4 {
		t.Errorf("%d scrapes, want the first one and one a tick", green.asked())
	}
}

// An interval in which something is missing is no observation, and what
// happened in it is in the next one.
func TestWhatIsMissingIsNotObserved(t *testing.T) {
	for name, test := range map[string]struct {
		fault, heal func(fleet *fleet, blue, green *servedPod)
		says        string
		old, target float64
	}{
		"a pod does not answer": {
			func(_ *fleet, _, green *servedPod) { green.set(http.NotFoundHandler()) },
			func(_ *fleet, _, green *servedPod) { green.set(handlerOf(green)) }, "pod green-1: read /metrics of port 8080: status 404", 20, 20},
		"a pod among others does not answer": {
			func(f *fleet, _, _ *servedPod) {
				late := f.pod("green", "green-2")
				late.serve("200", 500, 0.05) // before its first scrape
				late.set(http.NotFoundHandler())
			},
			func(f *fleet, _, _ *servedPod) { late := f.list["green"][1]; late.set(handlerOf(late)) }, "pod green-2", 20, 20},
		"the pods can't be listed": {
			func(f *fleet, _, _ *servedPod) { f.err = errors.New("connection refused") },
			func(f *fleet, _, _ *servedPod) { f.err = nil }, "connection refused", 20, 20},
		"no pod runs": {
			func(f *fleet, _, _ *servedPod) { f.list["kept"], f.list["green"] = f.list["green"], nil },
			func(f *fleet, _, _ *servedPod) { f.list["green"] = f.list["kept"] }, "no pod of green runs", 20, 20},
		"its counters start again": {
			func(_ *fleet, _, green *servedPod) { green.set(http.NotFoundHandler()) },
			func(_ *fleet, _, green *servedPod) { green.instrument(); green.serve("200", 7, 0.05) }, "pod green-1", 20, 7},
	} {
		t.Run(name, func(t *testing.T) {
			fleet, blue, green, counting := pair(t)
			_, _ = beside(t, fleet, counting)
			test.fault(fleet, blue, green)
			blue.serve("200", 10, 0.05)
			green.serve("200", 10, 0.05)
			if got, err := beside(t, fleet, counting); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("%+v, %v: want no observation, for %q", got, err, test.says)
			}
			blue.serve("200", 10, 0.05)
			green.serve("200", 10, 0.05)
			test.heal(fleet, blue, green)
			got, err := beside(t, fleet, counting)
			if err != nil || got.Old.Requests != test.old || got.New.Requests != test.target || got.To.Sub(got.From) != 10*time.Second {
				t.Errorf("%+v, %v: want both intervals in one", got, err)
			}
		})
	}
}

// handlerOf serves a pod's counters again, as they are.
func handlerOf(pod *servedPod) http.Handler {
	return promhttp.HandlerFor(pod.registry, promhttp.HandlerOpts{})
}

func TestPodsThatComeAndGoAreCounted(t *testing.T) {
	fleet, blue, green, counting := pair(t)
	gone := fleet.pod("blue", "blue-2")
	gone.serve("200", 300, 0.05)
	_, _ = beside(t, fleet, counting)
	blue.serve("200", 10, 0.05)
	gone.serve("200", 5, 0.05)
	green.serve("200", 10, 0.05)
	if got, err := beside(t, fleet, counting); err != nil || got.Old.Requests != 15 {
		t.Errorf("%+v, %v", got, err)
	}
	fleet.list["blue"] = fleet.list["blue"][:1]
	came := fleet.pod("blue", "blue-3")
	came.serve("200", 900, 0.05) // before its first scrape
	blue.serve("200", 10, 0.05)
	if got, err := beside(t, fleet, counting); err != nil || got.Old.Requests != 10 {
		t.Errorf("one went and one came: %+v, %v", got, err)
	}
	came.serve("500", 4, 0.05)
	if got, err := beside(t, fleet, counting); err != nil || got.Old.Requests != 4 || got.Old.Failed != 4 {
		t.Errorf("the one that came: %+v, %v", got, err)
	}
}

func TestASampleIsTakenForAllPods(t *testing.T) {
	fleet, _, _, _ := pair(t)
	fleet.pod("green", "green-2").serve("200", 0, 0)
	source := fleet.source("")
	source.scraper.most = 1
	counting := NewCounting([]Source{source})
	_, _ = beside(t, fleet, counting)
	for _, pod := range fleet.list["green"] {
		pod.serve("200", 10, 0.05)
	}
	if got, err := beside(t, fleet, counting); err != nil || got.New.Requests != 20 || math.Abs(got.New.Latency.Counts[0]-20) > 1e-9 {
		t.Errorf("%+v, %v: want twice what one of two pods counted", got, err)
	}
}

// An interval that began before a switch says nothing of after it.
func TestCountingBeginsAnewWithASwitch(t *testing.T) {
	fleet, _, green, counting := pair(t)
	_, _ = beside(t, fleet, counting)
	green.serve("200", 10, 0.05)
	fleet.clock.Step(5 * time.Second)
	if got, err := counting.Beside(t.Context(), "blue", "green", start.Add(7*time.Second)); !errors.Is(err, ErrBegins) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := counting.Beside(t.Context(), "blue", "green", start.Add(7*time.Second)); !errors.Is(err, ErrEarly) {
		t.Errorf("in the same tick: %+v, %v", got, err)
	}
	green.serve("200", 3, 0.05)
	fleet.clock.Step(5 * time.Second)
	if got, err := counting.Beside(t.Context(), "blue", "green", start.Add(7*time.Second)); err != nil || got.New.Requests != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUntoldFailuresAreNoObservation(t *testing.T) {
	fleet, _, green, counting := pair(t)
	count := 0
	green.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count += 10
		_, _ = fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total %d\n", count)
	}))
	_, _ = beside(t, fleet, counting)
	if got, err := beside(t, fleet, counting); err == nil || !strings.Contains(err.Error(), "http_requests_total of green has no label code or status") {
		t.Errorf("%+v, %v", got, err)
	}
}

// recorded answers the counts of a Prometheus server: ten failed of a hundred.
func recorded(scrapes string, seen *[]string) func(string) string {
	return func(query string) string {
		if seen != nil {
			*seen = append(*seen, query)
		}
		switch {
		case strings.HasPrefix(query, "count("):
			return vector("4")
		case strings.HasPrefix(query, "min(count_over_time(up"):
			return vector(scrapes)
		case strings.HasPrefix(query, "sum by (le)"):
			return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"0.1"},"value":[1700000000,"60"]},{"metric":{"le":"+Inf"},"value":[1700000000,"100"]}]}}`
		case strings.Contains(query, `=~"5.."`):
			return vector("10")
		}
		return vector("100")
	}
}

// A server knows of its last scrapes only, so that its intervals are longer.
func TestPrometheusCounts(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(start)
	server := promServer(t, recorded("2", nil))
	server.clock = clock
	counting := NewCounting([]Source{server})
	look := func(after time.Duration) (relative.Observation, error) {
		clock.SetTime(start.Add(after))
		return counting.Beside(t.Context(), "blue", "green", start)
	}
	if got, err := look(0); !errors.Is(err, ErrBegins) {
		t.Errorf("first look: %+v, %v", got, err)
	}
	if got, err := look(20 * time.Second); !errors.Is(err, ErrEarly) {
		t.Errorf("after 20 s: %+v, %v", got, err)
	}
	sample := relative.Sample{Requests: 100, Failed: 10, Latency: relative.Histogram{Bounds: []float64{.1}, Counts: []float64{60, 40}}}
	want := relative.Observation{From: start, To: start.Add(30 * time.Second), Old: sample, New: sample}
	if got, err := look(30 * time.Second); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	if got, err := look(10 * time.Minute); !errors.Is(err, ErrBegins) {
		t.Errorf("after a long time: %+v, %v", got, err)
	}
}

func TestPrometheusCountsNothingOfAMissedScrape(t *testing.T) {
	for scrapes, says := range map[string]string{"1": "not every target of green was scraped twice in 30s", "0": "not every target"} {
		server := promServer(t, recorded(scrapes, nil))
		server.clock = clocktesting.NewFakePassiveClock(start.Add(30 * time.Second))
		if got, err := server.Count(t.Context(), "green", start); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v, %v: want %q", got, err, says)
		}
	}
	for name, answer := range map[string]func(string) string{
		"no series": func(string) string { return vector() },
		"not a number": func(query string) string {
			if strings.HasPrefix(query, "sum(increase") {
				return vector("NaN")
			}
			return recorded("2", nil)(query)
		},
		"no status": func(query string) string {
			if strings.Contains(query, `=~"5.."`) {
				return vector()
			}
			return recorded("2", nil)(query)
		},
	} {
		server := promServer(t, answer)
		server.clock = clocktesting.NewFakePassiveClock(start.Add(30 * time.Second))
		if got, err := server.Count(t.Context(), "green", start); err == nil {
			t.Errorf("%s: counted %+v", name, got)
		}
	}
}

// Against the time before a switch, the old side's interval lies as far
// from the beginning of that time as the target's from the switch.
func TestCountsBeforeASwitch(t *testing.T) {
	var asked []string
	server := promServer(t, recorded("2", &asked))
	clock := clocktesting.NewFakePassiveClock(start)
	server.clock = clock
	counting := NewCounting([]Source{server})
	look := func(after time.Duration) (relative.Observation, error) {
		clock.SetTime(start.Add(after))
		return counting.Before(t.Context(), "blue", "green", start, 10*time.Minute, start.Add(-time.Minute))
	}
	_, _ = look(0)
	got, err := look(40 * time.Second)
	if err != nil || !got.Before || got.Old.Requests != 100 || got.New.Failed != 10 || !got.To.Equal(start.Add(40*time.Second)) {
		t.Errorf("%+v, %v", got, err)
	}
	old := `sum(increase(http_requests_total{namespace="shop",pod=~"shop-blue-[a-z0-9]+-[a-z0-9]+"}[40s] offset 600s))`
	if !strings.Contains(strings.Join(asked, "\n"), old) {
		t.Errorf("%s\nis not among\n%s", old, strings.Join(asked, "\n"))
	}
	for after := 80 * time.Second; after <= 10*time.Minute; after += 40 * time.Second {
		got, err = look(after)
		if spent := after > 9*time.Minute; spent != errors.Is(err, errSpent) || !spent && err != nil {
			t.Errorf("%s after the switch: %+v, %v", after, got, err)
		}
	}
	pods := newFleet(t)
	pods.pod("green", "green-1")
	if _, err := NewCounting([]Source{pods.source("")}).Before(t.Context(), "blue", "green", start, time.Minute, start); !errors.Is(err, ErrUnremembered) {
		t.Errorf("pods remember: %v", err)
	}
}

// The pods' own counters are read where they can be, and a server's where not.
func TestCountingGoesByWhatAnswers(t *testing.T) {
	fleet, _, green, _ := pair(t)
	server := promServer(t, recorded("2", nil))
	server.clock = fleet.clock
	counting := NewCounting([]Source{server, fleet.source("")})
	_, _ = beside(t, fleet, counting)
	if got, err := beside(t, fleet, counting); err != nil || got.New.Requests != 0 {
		t.Errorf("%+v, %v: want the pods' own counters", got, err)
	}
	green.server.Close()
	for range 8 {
		if got, err := beside(t, fleet, counting); err == nil {
			t.Errorf("%+v: what the server counts is mixed with what the pods did", got)
		}
	}
	unserved := fleet.source("")
	unserved.served = false
	counting = NewCounting([]Source{unserved, server})
	_, _ = beside(t, fleet, counting)
	fleet.clock.Step(25 * time.Second)
	if got, err := beside(t, fleet, counting); err != nil || got.New.Requests != 100 {
		t.Errorf("%+v, %v: want the server's counters", got, err)
	}
	if _, err := NewCounting(nil).Beside(t.Context(), "blue", "green", start); !errors.Is(err, errUncounted) {
		t.Errorf("without any: %v", err)
	}
}

func TestHistogramOf(t *testing.T) {
	inf := math.Inf(1)
	for name, test := range map[string]struct {
		buckets map[float64]float64
		want    relative.Histogram
	}{
		"none":               {nil, relative.Histogram{}},
		"without +Inf":       {map[float64]float64{.1: 1, .2: 2}, relative.Histogram{}},
		"only +Inf":          {map[float64]float64{inf: 2}, relative.Histogram{}},
		"cumulative":         {map[float64]float64{.1: 1, .2: 3, inf: 6}, relative.Histogram{Bounds: []float64{.1, .2}, Counts: []float64{1, 2, 3}}},
		"a bound of nothing": {map[float64]float64{0: 1, .1: 3, inf: 3}, relative.Histogram{Bounds: []float64{.1}, Counts: []float64{3, 0}}},
		"a bucket that lags": {map[float64]float64{.1: 4, .2: 3, inf: 6}, relative.Histogram{Bounds: []float64{.1, .2}, Counts: []float64{4, 0, 2}}},
	} {
		if diff := cmp.Diff(test.want, histogramOf(test.buckets)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

var (
	_ Counter  = &Pods{}
	_ Recorder = &Prometheus{}
)
