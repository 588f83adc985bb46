package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/audit"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/race"
)

// perHeat is how many races are one part of the record: enough that in each
// somebody takes over, though about half of the sleepers wake in time.
const perHeat = 10

// heat is some races of one kind, one after another in one lane.
type heat struct {
	// driver is the name of the kind of route.
	driver string
	seed   uint64
	rival  race.Rival
	// first is the number of its first race, from 1, of those with its rival.
	first, count int
}

// name is the part of the record. Another seed makes it another part.
func (h heat) name() string {
	return fmt.Sprintf("%s: races with %s %d–%d, seed %d", h.driver, article(h.rival), h.first, h.first+h.count-1, h.seed)
}

// article is a rival in words.
func article(rival race.Rival) string {
	if rival == race.Operator {
		return "an operator"
	}
	return "a " + string(rival)
}

// heats are those that have not passed yet; the kinds take turns.
func heats(driver crash.Driver, chosen options, kept passed) []heat {
	var all []heat
	for first := 1; first <= (chosen.races+1)/2; first += perHeat {
		for _, rival := range []race.Rival{race.Operator, race.Guard} {
			total := (chosen.races + 1) / 2
			if rival == race.Guard {
				total = chosen.races / 2
			}
			found := heat{driver: driver.Name, seed: chosen.seed, rival: rival, first: first, count: min(perHeat, total-first+1)}
			if found.count > 0 && !kept.done(found.name()) {
				all = append(all, found)
			}
		}
	}
	return all
}

// races lets two operators, and an operator and a guard, race for releases of
// a kind of route of each sort, and has the audit log judge them. It holds the heats
// that have not passed yet, in several lanes at once.
func races(ctx context.Context, chosen options, kept *keeper) error {
	for _, driver := range crash.EndToEnd() {
		waiting := heats(driver, chosen, kept)
		if len(waiting) == 0 {
			continue
		}
		what := work{name: "races", driver: driver}
		what.release = func(number int) func(*release.Release) { return racing(driver, number) }
		what.do = func(ctx context.Context, lanes []*lane) error { return raced(ctx, lanes, waiting, kept) }
		if err := inLanes(ctx, chosen, what); err != nil {
			return fmt.Errorf("race for a %s: %w", driver.Name, err)
		}
	}
	return nil
}

// racing is the Release of a lane. Every other lane evicts pods in its drain;
// the rest has more races in the same time. The logs of the target are not
// looked at: a process that loses its run breaks off what it has asked of a pod,
// which the pod calls an error, and every later shift to it would be refused.
func racing(driver crash.Driver, number int) func(*release.Release) {
	drain := []release.Drain{release.DrainAuto, release.DrainNone}[number%2]
	return func(document *release.Release) {
		driver.Quick(drain)(document)
		document.Spec.Validation.Logs = nil
	}
}

// raced shares the heats out: a lane that has ended one takes the next.
func raced(ctx context.Context, lanes []*lane, waiting []heat, kept *keeper) error {
	mutex := sync.Mutex{}
	next := func() (heat, bool) {
		mutex.Lock()
		defer mutex.Unlock()
		if len(waiting) == 0 {
			return heat{}, false
		}
		found := waiting[0]
		waiting = waiting[1:]
		return found, true
	}
	return each(ctx, lanes, func(ctx context.Context, its *lane) error {
		arena, err := race.Open(ctx, race.Setting{Lab: its.lab, Driver: its.driver, Shop: its.shop, Load: its.load, Logf: its.logf})
		if err != nil {
			return err
		}
		defer arena.Close()
		for {
			found, left := next()
			if !left {
				return nil
			}
			held := hold(ctx, arena, found)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := kept.add(held.outcome(found)); err != nil {
				return err
			}
		}
	})
}

// results are what came of a heat.
type results []race.Outcome

// hold holds the races of a heat.
func hold(ctx context.Context, arena *race.Arena, found heat) results {
	var held results
	for number := range found.count {
		if ctx.Err() != nil {
			break
		}
		held = append(held, arena.Hold(ctx, race.Draw(found.seed, found.first+number, found.rival)))
	}
	return held
}

// outcome is a heat as the record keeps it. It passes when no rule was broken,
// every run converged, nobody noticed, at least half of the processes were put to
// sleep while they ran, and of those whose run stood vacant for so long that
// others had to take it over few were missed, see [race.Missed].
func (r results) outcome(found heat) outcome {
	total, ends := audit.Verdict{}, map[race.Ending]int{}
	line := outcome{Part: found.name(), Heat: true}
	var failures []error
	refused := crash.Refusals{}
	for _, held := range r {
		refused.Add(held.Race.String(), held.Refused)
		line.Took += held.Took.Round(time.Second)
		total.Add(held.Verdict)
		failures = append(failures, held.Err)
		ends[held.Ending]++
		if held.Slept {
			line.Slept++
		}
	}
	line.Overtaken = ends[race.TakenOver]
	failures = append(failures, r.missed(ends), refused.Err())
	if 2*line.Slept < len(r) {
		failures = append(failures, fmt.Errorf("only %d of %d were put to sleep before they had ended", line.Slept, len(r)))
	}
	line.Detail = fmt.Sprintf("%d races, %d slept in the run, %d taken over (%d times), %d woke in time, %d missed; %d writes in %d epochs, %d of them before the new holder's stamp; %d refused, %d of them stale; %d own spare pods taken away late, %d creations under way, %d writes that landed unheard; %d violations",
		len(r), line.Slept, line.Overtaken, total.TakeOvers, ends[race.WokeInTime], ends[race.Missed], total.Landed, total.Epochs, total.Late, total.Refused, total.Stale, total.Tidied, total.Created, total.Heard, len(total.Violations))
	err := errors.Join(failures...)
	line.Passed = err == nil
	if err != nil {
		line.Detail += "; " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return line
}

// missed is an error that lists the races in which others had to take over and
// did not, where they are more than one in ten, or where nobody took over at all.
// One alone is a machine that was too busy.
func (r results) missed(ends map[race.Ending]int) error {
	if ends[race.Missed] <= max(1, len(r)/perHeat) && (ends[race.Missed] == 0 || ends[race.TakenOver] > 0) {
		return nil
	}
	var lines []string
	for _, held := range r {
		if held.Ending == race.Missed {
			lines = append(lines, fmt.Sprintf("%s: nobody took over in %s", held.Race, held.Vacant.Round(time.Millisecond)))
		}
	}
	return errors.New(strings.Join(lines, "; "))
}

// tooFewTakenOver is an error where of the processes that slept in races with a
// rival fewer than a third were taken over: half of them wake too early for that,
// and races of which nobody is taken over show nothing. Less than two heats are
// not judged.
func tooFewTakenOver(outcomes []outcome) error {
	var failures []error
	for _, rival := range []race.Rival{race.Operator, race.Guard} {
		slept, overtaken := 0, 0
		for _, found := range ofKind(outcomes, raceKind) {
			if strings.Contains(found.Part, "races with "+article(rival)+" ") {
				slept, overtaken = slept+found.Slept, overtaken+found.Overtaken
			}
		}
		if slept >= 2*perHeat && 3*overtaken < slept {
			failures = append(failures, fmt.Errorf("of %d processes that slept in races with %s %d were taken over, want a third", slept, article(rival), overtaken))
		}
	}
	return errors.Join(failures...)
}
