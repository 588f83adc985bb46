package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const (
	// LogWindow is how far back streams are looked for.
	LogWindow = 24 * time.Hour
	// clockSlack is by how much the clock of who stamps a line may be ahead.
	clockSlack = 5 * time.Minute
)

// Loki asks a Loki for the streams of a release: which there are by their
// labels, and when the newest line of one was written. What a line says is not
// looked at.
type Loki struct {
	name    string
	asker   asker
	within  map[string]string
	label   string
	key     string
	colors  *colors
	clock   clock.PassiveClock
	written func(ctx context.Context, pod podName) (time.Time, error)
}

// NewLoki is the Loki that a release declares, nil when it declares none.
func NewLoki(client *cluster.Client, rel *release.Release, clock clock.PassiveClock) (*Loki, error) {
	declared := rel.Spec.Logs.Loki
	if declared == nil {
		return nil, nil
	}
	name, base, transport, err := connect(client, declared.URL+declared.Service)
	if err != nil {
		return nil, fmt.Errorf("read logs.loki: %w", err)
	}
	asker, err := newAsker("logs.loki", base, transport)
	if err != nil {
		return nil, err
	}
	if declared.Tenant != "" {
		asker.header.Set("X-Scope-OrgID", declared.Tenant)
	}
	loki := &Loki{name: "loki " + name, asker: asker, within: declared.Selector, colors: newColors(client, rel), clock: clock,
		label: PrometheusLabel(declared.VersionLabel), key: rel.Spec.Metrics.VersionLabel}
	if len(loki.within) == 0 {
		loki.within = map[string]string{"namespace": loki.colors.namespace}
	}
	loki.written = func(ctx context.Context, pod podName) (time.Time, error) {
		return lastLine(ctx, client, clock.Now(), pod)
	}
	return loki, nil
}

// Name says which Loki it is.
func (l *Loki) Name() string { return l.name }

// streams are the labels of the streams that any of some selectors of LogQL
// finds in the window.
func (l *Loki) streams(ctx context.Context, selectors ...string) ([]map[string]string, error) {
	var answer struct {
		Status string               `json:"status"`
		Data   *[]map[string]string `json:"data"`
	}
	query := l.window()
	query["match[]"] = selectors
	if err := l.ask(ctx, query, &answer, "series"); err != nil {
		return nil, err
	}
	if answer.Status != "success" || answer.Data == nil {
		return nil, errors.New("its answer is no list of streams")
	}
	return *answer.Data, nil
}

// newest is when the newest line that a selector finds was written, the zero
// time when it finds none.
func (l *Loki) newest(ctx context.Context, selector string) (time.Time, error) {
	var answer struct {
		Status string `json:"status"`
		Data   struct {
			ResultType string `json:"resultType"`
			Result     []struct {
				Values [][]any `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	query := l.window()
	query.Set("query", selector)
	query.Set("limit", "1")
	query.Set("direction", "backward")
	if err := l.ask(ctx, query, &answer, "query_range"); err != nil {
		return time.Time{}, err
	}
	if answer.Status != "success" || answer.Data.ResultType != "streams" {
		return time.Time{}, errors.New("its answer is no list of streams")
	}
	var newest time.Time
	for _, stream := range answer.Data.Result {
		for _, entry := range stream.Values {
			written, err := entryTime(entry)
			if err != nil {
				return time.Time{}, err
			}
			if written.After(newest) {
				newest = written
			}
		}
	}
	return newest, nil
}

// entryTime is the time of one line: nanoseconds as text, before the line.
func entryTime(entry []any) (time.Time, error) {
	if len(entry) > 0 {
		if text, isText := entry[0].(string); isText {
			if nanoseconds, err := strconv.ParseInt(text, 10, 64); err == nil {
				return time.Unix(0, nanoseconds).UTC(), nil
			}
		}
	}
	return time.Time{}, errors.New("its answer has a line without a time")
}

func (l *Loki) window() url.Values {
	now := l.clock.Now()
	return url.Values{"start": {strconv.FormatInt(now.Add(-LogWindow).UnixNano(), 10)}, "end": {strconv.FormatInt(now.Add(clockSlack).UnixNano(), 10)}}
}

// ask asks the API of version 1.
func (l *Loki) ask(ctx context.Context, query url.Values, into any, what string) error {
	err := l.asker.get(ctx, query, into, "loki", "api", "v1", what)
	switch {
	case errors.Is(err, errNotThere):
		return release.WithHint(fmt.Errorf("it has no /loki/api/v1/%s: it is no Loki, or its API has another path", what), "name in spec.logs.loki what serves queries")
	case errors.Is(err, errRefused):
		return release.WithHint(err, "set spec.logs.loki.tenant, or name what serves queries without a login")
	}
	return err
}

// selector is a selector of LogQL: what every stream of the release has, and
// some matchers more.
func (l *Loki) selector(matchers ...string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(l.within)) {
		all = append(all, fmt.Sprintf("%s=%q", name, l.within[name]))
	}
	return "{" + strings.Join(append(all, matchers...), ",") + "}"
}

// oneOf matches a label that is one of some values; operator is =~ or !~.
func oneOf(label, operator string, values []string) string {
	var quoted []string
	for _, value := range values {
		quoted = append(quoted, regexp.QuoteMeta(value))
	}
	return fmt.Sprintf("%s%s%q", label, operator, strings.Join(quoted, "|"))
}
