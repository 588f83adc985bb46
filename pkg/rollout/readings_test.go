package rollout

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// answered is what a rule says of one reading.
func answered(id string, state measure.State, value float64, detail string) gate.Result {
	reading := measure.Reading{Query: measure.Query{Signal: measure.ErrorRatio, Color: "green"}, State: state, Value: value, Samples: 100, Source: "pods", Detail: detail}
	return gate.Result{Rule: gate.Rule{ID: id, Required: true, Signal: measure.ErrorRatio}, Verdict: gate.Pass, Reading: reading}
}

// read gives a tape one tick a second.
func read(count int, value func(int) gate.Result) *tape {
	kept := &tape{}
	for index := range count {
		kept.add([]gate.Result{value(index), value(index)}, start.Add(time.Duration(index)*time.Second))
	}
	return kept
}

func TestTapeKeepsTheLastTicksInFull(t *testing.T) {
	kept := read(5, func(index int) gate.Result { return answered("rule", measure.OK, float64(10-index), "") })
	got := Readings{}
	if err := json.Unmarshal(kept.readings(), &got); err != nil {
		t.Fatal(err)
	}
	var values []float64
	for _, tick := range got.Around {
		if len(tick.Readings) != 1 || tick.Verdicts["rule"] != gate.Pass {
			t.Errorf("tick = %+v, want one reading, once, and its verdict", tick)
		}
		values = append(values, tick.Readings[0].Value)
	}
	if diff := cmp.Diff([]float64{8, 7, 6}, values); diff != "" {
		t.Errorf("in full (-want +got):\n%s", diff)
	}
	want := []Summary{{Query: measure.Query{Signal: measure.ErrorRatio, Color: "green"}, From: start, To: start.Add(time.Second),
		Answers: map[measure.State]int{measure.OK: 2}, Minimum: 9, Maximum: 10, Last: 9, Source: "pods"}}
	if diff := cmp.Diff(want, got.Between); diff != "" {
		t.Errorf("between (-want +got):\n%s", diff)
	}
}

func TestSilenceIsSummedUpAsSilence(t *testing.T) {
	kept := read(6, func(index int) gate.Result {
		if index == 1 {
			return answered("rule", measure.OK, 0.5, "")
		}
		return answered("rule", measure.SourceDown, 0, "refused")
	})
	want := map[measure.State]int{measure.OK: 1, measure.SourceDown: 2}
	if diff := cmp.Diff(want, kept.between[0].Answers); diff != "" || kept.between[0].Minimum != 0.5 {
		t.Errorf("summary = %+v:\n%s", kept.between[0], diff)
	}
}

func TestLongReadingsFitTheRecord(t *testing.T) {
	kept := read(9, func(index int) gate.Result {
		return answered("rule", measure.OK, float64(index), strings.Repeat("why ", readingsLimit/8))
	})
	got := Readings{}
	if err := json.Unmarshal(kept.readings(), &got); err != nil {
		t.Fatal(err)
	}
	if len(kept.readings()) > readingsLimit || len(got.Around) == 0 || got.Around[len(got.Around)-1].Readings[0].Value != 8 {
		t.Errorf("%d bytes with %d ticks; want the last, within %d", len(kept.readings()), len(got.Around), readingsLimit)
	}
}

// TestTheRecordIsToldWhatAWatchReads: now and then in sum, and in full how it
// ended.
func TestTheRecordIsToldWhatAWatchReads(t *testing.T) {
	runner, _, _ := newRunner(t)
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tenure.Release(t.Context()) }()
	runner.tenure = tenure
	state := at(Watch, moved, cutover)
	for second := range 100 {
		now := start.Add(time.Duration(second) * time.Second)
		runner.tape.add([]gate.Result{answered("rule", measure.OK, float64(second), "")}, now)
		if err := runner.commit(t.Context(), state, state, Observation{Kind: Ticked, At: now}); err != nil {
			t.Fatal(err)
		}
	}
	if err := runner.commit(t.Context(), state, enter(state, Revert, start), Observation{Kind: Ticked, At: start}); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, entry := range tenure.Run().Entries {
		found := Readings{}
		if err := json.Unmarshal(entry.Data, &found); err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%s %s: %d in full, %d summed up to %g", entry.Kind, entry.Action, len(found.Around), found.Between[0].Answers[measure.OK], found.Between[0].Maximum))
	}
	want := []string{"note readings: 0 in full, 58 summed up to 57", "transition watch → revert: 3 in full, 39 summed up to 96"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}
