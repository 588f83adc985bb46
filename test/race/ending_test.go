package race

import (
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// Nobody who sleeps for less than it takes to be sure is missed; who takes over
// early has taken over all the same.
func TestEndings(t *testing.T) {
	for _, tt := range []struct {
		slept     bool
		takeOvers int
		vacant    time.Duration
		want      Ending
	}{
		{false, 0, 0, EndedFirst}, {true, 0, 0, WokeInTime}, {true, 0, surely - 1, WokeInTime}, {true, 0, surely, Missed},
		{true, 1, 0, TakenOver}, {true, 2, surely, TakenOver}, {false, 1, 0, TakenOver},
	} {
		if got := endingOf(tt.slept, tt.takeOvers, tt.vacant); got != tt.want {
			t.Errorf("slept %t, taken over %d times, vacant for %s: %s, want %s", tt.slept, tt.takeOvers, tt.vacant, got, tt.want)
		}
	}
}

// A run is vacant from when its holder stirs no more and somebody is there, and
// not while there is none, it has ended, or its lease was given up.
func TestVacancyIsCounted(t *testing.T) {
	begun := time.Date(2026, 11, 22, 15, 30, 12, 0, time.UTC)
	beat := func(renewed int) journal.Heartbeat {
		return journal.Heartbeat{Holder: "ana@laptop/1", Renewed: begun.Add(time.Duration(renewed) * time.Second), Duration: lease}
	}
	silent := sight{Run: "run", Beat: beat(0), Watched: true}
	unwatched, over, free, stirred := silent, silent, silent, silent
	unwatched.Watched, over.Run, free.Beat, stirred.Beat = false, "", journal.Heartbeat{Duration: lease}, beat(3)
	for name, tt := range map[string]struct {
		// seen is what is seen in each second.
		seen []sight
		want time.Duration
	}{
		"nothing is seen":         {nil, 0},
		"once":                    {[]sight{silent}, 0},
		"all the time":            {[]sight{silent, silent, silent, silent}, 3 * time.Second},
		"nobody is there":         {[]sight{unwatched, unwatched, unwatched}, 0},
		"somebody comes":          {[]sight{unwatched, unwatched, silent, silent}, time.Second},
		"it stirs in between":     {[]sight{silent, silent, silent, stirred, stirred}, 2 * time.Second},
		"it has ended":            {[]sight{over, over, over}, 0},
		"it ends in between":      {[]sight{silent, silent, over, over, over}, time.Second},
		"it was given up":         {[]sight{free, free, free}, 0},
		"the same again is anew":  {[]sight{silent, over, silent, silent}, time.Second},
		"the longest is what was": {[]sight{silent, silent, silent, over, silent, silent}, 2 * time.Second},
	} {
		counted := vacancy{}
		for second, seen := range tt.seen {
			counted.look(begun.Add(time.Duration(second)*time.Second), seen)
		}
		if counted.longest != tt.want {
			t.Errorf("%s: vacant for %s, want %s", name, counted.longest, tt.want)
		}
	}
}

// Every ten races that are drawn by default hold some whose process sleeps until
// others must be sure, and some that wakes before anybody may be.
func TestEveryHeatSleepsOnBothSides(t *testing.T) {
	for _, rival := range []Rival{Operator, Guard} {
		for first := 1; first <= 100; first += 10 {
			long, short := 0, 0
			for number := first; number < first+10; number++ {
				switch alone := Draw(1, number, rival); {
				case alone.Asleep-alone.Delay >= 2*lease:
					long++
				case alone.Asleep-alone.Delay < lease:
					short++
				}
			}
			if long == 0 || short == 0 {
				t.Errorf("%s, races %d–%d: %d sleep long, %d short", rival, first, first+9, long, short)
			}
		}
	}
}
