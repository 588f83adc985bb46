package signoff

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// SignOff is one person's word for one thing.
type SignOff struct {
	// By is who answers for it.
	By string `json:"by"`
	// Until is the last day on which it counts.
	Until release.Date `json:"until"`
	Note  string       `json:"note,omitempty"`
	// Signed is when it was given, by the clock of who gave it.
	Signed  time.Time `json:"signed"`
	Binding Binding   `json:"binding"`
}

// The longest texts of people, in bytes.
const (
	longestBy   = 200
	longestNote = 1000
)

// New makes the sign-off that flags ask for. Its errors name the flag.
func New(kind Kind, by, until, note string, now time.Time) (SignOff, error) {
	signed := SignOff{By: strings.TrimSpace(by), Until: release.Date(until), Note: strings.TrimSpace(note), Signed: now.UTC().Truncate(time.Second)}
	switch {
	case signed.By == "":
		return signed, release.WithHint(errors.New("read --by: it is empty, and somebody must answer for a sign-off"), "such as --by ana@example.com")
	case !speakable(signed.By, longestBy):
		return signed, release.WithHint(fmt.Errorf("read --by: it is longer than %d bytes, or more than one line", longestBy), "such as --by ana@example.com")
	case !speakable(signed.Note, longestNote):
		return signed, release.WithHint(fmt.Errorf("read --note: it is longer than %d bytes, or more than one line", longestNote), "say in it where the whole report is")
	case len(release.SecretsIn(signed.By+" "+signed.Note)) > 0:
		return signed, release.WithHint(errors.New("read --note: it looks as if it held a password, and everybody who may read the namespace would see it"), "say it without")
	}
	ends, dated := signed.Until.Ends()
	switch {
	case !dated:
		return signed, release.WithHint(fmt.Errorf("read --until %q: expected a day as year-month-day", until), "such as --until "+latest(kind, now))
	case !now.Before(ends):
		return signed, release.WithHint(fmt.Errorf("read --until %s: that day has passed", until), "such as --until "+latest(kind, now))
	case string(signed.Until) > latest(kind, now):
		return signed, release.WithHint(fmt.Errorf("read --until %s: %s is signed off for %d days at most", until, kind.What, kind.Longest),
			"at most --until "+latest(kind, now))
	}
	return signed, nil
}

// latest is the last day until which a kind may be signed off at a time.
func latest(kind Kind, now time.Time) string {
	return now.UTC().AddDate(0, 0, kind.Longest).Format(time.DateOnly)
}

// speakable reports whether a text is one line of a length.
func speakable(text string, longest int) bool {
	return len(text) <= longest && !strings.ContainsFunc(text, unicode.IsControl)
}

// Entry is a key of the ConfigMap: a sign-off, or why it can't be read as one.
type Entry struct {
	SignOff SignOff
	// Problem is in one sentence, "" where there is none.
	Problem string
}

// decode reads an entry, which somebody may have edited.
func decode(text string) Entry {
	var signed SignOff
	if err := json.Unmarshal([]byte(text), &signed); err != nil {
		return Entry{Problem: "it is no sign-off as JSON: " + release.Redacted(err.Error())}
	}
	signed.By, signed.Note = release.Redacted(signed.By), release.Redacted(signed.Note)
	_, dated := signed.Until.Ends()
	switch {
	case strings.TrimSpace(signed.By) == "":
		return Entry{Problem: "it says nobody in by"}
	case !speakable(signed.By, longestBy), !speakable(signed.Note, longestNote):
		return Entry{Problem: "its by or its note is too long, or more than one line"}
	case !dated:
		return Entry{Problem: "its until is no day as year-month-day"}
	case signed.Signed.IsZero():
		return Entry{Problem: "it says no time in signed"}
	}
	return Entry{SignOff: signed}
}
