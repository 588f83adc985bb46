package rollout

import (
	"context"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// stillOpen reads what the pods of a colour have open, by their own gauges: a
// request that is being answered, a stream, a WebSocket. It makes no new requests,
// so that it is in no rate.
func (r *Runner) stillOpen(ctx context.Context, color string) measure.Reading {
	query := measure.Query{Signal: measure.OpenRequests, Color: color, Window: residualWindow * r.Release.Spec.Gates.Interval.Std()}
	return measure.Observe(ctx, r.Sources, []measure.Query{query})[0]
}

// withOpen adds what is open on the old side to what was seen of the requests that
// remain there. Once those have ended, drain auto and wait go on waiting for it;
// auto for the drain's deadline and no longer, since clients hold streams open for
// as long as they like. To recycle pods for it would cut what works.
func (r *Runner) withOpen(seen Observation, open measure.Reading, color string) Observation {
	if said := openOn(open, color); said != "" {
		seen.Message += "; " + said
	}
	if seen.Kind != Succeeded || !hasOpen(open) {
		return seen
	}
	drain := r.Release.Spec.Traffic.Drain
	if drain != release.DrainWait {
		seen.Message += fmt.Sprintf("; %s stays, and finish will not end it before", color)
	}
	if drain != release.DrainRecycle {
		seen.Kind = Waiting
	}
	seen.Yields = drain == release.DrainAuto
	return seen
}

// hasOpen reports whether something is certainly open.
func hasOpen(reading measure.Reading) bool { return reading.State == measure.OK && reading.Value > 0 }

// openOn says what is open on a colour, "" where no pod tells it.
func openOn(reading measure.Reading, color string) string {
	switch {
	case reading.Samples == 0:
		return ""
	case reading.State != measure.OK:
		return fmt.Sprintf("what is open on %s is unknown: %s", color, reading.Detail)
	case reading.Value == 0:
		return fmt.Sprintf("0 requests or streams are open on %s (%s, %s)", color, reading.Detail, reading.Source)
	case reading.Value == 1:
		return fmt.Sprintf("1 request or stream is still open on %s (%s, %s)", color, reading.Detail, reading.Source)
	}
	return fmt.Sprintf("%.0f requests or streams are still open on %s (%s, %s)", reading.Value, color, reading.Detail, reading.Source)
}

// learnOpen keeps the last reading with the run, where a pod tells it.
func learnOpen(reading measure.Reading) func(*State) {
	if reading.Samples == 0 {
		return nil
	}
	return func(s *State) { s.Open = &reading }
}
