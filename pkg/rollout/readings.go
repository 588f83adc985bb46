package rollout

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

const (
	// fullTicks is how many ticks of the gate before a decision, and with it,
	// are kept in full. Three readings stand behind every sustained verdict
	// (gate.Holding).
	fullTicks = 3
	// summaryInterval is how often a hold or a watch writes down what it has
	// read meanwhile: what a kill can cost of the record.
	summaryInterval = time.Minute
	// readingsLimit, in bytes, is what the readings of one entry may take: the
	// journal keeps up to 32 KiB of an entry's data.
	readingsLimit = 30 << 10

	// actionReadings is the action of the notes that a hold or a watch leaves.
	actionReadings = "readings"
)

// Readings are what a gate read, as the record keeps it: in full around a
// decision, summed up between two.
type Readings struct {
	// Around are the last ticks before the decision, oldest first, the one
	// that decided among them.
	Around []Tick `json:"around,omitempty"`
	// Between are the ticks before those, since the record was last told.
	Between []Summary `json:"between,omitempty"`
}

// Tick is one evaluation of the gate.
type Tick struct {
	Time time.Time `json:"time"`
	// Readings are each answer once, with its query, samples and source.
	Readings []measure.Reading `json:"readings"`
	// Verdicts are what the rules said of them, by gate.Rule.Key.
	Verdicts map[string]gate.Verdict `json:"verdicts"`
}

// Summary is what one query was answered over several ticks.
type Summary struct {
	measure.Query
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Answers counts the readings by their state: ok, no-data, source-down.
	Answers map[measure.State]int `json:"answers"`
	// Minimum, Maximum and Last are of the answers that had a value.
	Minimum float64 `json:"minimum"`
	Maximum float64 `json:"maximum"`
	Last    float64 `json:"last"`
	// Source answered last.
	Source string `json:"source,omitempty"`
}

// tape is the ticks that the record has not been told yet.
type tape struct {
	full    []Tick
	between []Summary
	// told is when the record was last told, or the first tick.
	told time.Time
}

// add takes one tick; the oldest of more than fullTicks is summed up.
func (t *tape) add(results []gate.Result, at time.Time) {
	if t.told.IsZero() {
		t.told = at
	}
	t.full = append(t.full, tickOf(results, at))
	for len(t.full) > fullTicks {
		t.sumUp(t.full[0])
		t.full = t.full[1:]
	}
}

// tickOf keeps each reading once: several rules look at the same.
func tickOf(results []gate.Result, at time.Time) Tick {
	tick := Tick{Time: at, Readings: []measure.Reading{}, Verdicts: map[string]gate.Verdict{}}
	for _, result := range results {
		if result.Disabled || !result.Required {
			continue
		}
		tick.Verdicts[result.Key()] = result.Verdict
		same := func(reading measure.Reading) bool { return reading.Query == result.Reading.Query }
		if !slices.ContainsFunc(tick.Readings, same) {
			tick.Readings = append(tick.Readings, result.Reading)
		}
	}
	return tick
}

// sumUp adds a tick to the summaries.
func (t *tape) sumUp(tick Tick) {
	for _, reading := range tick.Readings {
		index := slices.IndexFunc(t.between, func(known Summary) bool { return known.Query == reading.Query })
		if index < 0 {
			t.between = append(t.between, Summary{Query: reading.Query, From: tick.Time, Answers: map[measure.State]int{}})
			index = len(t.between) - 1
		}
		t.between[index].add(reading, tick.Time)
	}
}

func (s *Summary) add(reading measure.Reading, at time.Time) {
	s.To, s.Source = at, reading.Source
	s.Answers[reading.State]++
	if reading.State != measure.OK {
		return
	}
	if s.Answers[measure.OK] == 1 {
		s.Minimum, s.Maximum = reading.Value, reading.Value
	}
	s.Minimum, s.Maximum, s.Last = min(s.Minimum, reading.Value), max(s.Maximum, reading.Value), reading.Value
}

// due reports whether the record should be told what was read meanwhile.
func (t *tape) due(now time.Time) bool {
	return len(t.between) > 0 && now.Sub(t.told) >= summaryInterval
}

// note is the entry that sums up what was read; the last ticks stay on the
// tape, for the decision that may come.
func (t *tape) note() journal.Entry {
	ticks := 0
	for _, count := range t.between[0].Answers {
		ticks += count
	}
	return journal.Entry{Kind: journal.Note, Action: actionReadings, Data: encoded(Readings{Between: t.between}),
		Message: fmt.Sprintf("%d signals read %d times", len(t.between), ticks)}
}

// summed forgets what the record was told.
func (t *tape) summed(now time.Time) { t.between, t.told = nil, now }

// readings are what a decision rests on, with fewer ticks in full where they
// would be too long for an entry; nil when nothing was read.
func (t *tape) readings() json.RawMessage {
	full := t.full
	for len(full) > 1 && len(encoded(Readings{Around: full, Between: t.between})) > readingsLimit {
		full = full[1:]
	}
	if len(full) == 0 {
		return nil
	}
	return encoded(Readings{Around: full, Between: t.between})
}

// encoded is readings as JSON. No source gives a value that JSON doesn't know
// (measure), and an entry without its data is better than none.
func encoded(readings Readings) json.RawMessage {
	data, err := json.Marshal(readings)
	if err != nil {
		return nil
	}
	return data
}
