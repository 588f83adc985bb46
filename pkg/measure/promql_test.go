package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure/promtooltest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// promtool fails the test where Prometheus's own tool does not pass.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	if output, passed := promtooltest.Run(t, arguments...); !passed {
		t.Errorf("promtool %s:\n%s", strings.Join(arguments, " "), output)
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func testFormulas(t *testing.T, provider, colour string) formulas {
	t.Helper()
	names, err := dialectOf(provider)
	if err != nil {
		t.Fatal(err)
	}
	return formulas{names: names, colour: matcher(colour), window: time.Minute}
}

func TestPromQLIsValid(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: queries\n  rules:\n")
	for _, provider := range []string{release.ProviderHTTP, release.ProviderOTel} {
		ask := testFormulas(t, provider, `namespace="shop",pod=~"shop-green-[a-z0-9]+-[a-z0-9]+"`)
		past := ask
		past.ago = time.Minute
		for i, query := range []string{past.samples(RequestRate), past.failures(), past.latencies(), past.scrapes()} {
			fmt.Fprintf(&rules, "  - record: %s:past:%d\n    expr: %q\n", provider, i, query)
		}
		for _, signal := range []Signal{RequestRate, ErrorRatio, LatencyP95, PoolSaturation} {
			for i, query := range []string{ask.of(signal), ask.samples(signal), ask.present()} {
				fmt.Fprintf(&rules, "  - record: %s:%s:%d\n    expr: %q\n", provider, strings.ReplaceAll(string(signal), "-", "_"), i, query)
			}
		}
	}
	promtool(t, "check", "rules", "--lint=none", writeFile(t, rules.String()))
}

// What the formulas come to on series of which the answer is known.
func TestPromQLMeansWhatItSays(t *testing.T) {
	green := testFormulas(t, "", `version="v2"`)
	idle := testFormulas(t, "", `version="idle"`)
	clean := testFormulas(t, "", `version="v1"`)
	absent := testFormulas(t, "", `version="none"`)
	untold := testFormulas(t, "", `version="untold"`)
	var tests strings.Builder
	tests.WriteString(`evaluation_interval: 15s
tests:
- interval: 15s
  input_series:
  - {series: 'http_requests_total{version="v2",pod="a",code="200"}', values: '0+135x8'}
  - {series: 'http_requests_total{version="v2",pod="b",code="503"}', values: '0+15x8'}
  - {series: 'http_requests_total{version="v1",pod="c",code="200"}', values: '0+150x8'}
  - {series: 'http_requests_total{version="idle",pod="d",code="200"}', values: '7+0x8'}
  - {series: 'http_requests_total{version="untold",pod="e"}', values: '0+150x8'}
  - {series: 'http_request_duration_seconds_bucket{version="v2",pod="a",le="0.1"}', values: '0+90x8'}
  - {series: 'http_request_duration_seconds_bucket{version="v2",pod="a",le="0.3"}', values: '0+100x8'}
  - {series: 'http_request_duration_seconds_bucket{version="v2",pod="a",le="+Inf"}', values: '0+100x8'}
  - {series: 'hikaricp_connections_active{version="v2",pod="a",pool="x"}', values: '1+0x8'}
  - {series: 'hikaricp_connections_max{version="v2",pod="a",pool="x"}', values: '10+0x8'}
  - {series: 'hikaricp_connections_active{version="v2",pod="b",pool="x"}', values: '9+0x8'}
  - {series: 'hikaricp_connections_max{version="v2",pod="b",pool="x"}', values: '10+0x8'}
  - {series: 'db_client_connection_count{version="v2",pod="c",state="used"}', values: '3+0x8'}
  - {series: 'db_client_connection_max{version="v2",pod="c"}', values: '4+0x8'}
  - {series: 'up{version="v2",pod="a"}', values: '1+0x8'}
  - {series: 'up{version="v2",pod="b"}', values: '1+0x8'}
  - {series: 'up{version="v1",pod="c"}', values: '1 1 1 1 1 0 1 1 1'}
  - {series: 'up{version="late",pod="f"}', values: '_ _ _ _ _ _ _ _ 1'}
  promql_expr_test:
`)
	expect := func(query, value string) {
		fmt.Fprintf(&tests, "  - {eval_time: 2m, expr: %q, exp_samples: [", query)
		if value != "" {
			fmt.Fprintf(&tests, "{labels: '{}', value: %s}", value)
		}
		tests.WriteString("]}\n")
	}
	expect(green.of(RequestRate), "10")
	expect(green.of(ErrorRatio), "0.1")
	expect(green.samples(ErrorRatio), "600")
	expect("round("+green.of(LatencyP95)+", 0.000001)", "0.2") // half way from 0.1 to 0.3
	expect(green.of(PoolSaturation), "0.9")
	expect(clean.of(ErrorRatio), "0") // traffic without errors
	expect(idle.of(ErrorRatio), "")   // no traffic
	expect(untold.of(ErrorRatio), "") // traffic, and no status to tell errors by
	expect(untold.of(RequestRate), "10")
	expect(absent.of(ErrorRatio), "")  // no series
	expect(absent.of(RequestRate), "") // no series
	expect(idle.samples(ErrorRatio), "0")
	expect(green.failures(), "60")
	expect(clean.failures(), "0")
	expect(untold.failures(), "")
	expect(green.scrapes()+" >= bool 4", "1")
	expect(clean.scrapes(), "0") // one failed
	expect(testFormulas(t, "", `version="late"`).scrapes(), "1")
	expect(absent.scrapes(), "")
	past := green
	past.window, past.ago = 30*time.Second, time.Minute
	expect(past.samples(RequestRate), "300")
	expect("sum("+green.latencies()+")", "1160") // 360 and twice 400
	promtool(t, "test", "rules", writeFile(t, tests.String()))
}

// The embedded source and Prometheus must say the same of the same release.
func TestPodsAgreeWithPrometheus(t *testing.T) {
	fleet := newFleet(t)
	pod := fleet.pod("green", "green-1")
	source := fleet.source("")
	source.Read(t.Context(), ask(LatencyP95))
	fleet.clock.Step(time.Minute)
	observed := map[string]int{"0.05": 700, "0.15": 150, "0.25": 130, "0.9": 20}
	for seconds, count := range map[float64]int{0.05: 700, 0.15: 150, 0.25: 130, 0.9: 20} {
		pod.serve("200", count, seconds)
	}
	pod.counter.With(prometheus.Labels{"code": "500", "path": "/"}).Add(30)
	latency, ratio := source.Read(t.Context(), ask(LatencyP95)), source.Read(t.Context(), ask(ErrorRatio))

	cumulative := func(bounds ...string) (sum int) {
		for _, bound := range bounds {
			sum += observed[bound]
		}
		return sum
	}
	var tests strings.Builder
	tests.WriteString("evaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n")
	series := func(metric string, total int) {
		fmt.Fprintf(&tests, "  - {series: '%s', values: '0+%dx8'}\n", metric, total)
	}
	series(`http_request_duration_seconds_bucket{le="0.1"}`, cumulative("0.05"))
	series(`http_request_duration_seconds_bucket{le="0.2"}`, cumulative("0.05", "0.15"))
	series(`http_request_duration_seconds_bucket{le="0.3"}`, cumulative("0.05", "0.15", "0.25"))
	series(`http_request_duration_seconds_bucket{le="1"}`, cumulative("0.05", "0.15", "0.25", "0.9"))
	series(`http_request_duration_seconds_bucket{le="+Inf"}`, cumulative("0.05", "0.15", "0.25", "0.9"))
	series(`http_requests_total{code="200"}`, 1000)
	series(`http_requests_total{code="500"}`, 30)
	all := testFormulas(t, "", "")
	tests.WriteString("  promql_expr_test:\n")
	for query, value := range map[string]float64{all.of(LatencyP95): latency.Value, all.of(ErrorRatio): ratio.Value} {
		fmt.Fprintf(&tests, "  - {eval_time: 2m, expr: %q, exp_samples: [{labels: '{}', value: %v}]}\n", "round("+query+", 0.000001)", fmt.Sprintf("%.6f", value))
	}
	promtool(t, "test", "rules", writeFile(t, tests.String()))
}
