package race

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// lease is how long a process that races may be silent, and the silence that a
// guard waits for: three renewals, short enough to race many times.
const lease = 3 * time.Second

// The longest that things take that are drawn. A process is asleep as often for
// less than it takes others to take the run over as for more.
const (
	longestAsleep = 3 * lease
	longestDelay  = lease
)

// Rival is who races with an operator.
type Rival string

// The rivals.
const (
	Operator Rival = "operator"
	Guard    Rival = "guard"
)

// Race is one race, as it was drawn.
type Race struct {
	Number int
	Rival  Rival
	// Carries: the process that falls asleep is that of a Job, which takes
	// its run up again when it has lost it, and not a person's.
	Carries bool
	// Others are the commands of the operators who take over, of which all
	// begin at once; none where a guard does.
	Others []string
	// Policy is the guard's.
	Policy rollout.GuardPolicy
	// Moment is how far into the run the process falls asleep, from 0 to 1:
	// of the time that a run takes, or, AtWrite, of its writes.
	Moment  float64
	AtWrite bool
	// Delay is when the others begin, Asleep when the process is woken, and
	// Held when the write is let go: all since it fell asleep.
	Delay, Asleep, Held time.Duration
}

// Draw draws a race. The same seed, number and rival give the same one.
func Draw(seed uint64, number int, rival Rival) Race {
	stream := 2 * uint64(number)
	if rival == Guard {
		stream++
	}
	dice := rand.New(rand.NewPCG(seed, stream))
	up := func(longest time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(longest))) }
	drawn := Race{Number: number, Rival: rival, Carries: dice.IntN(3) == 0}
	drawn.Moment, drawn.AtWrite = dice.Float64(), dice.IntN(2) == 0
	drawn.Asleep, drawn.Held = up(longestAsleep), up(longestAsleep)
	if rival == Guard {
		policies := rollout.GuardPolicies()
		drawn.Policy = policies[dice.IntN(len(policies))]
		return drawn
	}
	others := [][]string{{resume}, {rollback}, {force}, {resume, resume}, {resume, rollback}}
	drawn.Others = others[dice.IntN(len(others))]
	drawn.Delay = up(longestDelay)
	drawn.Asleep += drawn.Delay
	drawn.Held += drawn.Delay
	return drawn
}

// The commands of an operator who takes over.
const (
	resume   = "resume"
	rollback = "rollback"
	force    = "rollback --force"
)

// String is the race for people.
func (r Race) String() string {
	sleeper, others, when := "shift", "guard "+string(r.Policy), fmt.Sprintf("after %.0f %% of the time", 100*r.Moment)
	if r.Carries {
		sleeper = "a Job's shift"
	}
	if r.Rival == Operator {
		others = strings.Join(r.Others, " and ")
	}
	if r.AtWrite {
		when = fmt.Sprintf("after %.0f %% of the writes, let go %s later", 100*r.Moment, r.Held.Round(time.Millisecond))
	}
	return fmt.Sprintf("race %d: %s sleeps %s %s; %s %s later", r.Number, sleeper, r.Asleep.Round(time.Millisecond), when, others, r.Delay.Round(time.Millisecond))
}
