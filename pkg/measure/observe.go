package measure

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// observeDeadline bounds one round of readings whose context has no deadline.
const observeDeadline = 10 * time.Second

// Observe asks every query of the first source that answers it, all at once,
// and returns the readings in the queries' order. A query that no source
// answers reads as NoData without a Source.
func Observe(ctx context.Context, sources []Source, queries []Query) []Reading {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, observeDeadline)
		defer cancel()
	}
	readings := make([]Reading, len(queries))
	var running sync.WaitGroup
	for i, query := range queries {
		source := sourceOf(sources, query)
		if source == nil {
			readings[i] = Reading{Query: query, State: NoData, Detail: fmt.Sprintf("nothing declared answers %s", query.Signal)}
			continue
		}
		running.Go(func() {
			readings[i] = source.Read(ctx, query)
			readings[i].Query = query
		})
	}
	running.Wait()
	return readings
}

// Answerable reports whether any source can be asked.
func Answerable(sources []Source, query Query) bool { return sourceOf(sources, query) != nil }

func sourceOf(sources []Source, query Query) Source {
	for _, source := range sources {
		if source.Answers(query) {
			return source
		}
	}
	return nil
}

// noData is a reading of a source that has nothing to say.
func (r Reading) noData(format string, args ...any) Reading {
	r.State, r.Value, r.Detail = NoData, 0, fmt.Sprintf(format, args...)
	return r
}

// down is a reading of a source that could not be asked or made no sense.
func (r Reading) down(format string, args ...any) Reading {
	r.State, r.Value, r.Detail = SourceDown, 0, fmt.Sprintf(format, args...)
	return r
}

// ok is a reading with a value.
func (r Reading) ok(value, samples float64) Reading {
	r.State, r.Value, r.Samples = OK, value, samples
	return r
}
