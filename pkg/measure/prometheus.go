package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"k8s.io/utils/clock"
)

// prometheusTimeout bounds one query; a gate that waits longer is blind.
const prometheusTimeout = 5 * time.Second

// errSeveral says that an answer held more than one series. Which of them is
// meant can't be told, and the last one, which some tools take, is chance.
var errSeveral = errors.New("several series where one was expected")

// errAbsent says that an answer held no series.
var errAbsent = errors.New("no series")

// Prometheus asks a Prometheus server.
//
// A colour's series are told by where they come from rather than by what the
// application says of itself: an application's own label version would take
// the place of, or be renamed by, the one that the server puts on. So the
// target labels namespace and pod, under the names that are usual, are tried
// first, and the release's version label after that; what found series once
// is kept for both colours. The resolved query in each reading shows it.
type Prometheus struct {
	name   string
	api    promv1.API
	names  dialect
	colors *colors
	label  string
	clock  clock.PassiveClock
	// platform says which paths of a colour's pods only the platform asks for.
	platform func(ctx context.Context, color string) ([]string, error)

	mu sync.Mutex
	// chosen is the index of the matcher that found series, -1 before.
	chosen int
}

// newPrometheus makes a source over an address and a transport.
func newPrometheus(name, address string, transport http.RoundTripper, names dialect, colors *colors, versionLabel string, clock clock.PassiveClock) (*Prometheus, error) {
	client, err := api.NewClient(api.Config{Address: address, RoundTripper: onlyGet{transport}})
	if err != nil {
		// The cause quotes the address, which may hold a password.
		return nil, errors.New("read metrics.prometheus: the address is not a URL")
	}
	return &Prometheus{name: name, api: promv1.NewAPI(client), names: names, colors: colors, label: versionLabel, clock: clock, platform: colors.platformPaths, chosen: -1}, nil
}

// Name says which server it is.
func (p *Prometheus) Name() string { return p.name }

// Answers reports whether the signal can be asked. Residual requests are not:
// a server that scrapes every 15 s or more knows of the last minute only.
func (p *Prometheus) Answers(query Query) bool {
	switch query.Signal {
	case RequestRate, ErrorRatio, LatencyP95, PoolSaturation, OpenRequests:
		return true
	}
	return false
}

// Read answers one query with two of PromQL: the value and what it rests on.
func (p *Prometheus) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: p.clock.Now(), Source: p.name}
	ctx, cancel := context.WithTimeout(ctx, prometheusTimeout)
	defer cancel()
	colour, err := p.matcher(ctx, query.Color)
	if err != nil {
		return reading.down("%v", err)
	}
	ask := formulas{names: p.names, colour: colour, window: query.Window}
	if query.Signal == OpenRequests {
		return p.readOpen(ctx, reading, ask)
	}
	reading.Expression = ask.of(query.Signal)
	value, err := p.one(ctx, reading.Expression)
	switch {
	case errors.Is(err, errAbsent):
		return reading.noData("%s", p.absence(ctx, query, ask))
	case err != nil:
		return reading.down("%v", err)
	case query.Signal == PoolSaturation:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return reading.down("it answered %v, which is no number", value)
		}
		return reading.ok(value, 0)
	}
	samples, err := p.one(ctx, ask.samples(query.Signal))
	switch {
	case errors.Is(err, errAbsent) || err == nil && samples == 0:
		return reading.noData("no requests of %s in %s", query.Color, query.Window)
	case err != nil:
		return reading.down("%v", err)
	case !isNumber(value), !isNumber(samples), value < 0, query.Signal == ErrorRatio && value > 1:
		return reading.down("it answered %v over %v requests, which makes no sense", value, samples)
	}
	return reading.ok(value, samples)
}

// absence says why a query has no answer.
func (p *Prometheus) absence(ctx context.Context, query Query, ask formulas) string {
	if query.Signal == ErrorRatio {
		if requests, err := p.one(ctx, ask.samples(query.Signal)); err == nil && requests > 0 {
			return p.names.untold(query.Color)
		}
	}
	return fmt.Sprintf("no series of %s with requests in %s", query.Color, query.Window)
}

func isNumber(value float64) bool { return !math.IsNaN(value) && !math.IsInf(value, 0) }

// one asks a query that must have exactly one series.
func (p *Prometheus) one(ctx context.Context, query string) (float64, error) {
	answer, err := p.ask(ctx, query)
	switch {
	case err != nil:
		return 0, err
	case len(answer) == 0:
		return 0, errAbsent
	case len(answer) > 1:
		return 0, fmt.Errorf("%w: %d", errSeveral, len(answer))
	}
	return float64(answer[0].Value), nil
}

// by asks a query that may have any number of series, told apart by a label.
func (p *Prometheus) by(ctx context.Context, label, query string) (map[string]float64, error) {
	answer, err := p.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	values := make(map[string]float64, len(answer))
	for _, sample := range answer {
		values[string(sample.Metric[model.LabelName(label)])] = float64(sample.Value)
	}
	return values, nil
}

// ask asks a query; a scalar is a vector of one.
func (p *Prometheus) ask(ctx context.Context, query string) (model.Vector, error) {
	// No time of ours: the server's clock is the one that its samples have.
	result, _, _, err := p.api.Query(ctx, query, time.Time{})
	if err != nil {
		return nil, plainError(ctx, err)
	}
	switch answer := result.(type) {
	case model.Vector:
		if slices.ContainsFunc(answer, func(sample *model.Sample) bool { return sample == nil || sample.Timestamp == 0 }) {
			return nil, errors.New("its answer has a sample without a time")
		}
		return answer, nil
	case *model.Scalar:
		return model.Vector{{Value: answer.Value}}, nil
	}
	return nil, errors.New("its answer is no vector")
}

// matchers are the ways to tell a colour's series, the surest first.
func (p *Prometheus) matchers(color string) []matcher {
	namespace, names := p.colors.namespace, p.colors.podNames(color)
	value := p.colors.spec.Colors[color].Selector[p.label]
	var all []matcher
	if names != "" {
		all = append(all,
			matcher(fmt.Sprintf("namespace=%q,pod=~%q", namespace, names)),
			matcher(fmt.Sprintf("kubernetes_namespace=%q,kubernetes_pod_name=~%q", namespace, names)))
	} else {
		all = append(all, "", "") // the same places for every colour
	}
	if p.label != "" && value != "" {
		label := PrometheusLabel(p.label)
		all = append(all,
			matcher(fmt.Sprintf("namespace=%q,%s=%q", namespace, label, value)),
			// What is scraped from outside the cluster has no namespace;
			// another one's is never taken.
			matcher(fmt.Sprintf(`namespace="",kubernetes_namespace=~"|%s",%s=%q`, namespace, label, value)))
	}
	return all
}

// matcher is the first way that finds series, or the last one while none does.
func (p *Prometheus) matcher(ctx context.Context, color string) (matcher, error) {
	all := p.matchers(color)
	p.mu.Lock()
	chosen := p.chosen
	p.mu.Unlock()
	if chosen >= 0 && chosen < len(all) && all[chosen] != "" {
		return all[chosen], nil
	}
	for i, candidate := range all {
		if candidate == "" {
			continue
		}
		_, err := p.one(ctx, formulas{names: p.names, colour: candidate}.present())
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return "", err
		}
		p.mu.Lock()
		p.chosen = i
		p.mu.Unlock()
		return candidate, nil
	}
	for _, candidate := range all {
		if candidate != "" {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("nothing tells the series of %s: the colour has no workloads and no label %s", color, p.label)
}

// PrometheusLabel is a label of Kubernetes as Prometheus and Loki must spell it.
func PrometheusLabel(label string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, label)
}

// plainError is one sentence without the address, which may hold a password.
func plainError(ctx context.Context, err error) error {
	var address *url.Error
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &address):
		return fmt.Errorf("it can't be asked: %w", address.Err)
	}
	return fmt.Errorf("it can't be asked: %w", err)
}

// onlyGet turns the form posts of a Prometheus client into gets, so that
// asking through the API server needs no more than the right to get.
type onlyGet struct {
	// Next sends the requests.
	Next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o onlyGet) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodPost || request.Body == nil {
		return o.Next.RoundTrip(request)
	}
	form, err := io.ReadAll(request.Body)
	if closeErr := request.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	asked := request.Clone(request.Context())
	asked.Method, asked.Body, asked.GetBody, asked.ContentLength = http.MethodGet, nil, nil, 0
	asked.URL.RawQuery = string(form)
	asked.Header.Del("Content-Type")
	return o.Next.RoundTrip(asked)
}
