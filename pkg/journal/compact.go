package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The bounds of a record, in bytes. A ConfigMap holds at most 1 MiB; the
// record stays at half of that, since it is written anew at every step.
const (
	recordLimit   = 512 << 10
	messageLimit  = 4 << 10
	dataLimit     = 32 << 10
	entriesTarget = 3 // quarters of their room that entries take after compaction
)

// errFull says that what must be kept has no room.
var errFull = errors.New("what must be kept of the record has no room in it")

// actionSummary is the action of the note that stands for what was left out.
const actionSummary = "summary"

// summary is the data of that note.
type summary struct {
	Count int       `json:"count"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// fit makes a run's record small enough to be written: it leaves the run as
// it is while there is room, and compacts its entries otherwise.
func fit(run Run, limit int) (Run, error) {
	entries := run.Entries
	run.Entries = nil
	base, err := json.Marshal(run)
	if err != nil {
		return run, fmt.Errorf("encode run %s: %w", run.ID, err)
	}
	// The empty record, and the key and the brackets of the entries.
	room := limit - len(base) - len(`,"entries":[]`)
	run.Entries, err = compact(entries, room)
	if err != nil {
		return run, fmt.Errorf("fit run %s into %d bytes: %w", run.ID, limit, err)
	}
	return run, nil
}

// compact returns the entries unchanged while their JSON fits into room, in
// bytes. Otherwise it leaves out, oldest first and until there is some room
// again: notes, then the data of entries, then whole entries. Intents without
// a result are kept as they are, whatever happens.
func compact(entries []Entry, room int) ([]Entry, error) {
	c, err := newCompaction(entries)
	if err != nil {
		return nil, err
	}
	if c.total <= room {
		return entries, nil
	}
	target := room * entriesTarget / 4
	c.leaveOut(target, func(e Entry) bool { return e.Kind == Note })
	if err := c.strip(target); err != nil {
		return nil, err
	}
	c.leaveOut(target, func(Entry) bool { return true })
	if c.total > room {
		return nil, errFull
	}
	return c.kept()
}

// compaction is entries with the size of each.
type compaction struct {
	entries []Entry
	sizes   []int
	gone    []bool
	open    map[int]bool // by sequence
	left    summary
	total   int
}

// summarySize is more than the note of what was left out can take.
const summarySize = 512

func newCompaction(entries []Entry) (*compaction, error) {
	c := &compaction{entries: append([]Entry(nil), entries...), gone: make([]bool, len(entries)), open: map[int]bool{}}
	for _, intent := range Open(entries) {
		c.open[intent.Sequence] = true
	}
	for _, entry := range entries {
		size, err := sizeOf(entry)
		if err != nil {
			return nil, err
		}
		c.sizes = append(c.sizes, size)
		c.total += size
	}
	return c, nil
}

// sizeOf is what an entry takes in the list, with its comma.
func sizeOf(entry Entry) (int, error) {
	text, err := json.Marshal(entry)
	if err != nil {
		return 0, fmt.Errorf("encode %s of %s: %w", entry.Kind, entry.Object, err)
	}
	return len(text) + 1, nil
}

// leaveOut takes out the oldest entries of which may is true.
func (c *compaction) leaveOut(target int, may func(Entry) bool) {
	for i, entry := range c.entries {
		if c.total <= target {
			return
		}
		if c.gone[i] || c.open[entry.Sequence] || !may(entry) {
			continue
		}
		if c.left.Count == 0 {
			c.total += summarySize
		}
		c.left.add(entry)
		c.gone[i] = true
		c.total -= c.sizes[i]
	}
}

// add counts an entry, or what an older summary has counted.
func (s *summary) add(entry Entry) {
	more := summary{Count: 1, From: entry.Time, To: entry.Time}
	if entry.Kind == Note && entry.Action == actionSummary {
		var older summary
		if err := json.Unmarshal(entry.Data, &older); err == nil {
			more = older
		}
	}
	if s.Count == 0 || more.From.Before(s.From) {
		s.From = more.From
	}
	if more.To.After(s.To) {
		s.To = more.To
	}
	s.Count += more.Count
}

// strip takes the data off the oldest entries.
func (c *compaction) strip(target int) error {
	for i := range c.entries {
		if c.total <= target {
			return nil
		}
		if c.gone[i] || c.open[c.entries[i].Sequence] || c.entries[i].Data == nil || c.entries[i].Action == actionSummary {
			continue
		}
		c.entries[i].Data = nil
		size, err := sizeOf(c.entries[i])
		if err != nil {
			return err
		}
		c.total += size - c.sizes[i]
		c.sizes[i] = size
	}
	return nil
}

// kept returns what is left, with a note in place of the first that is gone.
func (c *compaction) kept() ([]Entry, error) {
	data, err := json.Marshal(c.left)
	if err != nil {
		return nil, fmt.Errorf("encode summary: %w", err)
	}
	var kept []Entry
	noted := c.left.Count == 0
	for i, entry := range c.entries {
		switch {
		case !c.gone[i]:
			kept = append(kept, entry)
		case !noted:
			noted = true
			kept = append(kept, Entry{
				Sequence: entry.Sequence, Time: c.left.To, Kind: Note, Action: actionSummary, Data: data,
				Message: fmt.Sprintf("%d older entries were left out to keep the record short", c.left.Count),
			})
		}
	}
	return kept, nil
}

// bounded cuts what one entry may take. An intent is never cut silently, for
// resuming depends on it.
func bounded(entry Entry) (Entry, error) {
	if len(entry.Message) > messageLimit {
		entry.Message = strings.ToValidUTF8(entry.Message[:messageLimit], "") + "…"
	}
	if len(entry.Data) <= dataLimit {
		return entry, nil
	}
	if entry.Kind == Intent {
		return entry, fmt.Errorf("record %s of %s: its data is %d bytes long, more than %d", entry.Action, entry.Object, len(entry.Data), dataLimit)
	}
	entry.Data = fmt.Appendf(nil, `{"omittedBytes":%d}`, len(entry.Data))
	return entry, nil
}
