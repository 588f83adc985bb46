package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

func monitoring(ctx context.Context, in Inputs) Monitoring {
	found := Monitoring{
		Declared: in.Release.Spec.Metrics.Prometheus != nil,
		Series:   map[string]Fact[measure.Series]{}, Requests: map[string]measure.Reading{},
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

// readPrometheus asks the server that the gate will ask, by the names and the
// labels that the gate goes by.
func readPrometheus(ctx context.Context, in Inputs, into *Monitoring) {
	if !into.Declared {
		return
	}
	server := measure.PrometheusOf(in.Sources)
	if server == nil {
		err := errors.New("prometheus is declared, and could not be set up as a source")
		into.Up, into.Alerts = notKnown[string](err), notKnown[[]measure.AlertRule](err)
		for _, name := range in.Release.Spec.ColorNames() {
			into.Series[name] = notKnown[measure.Series](err)
		}
		return
	}
	var mu sync.Mutex
	collectors := []func(context.Context){
		func(ctx context.Context) {
			age, err := server.ScrapeAge(ctx)
			into.Up, into.ScrapeAge = factOf(fmt.Sprintf("newest scrape %.0f s ago", age.Seconds()), err), age
		},
		func(ctx context.Context) {
			into.Alerts = factOf(server.AlertRules(ctx))
			if in.Stage == StageDeploy { // a rollback is judged by no alert
				into.Comparisons = comparisons(ctx, server, into.Alerts.Value)
			}
		},
	}
	for _, name := range in.Release.Spec.ColorNames() {
		collectors = append(collectors, func(ctx context.Context) {
			series := factOf(server.Series(ctx, name))
			mu.Lock()
			defer mu.Unlock()
			into.Series[name] = series
		})
	}
	parallel(ctx, collectors...)
}

// comparisonsAsked bounds how many alerts are asked for what they compare.
const comparisonsAsked = 20

// comparisons asks once for what each alert compares that would do otherwise.
func comparisons(ctx context.Context, server *measure.Prometheus, rules []measure.AlertRule) []Comparison {
	var found []Comparison
	var questions []func(context.Context)
	for _, rule := range rules {
		threshold, read := readThreshold(rule.Query)
		asked := slices.ContainsFunc(found, func(one Comparison) bool { return one.Query == rule.Query })
		if !read || !threshold.early() || asked || len(found) == comparisonsAsked {
			continue
		}
		at := len(found)
		found = append(found, Comparison{Query: rule.Query})
		questions = append(questions, func(ctx context.Context) { found[at].Pairs = factOf(server.Numbers(ctx, threshold.compared)) })
	}
	parallel(ctx, questions...)
	return found
}
