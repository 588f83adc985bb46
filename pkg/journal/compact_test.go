package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOpen(t *testing.T) {
	intent := func(sequence int, object string) Entry {
		return Entry{Sequence: sequence, Kind: Intent, Action: "scale", Object: object}
	}
	result := func(sequence int, object string) Entry {
		return Entry{Sequence: sequence, Kind: Result, Action: "scale", Object: object}
	}
	got := Open([]Entry{intent(1, "a"), result(2, "a"), intent(3, "b"), intent(4, "a"), result(5, "c"), intent(6, "d"), intent(7, "d"), result(8, "d")})
	if diff := cmp.Diff([]Entry{intent(3, "b"), intent(4, "a")}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewRunID(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	if got := NewRunID(start.In(zone), "k7f3q"); got != "20261122-153012-k7f3q" {
		t.Error(got)
	}
}

func TestNotesGoFirst(t *testing.T) {
	var entries []Entry
	for i := range 100 {
		kind := Note
		if i%10 == 0 {
			kind = Decision
		}
		entries = append(entries, Entry{Sequence: i + 1, Time: start.Add(time.Duration(i) * time.Second), Kind: kind, Message: strings.Repeat("x", 100)})
	}
	got, err := compact(entries, 12<<10)
	if err != nil {
		t.Fatal(err)
	}
	decisions := 0
	for _, entry := range got {
		if entry.Kind == Decision {
			decisions++
		}
	}
	if decisions != 10 {
		t.Errorf("%d of 10 decisions are left", decisions)
	}
	if summary := got[1]; summary.Action != actionSummary || !strings.Contains(string(summary.Data), `"from":"2026-11-22T15:30:13Z"`) {
		t.Errorf("the summary is %+v", summary)
	}
	if last := got[len(got)-1]; last.Sequence != 100 {
		t.Errorf("the newest entry is %d", last.Sequence)
	}
}

func TestCompactRefusesWhatMustStay(t *testing.T) {
	var entries []Entry
	for i := range 100 {
		entries = append(entries, Entry{Sequence: i + 1, Kind: Intent, Action: "scale", Object: fmt.Sprint(i)})
	}
	if _, err := compact(entries, 1000); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

// TestARecordIsBoundedAndKeepsItsIntents records at random, as a run would,
// and holds after every step: the record fits, no intent without a result is
// gone or changed, the order is kept, and every entry is there or counted.
func TestARecordIsBoundedAndKeepsItsIntents(t *testing.T) {
	kinds := []Kind{Intent, Result, Transition, Decision, Note, Note, Note, Note}
	rapid.Check(t, func(t *rapid.T) {
		const limit = 8 << 10
		current := Run{ID: "x", Release: "shop"}
		var all []Entry
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			entry := Entry{
				Sequence: len(all) + 1, Time: start.Add(time.Duration(len(all)) * time.Second),
				Kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
				Action:  rapid.SampledFrom([]string{"switch", "scale"}).Draw(t, "action"),
				Object:  rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "object"),
				Message: rapid.StringN(0, 200, 400).Draw(t, "message"),
			}
			if rapid.Bool().Draw(t, "data") {
				entry.Data, _ = json.Marshal(map[string]string{"<text>": rapid.StringN(0, 100, 300).Draw(t, "text")})
			}
			// A runner has few intents under way at a time.
			if entry.Kind == Intent && len(Open(all)) >= 3 {
				entry.Kind = Result
			}
			all = append(all, entry)
			current.Entries = append(current.Entries, entry)
			fitted, err := fit(current, limit)
			if err != nil {
				t.Fatal(err)
			}
			current = fitted
			hold(t, current, all, limit)
		}
	})
}

// hold checks what must be true of a record, given all that was recorded.
func hold(t *rapid.T, current Run, all []Entry, limit int) {
	text, err := json.Marshal(current)
	if err != nil || len(text) > limit {
		t.Fatalf("the record takes %d bytes, %v", len(text), err)
	}
	if diff := cmp.Diff(Open(all), Open(current.Entries)); diff != "" {
		t.Fatalf("the open intents have changed: %s", diff)
	}
	last, counted := 0, 0
	for _, entry := range current.Entries {
		if entry.Sequence <= last {
			t.Fatalf("entry %d follows entry %d", entry.Sequence, last)
		}
		last = entry.Sequence
		var left summary
		if entry.Action != actionSummary {
			counted++
		} else if err := json.Unmarshal(entry.Data, &left); err != nil {
			t.Fatal(err)
		} else {
			counted += left.Count
		}
	}
	if counted != len(all) {
		t.Fatalf("%d entries of %d are there or counted", counted, len(all))
	}
}
