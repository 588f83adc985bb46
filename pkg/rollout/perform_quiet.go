package rollout

import (
	"context"
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// quiet reads what remains on the idle side: requests by its own counters, its
// sessions in each database, and connections that are open. One that has no pod
// left has nothing. What is known to remain keeps the side, and so does what
// can't be known, unless somebody has signed it off by name.
func (r *Runner) quiet(ctx context.Context, state State) Observation {
	finish := *state.Finish
	if err := r.mayEmpty(ctx, finish); err != nil {
		return hampered(err)
	}
	left, err := r.remaining(ctx, finish.Idle)
	if err != nil {
		return hampered(err)
	}
	remains := []Remainder{{What: "pods", Amount: Zero, Message: "no pod of " + finish.Idle + " is left to answer"}}
	if left > 0 {
		requests, settled := r.requestsOn(ctx, state)
		if !settled {
			return waiting("reading what remains on %s", finish.Idle)
		}
		remains = append([]Remainder{requests}, r.sessionsOf(ctx, finish.Idle)...)
		remains = append(remains, r.connectionsTo(finish.Idle, left, r.stillOpen(ctx, finish.Idle)))
	}
	finish = *finish.with(signed(remains, finish.SignOffs))
	seen := judged(finish)
	seen.Learned = func(s *State) { s.Finish = &finish }
	return seen
}

// judged lets the side end, or says why it must stay.
func judged(finish Finish) Observation {
	said := finish.keeping()
	kept := len(said) > 0
	if !kept {
		said = finish.Remains
	}
	var messages []string
	for _, remainder := range said {
		message := remainder.Message
		if sign := remainder.SignOff; sign != nil {
			message += fmt.Sprintf(" (signed off: %s)", sign.Reason)
		}
		messages = append(messages, message)
	}
	if kept {
		return failed("%s", strings.Join(messages, "; "))
	}
	return succeeded("%s", strings.Join(messages, "; "))
}

// requestsOn reads whether requests still reach the idle side, once a whole
// window has passed.
func (r *Runner) requestsOn(ctx context.Context, state State) (found Remainder, settled bool) {
	idle := state.Finish.Idle
	begin(&r.looked, r.Clock.Now())
	state.Entered = latest(state.Entered, r.looked) // the lease was waited for
	reading := r.residual(ctx, idle)
	if r.settling(state, reading) {
		return Remainder{}, false
	}
	reading = whole(reading)
	found = Remainder{What: remainsRequests, Amount: Unknown, Message: r.drained(reading, idle).Message, Readings: []measure.Reading{reading}}
	switch {
	case reading.State != measure.OK:
	case reading.Value == 0:
		found.Amount, found.Message = Zero, fmt.Sprintf("%s gets no requests: 0 in %s (%s)", idle, reading.Window, reading.Source)
	default:
		found.Amount, found.Message = Some, fmt.Sprintf("%s still gets %.1f requests/s (%s)", idle, reading.Value, reading.Source)
	}
	return found, true
}

// sessionsOf reads the sessions that a colour holds in each declared database.
func (r *Runner) sessionsOf(ctx context.Context, color string) []Remainder {
	if len(r.Release.Spec.Databases) == 0 {
		return []Remainder{{What: remainsSessions, Amount: Unknown,
			Message: "not declared: database, so which sessions " + color + " holds is unknown"}}
	}
	var queries []measure.Query
	for _, database := range r.Release.Spec.Databases {
		queries = append(queries, measure.Query{Signal: measure.DatabaseSessions, Color: color, Database: database.Name},
			measure.Query{Signal: measure.OldestTransaction, Color: color, Database: database.Name})
	}
	readings := measure.Observe(ctx, r.Sources, queries)
	var found []Remainder
	for index, database := range r.Release.Spec.Databases {
		found = append(found, sessionsIn(database.Name, color, readings[2*index], readings[2*index+1]))
	}
	return found
}

// sessionsIn judges the sessions that a colour holds in one database, and the
// age of the oldest transaction among them. It is pure.
func sessionsIn(database, color string, sessions, oldest measure.Reading) Remainder {
	found := Remainder{What: remainsSessions + "/" + database, Amount: Unknown, Readings: []measure.Reading{sessions, oldest}}
	switch {
	case sessions.State != measure.OK:
		found.Message = fmt.Sprintf("which sessions %s holds in database %s is unknown: %s", color, database, sessions.Detail)
	case sessions.Value == 0:
		found.Amount, found.Message = Zero, fmt.Sprintf("%s holds no session in database %s", color, database)
	case oldest.State == measure.OK && oldest.Value == 0:
		found.Amount, found.Message = Resting, fmt.Sprintf("%s holds %.0f sessions in database %s, none of them in a transaction (%s)", color, sessions.Value, database, sessions.Detail)
	default:
		found.Amount, found.Message = Some, fmt.Sprintf("%s holds %.0f sessions in database %s (%s)", color, sessions.Value, database, oldest.Detail)
	}
	return found
}

// connectionsTo are what clients hold open to the pods of a colour. Nothing
// outside a pod can count them, and what a pod might count itself has the
// kubelet's and the scraper's among them. What is open on them a pod may tell:
// that there is some is certain, and that there is none says nothing of those on
// which nothing is asked.
func (r *Runner) connectionsTo(color string, pods int, open measure.Reading) Remainder {
	found := Remainder{What: remainsConnections, Amount: Unknown,
		Message: fmt.Sprintf("which connections clients hold open to the %d pods of %s is unknown: nothing outside a pod can count them", pods, color)}
	if open.Samples == 0 {
		return found
	}
	found.Readings = []measure.Reading{open}
	switch said := openOn(open, color); {
	case hasOpen(open):
		found.Amount, found.Message = Some, fmt.Sprintf("%s: clients end them, or the pods within their grace period, with %s, and clients come back by the route", said, r.restart(color))
	case open.State == measure.OK:
		found.Message = said + "; connections on which nothing is asked are not counted"
	default:
		found.Message += "; " + said
	}
	return found
}

// restart is the command that gives a colour new pods.
func (r *Runner) restart(color string) string {
	workloads := r.Release.Spec.Colors[color].Workloads
	if len(workloads) == 0 {
		return "a rollout restart"
	}
	command := "kubectl -n " + r.Release.Metadata.Namespace + " rollout restart"
	for _, workload := range workloads {
		command += " " + workload.String()
	}
	return command
}

// mayEmpty makes sure that the side is still the idle one, and not the only one
// that could answer.
func (r *Runner) mayEmpty(ctx context.Context, finish Finish) error {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return err
	}
	if !route.Has(traffic.Whole(finish.Live), nil) {
		return fmt.Errorf("%s has %s: %s is not idle any more", route.Object, route.Shares(), finish.Idle)
	}
	return r.mayDoWithout(ctx, finish)
}

// mayDoWithout makes sure that somebody else answers production.
func (r *Runner) mayDoWithout(ctx context.Context, finish Finish) error {
	ready, err := r.Router.Receivers(ctx, finish.Live)
	if err != nil {
		return err
	}
	if ready == 0 {
		return fmt.Errorf("no pod of %s is ready, which has everything: %s is the only way out", finish.Live, finish.Idle)
	}
	return nil
}
