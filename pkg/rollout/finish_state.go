package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// Finish is what a run is about that decommissions the idle side: what was
// asked for, what was found to remain on that side, and what becomes of its
// objects.
type Finish struct {
	// Idle is the colour that is decommissioned, Live the one that has
	// everything.
	Idle string `json:"idle"`
	Live string `json:"live"`
	// Delete: the objects are deleted once the side has no pod left.
	Delete   bool        `json:"delete,omitempty"`
	SignOffs []SignOff   `json:"signOffs,omitempty"`
	Remains  []Remainder `json:"remains,omitempty"`
	Objects  []Belonging `json:"objects,omitempty"`
}

// finishes reports whether a run goes on to decommission the idle side, as
// against one that was sent back from there.
func (s State) finishes() bool {
	phase := s.Phase
	if phase == Held {
		phase = s.Resume
	}
	return s.Finish != nil && (phase == Quiet || phase == Decommission)
}

// What is signed off by name. A declared database has its name behind a slash.
const (
	// What nobody declared a measurement for, or nobody answers, of requests.
	remainsRequests = "requests"
	// The sessions in PostgreSQL.
	remainsSessions = "sessions"
	// The connections that clients hold open to the side's pods.
	remainsConnections = "connections"
)

// SignOff is a person's word for what can't be known.
type SignOff struct {
	// What is requests, connections, sessions or sessions/DATABASE.
	What   string `json:"what"`
	Reason string `json:"reason"`
	// By is the process that it was given to: user@host/pid.
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Amount says how much of one kind is left on a side.
type Amount string

// The amounts. What is Some keeps the side whatever anybody says. Resting and
// Unknown keep it unless they are signed off.
const (
	Zero Amount = "zero"
	Some Amount = "some"
	// Resting: sessions of which none is in a transaction, such as a pool
	// keeps until its process ends.
	Resting Amount = "resting"
	Unknown Amount = "unknown"
)

// Remainder is what is left on a side of one kind.
type Remainder struct {
	What    string `json:"what"`
	Amount  Amount `json:"amount"`
	Message string `json:"message"`
	// Readings are what that rests on.
	Readings []measure.Reading `json:"readings,omitempty"`
	// SignOff lets the side end all the same, nil where none was given, or
	// none is needed.
	SignOff *SignOff `json:"signOff,omitempty"`
}

// Keeps reports whether the side must stay for it.
func (r Remainder) Keeps() bool {
	return r.Amount == Some || r.Amount != Zero && r.SignOff == nil
}

// signed gives each remainder that may be signed off the sign-off that names it.
func signed(remains []Remainder, given []SignOff) []Remainder {
	result := slices.Clone(remains)
	for index := range result {
		remainder := &result[index]
		if remainder.Amount != Resting && remainder.Amount != Unknown {
			continue
		}
		at := slices.IndexFunc(given, func(sign SignOff) bool { return sign.What == remainder.What })
		if at >= 0 {
			remainder.SignOff = &given[at]
		}
	}
	return result
}

// keeping are the remainders for which the side must stay.
func (f Finish) keeping() []Remainder {
	return slices.DeleteFunc(slices.Clone(f.Remains), func(remainder Remainder) bool { return !remainder.Keeps() })
}

// next is the command to type where the side is kept: the same one with what
// can be signed off, or a look at what can't.
func (f Finish) next() string {
	command, unsigned := "kubectl bluegreen finish", f.keeping()
	if f.Delete {
		command += " --delete"
	}
	if len(unsigned) == 0 {
		return command
	}
	if slices.ContainsFunc(unsigned, func(remainder Remainder) bool { return remainder.Amount == Some }) {
		return command + " --dry-run"
	}
	for _, remainder := range f.Remains {
		if remainder.Amount != Zero {
			command += fmt.Sprintf(" --sign-off %s=REASON", remainder.What)
		}
	}
	return command
}

// Fate is what becomes of an object.
type Fate string

// The fates.
const (
	ScaledToZero Fate = "scaled-to-zero"
	Deleted      Fate = "deleted"
	Stays        Fate = "stays"
)

// Belonging is an object of the side that is decommissioned.
type Belonging struct {
	// Object is kind/name.
	Object string `json:"object"`
	// Replicas are those that a workload wants when it is first looked at.
	Replicas int32 `json:"replicas,omitempty"`
	Fate     Fate  `json:"fate"`
	// Why is the reason of what stays, "" elsewhere.
	Why string `json:"why,omitempty"`
	// UID is the object's that was looked at; no other is deleted.
	UID string `json:"uid,omitempty"`
}

// Change says what becomes of the object, for people.
func (b Belonging) Change() string {
	switch {
	case b.Fate == Stays:
		return "stays: " + b.Why
	case b.Fate == ScaledToZero:
		return fmt.Sprintf("%d → 0 replicas", b.Replicas)
	case b.Replicas > 0:
		return fmt.Sprintf("%d → 0 replicas, then deleted", b.Replicas)
	}
	return "deleted"
}

// changes are what becomes of the objects that don't stay, in one sentence.
func (f Finish) changes() string {
	var parts []string
	for _, belonging := range f.Objects {
		if belonging.Fate != Stays {
			parts = append(parts, belonging.Object+" "+belonging.Change())
		}
	}
	return strings.Join(parts, ", ")
}

// with is the same with what remains.
func (f Finish) with(remains []Remainder) *Finish {
	f.Remains = remains
	return &f
}
