package race

import (
	"testing"
	"time"
)

// A moment is somewhere within a run of that length, its first and last write
// included.
func TestMomentIsWithinTheRun(t *testing.T) {
	usual := length{took: 20 * time.Second, writes: 50}
	for moment, write := range map[float64]int{0: 1, 0.5: 26, 0.999: 50} {
		asleep := sleeperOf(Race{Moment: moment, AtWrite: true}, usual)
		if asleep.write != write || asleep.after != 0 {
			t.Errorf("moment %v is write %d, or after %s; want write %d", moment, asleep.write, asleep.after, write)
		}
	}
	if asleep := sleeperOf(Race{Moment: 0.5}, usual); asleep.write != 0 || asleep.after != 10*time.Second+1 {
		t.Errorf("moment 0.5 is write %d, or after %s; want after 10 s", asleep.write, asleep.after)
	}
}

// It falls asleep over one write, and one that is awake over none.
func TestFallsAsleepOnce(t *testing.T) {
	asleep, counted := sleeperOf(Race{Moment: 0.5, AtWrite: true}, length{writes: 4}), awake()
	for number := range 5 {
		if falls := asleep.falls(); falls != (number+1 == 3) {
			t.Errorf("at write %d it falls asleep: %t", number+1, falls)
		}
		if counted.falls() {
			t.Errorf("at write %d who is awake falls asleep", number+1)
		}
	}
	if counted.counted() != 5 {
		t.Errorf("%d writes are counted, want 5", counted.counted())
	}
}
