package measure

import (
	"context"
	"fmt"
	"strings"
)

// total answers the request rate of the release as a whole: the sum over its
// colours. Connections that were open before a switch stay on the old side,
// so that neither colour alone tells whether requests go missing.
type total struct {
	sources []Source
	colors  []string
}

// Name says whose sum it is.
func (t *total) Name() string { return "sum of " + strings.Join(t.colors, " and ") }

// Answers reports whether the rate of every colour can be asked.
func (t *total) Answers(query Query) bool {
	if query.Signal != RequestRate || query.Color != "" {
		return false
	}
	for _, part := range t.parts(query) {
		if !Answerable(t.sources, part) {
			return false
		}
	}
	return true
}

// parts are the queries of the colours.
func (t *total) parts(query Query) []Query {
	parts := make([]Query, len(t.colors))
	for i, color := range t.colors {
		parts[i] = query
		parts[i].Color = color
	}
	return parts
}

// Read sums the colours up. A colour without data adds nothing, as one that
// is scaled to zero; a source that is down leaves the sum unknown.
func (t *total) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, State: NoData, Source: t.Name(), Detail: "no colour counts requests"}
	var details []string
	for _, part := range Observe(ctx, t.sources, t.parts(query)) {
		reading.Time = part.Time
		switch part.State {
		case SourceDown:
			part.Query = query
			return part
		case OK:
			reading = reading.ok(reading.Value+part.Value, reading.Samples+part.Samples)
			reading.Source, reading.Expression = part.Source, part.Expression
			details = append(details, fmt.Sprintf("%s %.1f/s", part.Color, part.Value))
		}
	}
	if len(details) > 0 {
		reading.Detail = strings.Join(details, ", ")
	}
	return reading
}
