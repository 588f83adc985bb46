package signoff

import (
	"fmt"
	"time"
)

// State is what becomes of a sign-off.
type State string

// The states.
const (
	// Signed: it counts.
	Signed State = "signed"
	// Absent: nobody has signed.
	Absent State = "not signed"
	// Expired: its day has passed.
	Expired State = "expired"
	// Unfit: what it was given for has changed.
	Unfit State = "no longer fits"
	// Unreadable: there is something that can't be read as one.
	Unreadable State = "unreadable"
	// Unsure: what it would have to fit can't be seen.
	Unsure State = "not known"
)

// Standing is a kind and what has become of its sign-off.
type Standing struct {
	Kind  Kind
	State State
	// SignOff is nil where there is none that can be read.
	SignOff *SignOff
	// Reason is one sentence, without a full stop.
	Reason string
}

// Judge says what a sign-off is worth at a time; it is pure. found says that
// there is an entry; problem is why what it is bound to is not known, else "".
func Judge(kind Kind, entry Entry, found bool, now Binding, problem string, at time.Time) Standing {
	if !found {
		return Standing{Kind: kind, State: Absent, Reason: "nobody has signed off " + kind.What}
	}
	if entry.Problem != "" {
		return Standing{Kind: kind, State: Unreadable, Reason: "key " + kind.ID + ": " + entry.Problem}
	}
	signed := entry.SignOff
	standing := Standing{Kind: kind, SignOff: &signed}
	who := fmt.Sprintf("signed off by %s on %s", signed.By, signed.Signed.UTC().Format(time.DateOnly))
	ends, _ := signed.Until.Ends()
	longest := signed.Signed
	if at.Before(longest) { // a clock that was ahead, or a hand
		longest = at
	}
	switch differs := signed.Binding.Differs(now); {
	case string(signed.Until) > latest(kind, longest):
		standing.State, standing.Reason = Unreadable, fmt.Sprintf("key %s: its until %s is more than %d days after it was signed", kind.ID, signed.Until, kind.Longest)
	case !at.Before(ends):
		standing.State, standing.Reason = Expired, fmt.Sprintf("%s, and expired since %s", who, ends.Format(time.DateOnly))
	case problem != "":
		standing.State, standing.Reason = Unsure, fmt.Sprintf("%s until %s; whether it fits can't be seen: %s", who, signed.Until, problem)
	case differs != "":
		standing.State, standing.Reason = Unfit, fmt.Sprintf("%s until %s, but %s", who, signed.Until, differs)
	default:
		standing.State, standing.Reason = Signed, fmt.Sprintf("%s until %s", who, signed.Until)
	}
	return standing
}
