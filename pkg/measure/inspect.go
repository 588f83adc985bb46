package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Series is what a Prometheus server has of one colour.
type Series struct {
	// Selector is how the colour's series are told, as the gate tells them.
	Selector string
	// Total, Requests and Latency count series: of any name, of the request
	// counter, of the latency histogram.
	Total, Requests, Latency int
	// Age is since the newest sample of the request counter.
	Age time.Duration
	// Bounds are the finite upper bounds of the latency buckets in seconds,
	// sorted.
	Bounds []float64
}

// AlertRule is one alerting rule of a Prometheus server.
type AlertRule struct {
	Name, Query, Health string
	Severity            string
}

// PrometheusOf is the Prometheus server among sources, nil when they have none.
func PrometheusOf(sources []Source) *Prometheus {
	for _, source := range sources {
		if server, found := source.(*Prometheus); found {
			return server
		}
	}
	return nil
}

// ScrapeAge is since the server's newest scrape of anything, by its own clock.
func (p *Prometheus) ScrapeAge(ctx context.Context) (time.Duration, error) {
	age, err := p.one(ctx, "time() - max(timestamp(up))")
	if errors.Is(err, errAbsent) {
		return 0, errors.New("it scrapes nothing")
	}
	return time.Duration(age * float64(time.Second)), err
}

// Series looks at what there is of a colour, told from the rest by what tells
// the series of any colour: one that had no request yet has no counter to try
// the ways on.
func (p *Prometheus) Series(ctx context.Context, color string) (Series, error) {
	for _, name := range p.colors.spec.ColorNames() {
		if _, err := p.matcher(ctx, name); err != nil {
			return Series{}, err
		}
	}
	colour, err := p.matcher(ctx, color)
	if err != nil {
		return Series{}, err
	}
	series := Series{Selector: fmt.Sprintf("{%s}", colour)}
	counter, buckets := p.names.counter+series.Selector, p.names.histogram+"_bucket"+series.Selector
	for _, part := range []struct {
		query string
		into  *int
	}{{series.Selector, &series.Total}, {counter, &series.Requests}, {buckets, &series.Latency}} {
		if *part.into, err = p.count(ctx, part.query); err != nil {
			return Series{}, err
		}
	}
	if series.Requests > 0 {
		age, err := p.one(ctx, "time() - max(timestamp("+counter+"))")
		if err != nil {
			return Series{}, err
		}
		series.Age = time.Duration(age * float64(time.Second))
	}
	series.Bounds, err = p.bounds(ctx, buckets)
	return series, err
}

// count counts series: PromQL counts nothing as no answer, not as 0.
func (p *Prometheus) count(ctx context.Context, selector string) (int, error) {
	value, err := p.one(ctx, "count("+selector+")")
	if errors.Is(err, errAbsent) {
		return 0, nil
	}
	return int(value), err
}

// bounds are the finite bounds of a histogram, sorted.
func (p *Prometheus) bounds(ctx context.Context, buckets string) ([]float64, error) {
	counts, err := p.by(ctx, model.BucketLabel, "count by (le) ("+buckets+")")
	if err != nil {
		return nil, err
	}
	var bounds []float64
	for text := range counts {
		if bound, err := strconv.ParseFloat(text, 64); err == nil && isNumber(bound) {
			bounds = append(bounds, bound)
		}
	}
	slices.Sort(bounds)
	return slices.Compact(bounds), nil
}

// Numbers is how many series of an expression have a number now.
func (p *Prometheus) Numbers(ctx context.Context, expression string) (int, error) {
	answer, err := p.ask(ctx, expression)
	count := 0
	for _, sample := range answer {
		if !math.IsNaN(float64(sample.Value)) {
			count++
		}
	}
	return count, err
}

// AlertRules are the alerting rules that the server evaluates.
func (p *Prometheus) AlertRules(ctx context.Context) ([]AlertRule, error) {
	result, err := p.api.Rules(ctx, nil)
	if err != nil {
		return nil, plainError(ctx, err)
	}
	if result.Groups == nil { // none at all is an empty list
		return nil, errors.New("its answer is no list of rules")
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
