package journal

import (
	"encoding/json"
	"reflect"
	"time"
)

// Run is one attempt to move a release, as the cluster keeps it.
type Run struct {
	// ID is unique and sorts by time: 20261122-153012-k7f3q.
	ID        string `json:"id"`
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	// Holder is who drives the run now, such as alice@laptop/4711.
	Holder string `json:"holder"`
	// Epoch is the fence's number: it grows with every Acquire.
	Epoch   int64     `json:"epoch"`
	Started time.Time `json:"started"`
	// Finished is zero while the run has not ended.
	Finished time.Time `json:"finished,omitzero"`
	// From and To are the colours that traffic leaves and moves to.
	From string `json:"from"`
	To   string `json:"to"`
	// Phase is where the run is; Outcome how it ended, "" before that.
	Phase   string `json:"phase"`
	Outcome string `json:"outcome,omitempty"`
	// State is the runner's own state, opaque here.
	State json.RawMessage `json:"state,omitempty"`
	// Document is the Release document that the run uses, as it was written.
	Document []byte `json:"document,omitempty"`
	// Entries are what happened, oldest first.
	Entries []Entry `json:"entries,omitempty"`
	// LastSequence is the number of the last entry that was ever recorded,
	// also when compaction has left that one out.
	LastSequence int `json:"lastSequence"`
	// Beyond are the fields that a newer version of this tool has written, as
	// they were read.
	Beyond map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps the fields that are not known.
func (r *Run) UnmarshalJSON(text []byte) (err error) {
	type plain Run
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.Beyond, err = beyond(text, reflect.TypeFor[plain]())
	return err
}

// MarshalJSON writes them again.
func (r Run) MarshalJSON() ([]byte, error) {
	type plain Run
	text, err := json.Marshal(plain(r))
	if err != nil {
		return nil, err
	}
	return with(text, r.Beyond)
}

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	// Intent: about to write to an object.
	Intent Kind = "intent"
	// Result: what came of the intent of the same action and object.
	Result Kind = "result"
	// Transition: from one phase to another.
	Transition Kind = "transition"
	// Decision: why the gate advanced, held or rolled back.
	Decision Kind = "decision"
	// Note: anything else, such as the readings of a tick; the first to be
	// summarised when the record grows too long.
	Note Kind = "note"
)

// Entry is one line of a run's record.
type Entry struct {
	// Sequence counts from 1 and is set by the journal.
	Sequence int `json:"sequence"`
	// Time is set by the journal when it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Action is what is done, such as switch or scale.
	Action string `json:"action,omitempty"`
	// Object is what it is done to: kind/name.
	Object  string `json:"object,omitempty"`
	Message string `json:"message,omitempty"`
	// Split is the split that the route was given, such as blue=50,green=50, on
	// the transition out of a phase that wrote one.
	Split string          `json:"split,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
	// Beyond are the fields that a newer version of this tool has written, as
	// they were read.
	Beyond map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps the fields that are not known.
func (e *Entry) UnmarshalJSON(text []byte) (err error) {
	type plain Entry
	if err := json.Unmarshal(text, (*plain)(e)); err != nil {
		return err
	}
	e.Beyond, err = beyond(text, reflect.TypeFor[plain]())
	return err
}

// MarshalJSON writes them again.
func (e Entry) MarshalJSON() ([]byte, error) {
	type plain Entry
	text, err := json.Marshal(plain(e))
	if err != nil {
		return nil, err
	}
	return with(text, e.Beyond)
}

// Open returns the intents that no later result of the same action and object
// answers: what a run that was interrupted may or may not have done.
func Open(entries []Entry) []Entry {
	var open []Entry
	answered := map[[2]string]bool{}
	for i := len(entries) - 1; i >= 0; i-- {
		entry := entries[i]
		subject := [2]string{entry.Action, entry.Object}
		switch {
		case entry.Kind == Result:
			answered[subject] = true
		case entry.Kind == Intent && !answered[subject]:
			open = append([]Entry{entry}, open...)
		}
	}
	return open
}

// NewRunID is the time in UTC and a few random letters or digits, in lower
// case, that tell two runs of the same second apart.
func NewRunID(now time.Time, random string) string {
	return now.UTC().Format("20060102-150405") + "-" + random
}
