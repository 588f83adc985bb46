package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/audit"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/race"
)

// Every race is in one heat, half of them against each rival, and what has
// passed is not held again.
func TestHeatsHoldEveryRace(t *testing.T) {
	for _, races := range []int{0, 1, 9, 10, 23, 200} {
		numbers := map[race.Rival]map[int]bool{race.Operator: {}, race.Guard: {}}
		for _, found := range heats(service, options{races: races, seed: 1}, opened(t, t.TempDir())) {
			for number := range found.count {
				if numbers[found.rival][found.first+number] {
					t.Errorf("%d races: %s %d is held twice", races, found.rival, found.first+number)
				}
				numbers[found.rival][found.first+number] = true
			}
		}
		if operators, guards := len(numbers[race.Operator]), len(numbers[race.Guard]); operators+guards != races || operators-guards < 0 || operators-guards > 1 {
			t.Errorf("%d races: %d with an operator and %d with a guard", races, operators, guards)
		}
	}

	kept := opened(t, t.TempDir())
	chosen := options{races: 40, seed: 1}
	all := heats(service, chosen, kept)
	add(t, kept, outcome{Part: all[1].name(), Passed: true}, outcome{Part: all[2].name()})
	if left := heats(service, chosen, kept); len(left) != len(all)-1 || left[0] != all[0] || left[1] != all[2] {
		t.Errorf("after the second has passed, and the third failed, %v is left of %v", left, all)
	}
	chosen.seed = 2
	if left := heats(service, chosen, kept); len(left) != len(all) {
		t.Errorf("with another seed %v is left", left)
	}
}

// A heat says what its races came to, and passes only where none failed,
// somebody was put to sleep, and whoever had to be taken over was.
func TestHeatIsJudged(t *testing.T) {
	held := func(change func(*race.Outcome)) results {
		good := race.Outcome{Slept: true, Ending: race.TakenOver, Took: time.Second, Verdict: audit.Verdict{Landed: 60, Refused: 3, Stale: 2, Late: 1, Epochs: 2, TakeOvers: 1}}
		other := race.Outcome{Ending: race.EndedFirst, Took: time.Second, Verdict: audit.Verdict{Landed: 40, Epochs: 1}}
		change(&good)
		return results{good, other}
	}
	counts := "2 races, 1 slept in the run, 1 taken over (1 times), 0 woke in time, 0 missed; 100 writes in 3 epochs, 1 of them before the new holder's stamp; 3 refused, 2 of them stale; 0 own spare pods taken away late, 0 creations under way, 0 writes that landed unheard; 0 violations"
	ends := func(ending race.Ending) func(*race.Outcome) {
		return func(found *race.Outcome) {
			found.Verdict.TakeOvers, found.Ending, found.Vacant = 0, ending, 7*time.Second
		}
	}
	for name, tt := range map[string]struct {
		change func(*race.Outcome)
		passed bool
		says   string
	}{
		"good":             {func(*race.Outcome) {}, true, counts},
		"it woke in time":  {ends(race.WokeInTime), true, "0 taken over (0 times), 1 woke in time, 0 missed;"},
		"nobody took over": {ends(race.Missed), false, "nobody took over in 7s"},
		"nobody slept":     {func(found *race.Outcome) { found.Slept = false }, false, "only 0 of 2 were put to sleep before they had ended"},
		"a violation": {func(found *race.Outcome) {
			found.Verdict.Violations, found.Err = []string{"two"}, errors.New("race 1:\n1 violations: two")
		}, false, "1 violations; race 1:; 1 violations: two"},
	} {
		t.Run(name, func(t *testing.T) {
			found := held(tt.change).outcome(heat{driver: service.Name, seed: 3, rival: race.Guard, first: 6, count: 2})
			if found.Passed != tt.passed || !strings.Contains(found.Detail, tt.says) || found.Took != 2*time.Second {
				t.Errorf("%+v; want passed: %t and %q", found, tt.passed, tt.says)
			}
			if found.Part != "service: races with a guard 6–7, seed 3" || found.Case != nil {
				t.Errorf("it is kept as %q", found.Part)
			}
		})
	}
}

// One in ten may be missed where others were taken over, and each that is one too
// many is told.
func TestFewAreMissed(t *testing.T) {
	for _, tt := range []struct {
		missed, overtaken int
		passed            bool
	}{{0, 0, true}, {0, 6, true}, {1, 6, true}, {1, 0, false}, {2, 6, false}} {
		held := results{}
		for number := range perHeat {
			one := race.Outcome{Race: race.Race{Number: number + 1}, Slept: true, Ending: race.WokeInTime}
			switch {
			case number < tt.missed:
				one.Ending = race.Missed
			case number < tt.missed+tt.overtaken:
				one.Ending = race.TakenOver
			}
			held = append(held, one)
		}
		found := held.outcome(heat{driver: service.Name, rival: race.Guard, first: 1, count: perHeat})
		if found.Passed != tt.passed || found.Slept != perHeat || found.Overtaken != tt.overtaken {
			t.Errorf("%d missed and %d taken over: %+v", tt.missed, tt.overtaken, found)
		}
		if told := strings.Count(found.Detail, ": nobody took over in "); !tt.passed && told != tt.missed {
			t.Errorf("%d missed, and %d are told: %s", tt.missed, told, found.Detail)
		}
	}
}

// Races of a rival of which hardly anybody is taken over fail the soak, however
// well those of the other one went; a few that were held alone say nothing.
func TestTooFewTakenOverFailTheSoak(t *testing.T) {
	for _, tt := range []struct {
		slept, overtaken int
		fails            bool
	}{{19, 0, false}, {20, 6, true}, {20, 7, false}, {92, 30, true}, {92, 60, false}} {
		kept := opened(t, t.TempDir())
		for rival, line := range map[race.Rival]outcome{race.Guard: {Slept: tt.slept, Overtaken: tt.overtaken}, race.Operator: {Slept: 90, Overtaken: 80}} {
			line.Part, line.Heat, line.Passed = heat{driver: service.Name, rival: rival, first: 1, count: 10}.name(), true, true
			add(t, kept, line)
		}
		if err := kept.verdict(); (err != nil) != tt.fails || err != nil && !strings.Contains(err.Error(), "races with a guard") {
			t.Errorf("%d of %d taken over: %v", tt.overtaken, tt.slept, err)
		}
	}
}
