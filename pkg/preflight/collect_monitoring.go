package preflight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func monitoring(ctx context.Context, in Inputs) Monitoring {
	found := Monitoring{
		Declared: in.Release.Spec.Metrics.Prometheus != nil,
		Series:   map[string]Fact[Series]{}, Requests: map[string]measure.Reading{},
		Rules: factOf(rules(in)),
	}
	names := in.Release.Spec.ColorNames()
	queries := []measure.Query{{Signal: measure.CriticalAlerts}}
	for _, name := range names {
		queries = append(queries, measure.Query{Signal: measure.RequestRate, Color: name, Window: time.Minute})
	}
	parallel(ctx,
		func(ctx context.Context) {
			readings := observeTwice(ctx, in, queries)
			found.Critical = readings[0]
			for i, name := range names {
				found.Requests[name] = readings[i+1]
			}
		},
		func(ctx context.Context) { readPrometheus(ctx, in, &found) },
	)
	return found
}

// betweenReadings is the time between two readings of a counter that make a
// rate.
const betweenReadings = 1500 * time.Millisecond

// observeTwice reads again what had no data at first: a source that counts by
// itself needs two looks for a rate.
func observeTwice(ctx context.Context, in Inputs, queries []measure.Query) []measure.Reading {
	readings := measure.Observe(ctx, in.Sources, queries)
	early := slices.ContainsFunc(readings, func(reading measure.Reading) bool {
		return reading.State == measure.NoData && measure.Answerable(in.Sources, reading.Query)
	})
	if !early {
		return readings
	}
	select {
	case <-ctx.Done():
		return readings
	case <-in.Clock.After(betweenReadings):
		return measure.Observe(ctx, in.Sources, queries)
	}
}

// rules are those that a shift goes by.
func rules(in Inputs) ([]gate.Rule, error) {
	spec := in.Release.Spec
	return gate.Rules(spec.Gates, spec.Databases, func(query measure.Query) bool { return measure.Answerable(in.Sources, query) })
}

func readPrometheus(ctx context.Context, in Inputs, into *Monitoring) {
	if !into.Declared {
		return
	}
	prometheus, err := connectPrometheus(in)
	if err != nil {
		into.Up = notKnown[string](err)
		into.Alerts = notKnown[[]AlertRule](err)
		return
	}
	var mu sync.Mutex
	collectors := []func(context.Context){
		func(ctx context.Context) {
			age, err := scrapeAge(ctx, prometheus)
			into.Up, into.ScrapeAge = factOf(fmt.Sprintf("newest scrape %.0f s ago", age.Seconds()), err), age
		},
		func(ctx context.Context) { into.Alerts = factOf(alertRules(ctx, prometheus)) },
	}
	for _, name := range in.Release.Spec.ColorNames() {
		collectors = append(collectors, func(ctx context.Context) {
			series := factOf(readSeries(ctx, prometheus, in, name))
			mu.Lock()
			defer mu.Unlock()
			into.Series[name] = series
		})
	}
	parallel(ctx, collectors...)
}

func connectPrometheus(in Inputs) (promv1.API, error) {
	declared := in.Release.Spec.Metrics.Prometheus
	config := api.Config{Address: declared.URL}
	if declared.Service != "" {
		address, err := release.ParseServiceAddress(declared.Service)
		if err != nil {
			return nil, err
		}
		config.Address = "http://" + address.Service
		config.Client = &http.Client{Transport: measure.OnlyGet{Next: in.Client.ServiceTransport(address.Namespace, address.Service, address.Port)}}
	}
	client, err := api.NewClient(config)
	if err != nil {
		// The cause quotes the address, which may hold a password.
		return nil, errors.New("connect to prometheus: the address is not a URL")
	}
	return promv1.NewAPI(client), nil
}

// scrapeAge asks for something that every Prometheus has: the time it thinks
// it is and the newest sample of its own scrapes.
func scrapeAge(ctx context.Context, prometheus promv1.API) (time.Duration, error) {
	now, err := scalar(ctx, prometheus, "time()")
	if err != nil {
		return 0, err
	}
	newest, err := scalar(ctx, prometheus, "max(timestamp(up))")
	if err != nil {
		return 0, fmt.Errorf("it scrapes nothing: %w", err)
	}
	return time.Duration((now - newest) * float64(time.Second)), nil
}

// readSeries looks at what a Prometheus holds of one colour.
func readSeries(ctx context.Context, prometheus promv1.API, in Inputs, color string) (Series, error) {
	label := in.Release.Spec.Metrics.VersionLabel
	value, found := in.Release.Spec.Colors[color].Selector[label]
	if !found {
		return Series{}, fmt.Errorf("colour %s has no label %s (spec.metrics.versionLabel) in its selector", color, label)
	}
	counter, histogram := requestMetrics(in.Release.Spec.Metrics.Provider)
	// A service of the same name elsewhere must not answer for this one; what
	// is scraped from outside the cluster has no namespace.
	namespace := "|" + in.namespace()
	series := Series{Selector: fmt.Sprintf("{namespace=~%q,kubernetes_namespace=~%q,%s=%q}",
		namespace, namespace, measure.PrometheusLabel(label), value)}
	var err error
	for _, ask := range []struct {
		query string
		into  *int
	}{
		{"count(" + series.Selector + ")", &series.Total},
		{"count(" + counter + series.Selector + ")", &series.Requests},
		{"count(" + histogram + "_bucket" + series.Selector + ")", &series.Latency},
	} {
		if *ask.into, err = count(ctx, prometheus, ask.query); err != nil {
			return Series{}, err
		}
	}
	if series.Requests > 0 {
		age, err := scalar(ctx, prometheus, "time() - max(timestamp("+counter+series.Selector+"))")
		if err != nil {
			return Series{}, err
		}
		series.Age = time.Duration(age * float64(time.Second))
	}
	series.Bounds, err = bucketBounds(ctx, prometheus, histogram+"_bucket"+series.Selector)
	return series, err
}

// requestMetrics are the names of the request counter and the latency
// histogram of a provider's dialect.
func requestMetrics(provider string) (counter, histogram string) {
	if provider == release.ProviderOTel {
		return "http_server_request_duration_seconds_count", "http_server_request_duration_seconds"
	}
	return "http_requests_total", "http_request_duration_seconds"
}

func bucketBounds(ctx context.Context, prometheus promv1.API, selector string) ([]float64, error) {
	vector, err := query(ctx, prometheus, "count by (le) ("+selector+")")
	if err != nil {
		return nil, err
	}
	var bounds []float64
	for _, sample := range vector {
		bound, err := strconv.ParseFloat(string(sample.Metric[model.BucketLabel]), 64)
		if err == nil && !math.IsInf(bound, 0) && !math.IsNaN(bound) {
			bounds = append(bounds, bound)
		}
	}
	slices.Sort(bounds)
	return bounds, nil
}

func alertRules(ctx context.Context, prometheus promv1.API) ([]AlertRule, error) {
	result, err := prometheus.Rules(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read alert rules of prometheus: %w", err)
	}
	var rules []AlertRule
	for _, group := range result.Groups {
		for _, rule := range group.Rules {
			if alert, ok := rule.(promv1.AlertingRule); ok {
				rules = append(rules, AlertRule{Name: alert.Name, Query: alert.Query, Health: string(alert.Health), Severity: string(alert.Labels["severity"])})
			}
		}
	}
	return rules, nil
}

var errNoSample = errors.New("the answer is empty")

func scalar(ctx context.Context, prometheus promv1.API, expression string) (float64, error) {
	vector, err := query(ctx, prometheus, expression)
	if err != nil {
		return 0, err
	}
	if len(vector) != 1 {
		return 0, fmt.Errorf("ask prometheus %s: %w", expression, errNoSample)
	}
	return float64(vector[0].Value), nil
}

// count is scalar for count(): PromQL counts nothing as no answer, not as 0.
func count(ctx context.Context, prometheus promv1.API, expression string) (int, error) {
	value, err := scalar(ctx, prometheus, expression)
	if errors.Is(err, errNoSample) {
		return 0, nil
	}
	return int(value), err
}

func query(ctx context.Context, prometheus promv1.API, expression string) (model.Vector, error) {
	value, _, _, err := prometheus.Query(ctx, expression, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("ask prometheus %s: %w", expression, err)
	}
	switch answer := value.(type) {
	case model.Vector:
		return answer, nil
	case *model.Scalar:
		return model.Vector{{Value: answer.Value}}, nil
	default:
		return nil, fmt.Errorf("ask prometheus %s: the answer is a %s", expression, value.Type())
	}
}
