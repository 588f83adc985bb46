package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

// mark is what all pods of a colour had done, since they were first scraped, by a
// round in which every one of them answered.
type mark struct {
	time time.Time
	totals
}

// Count says what the pods of a colour counted since an earlier round. Pods
// that are gone count as far as they were scraped, new ones from their first
// scrape on, as for a rate. A round in which a pod doesn't answer counts nothing;
// the next one has what it missed. Where a sample of the pods is read, it is
// taken for all of them.
func (p *Pods) Count(ctx context.Context, color string, since time.Time) (Count, error) {
	scrapes, done, err := p.scraper.look(ctx, color)
	if err != nil {
		return Count{}, err
	}
	defer done()
	if err := scrapes.round.missing(color); err != nil {
		return Count{}, err
	}
	if !scrapes.counts {
		return Count{}, fmt.Errorf("no pod of %s counts %s", color, p.scraper.names.counter)
	}
	last := scrapes.marks[len(scrapes.marks)-1]
	index := slices.IndexFunc(scrapes.marks, func(mark mark) bool { return mark.time.Equal(since) })
	switch {
	case index < 0:
		return Count{To: last.time}, nil
	case index == len(scrapes.marks)-1:
		return Count{}, ErrEarly
	}
	grown := last.since(scrapes.marks[index].totals)
	if grown.requests > 0 && !scrapes.has(exposition.tells) {
		return Count{}, errors.New(p.scraper.names.untold(color))
	}
	return Count{From: since, To: last.time,
		Sample: relative.Sample{Requests: grown.requests, Failed: grown.errors, Latency: histogramOf(grown.buckets)}}, nil
}

// missing says what keeps a round from being one of all pods, nil if nothing does.
func (r round) missing(color string) error {
	state, detail := r.state(color)
	switch {
	case state != OK:
		return errors.New(detail)
	case r.err != nil:
		return r.err
	case len(r.read) < r.chosen:
		return fmt.Errorf("%d of %d pods of %s serve no metrics", r.chosen-len(r.read), r.chosen, color)
	}
	return nil
}

// mark keeps what the pods have done by the end of a round, of which those
// that were read are taken for all.
func (c *colorScrapes) mark(color string) {
	for _, pod := range c.round.read {
		grown, _ := pod.history.over(0)
		c.done = c.done.plus(grown, float64(c.round.pods)/float64(c.round.chosen))
	}
	if c.round.missing(color) != nil {
		return
	}
	c.marks = append(c.marks, mark{time: c.round.time, totals: c.done})
	c.marks = c.marks[max(0, len(c.marks)-historyPoints):]
}
