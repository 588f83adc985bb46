package gate

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// Verdict is what one rule, or a whole gate, says at one moment.
type Verdict string

// The four verdicts. NoData never advances; SourceDown holds; neither is a
// failure of the release.
const (
	Pass       Verdict = "pass"
	Fail       Verdict = "fail"
	NoData     Verdict = "no-data"
	SourceDown Verdict = "source-down"
)

// Purpose says what a rule decides: what it takes to advance and what it
// takes to roll back are different rules.
type Purpose string

// The purposes.
const (
	Advance  Purpose = "advance"
	Rollback Purpose = "rollback"
)

// Subject says which colour a rule looks at.
type Subject string

// The subjects: the colour that traffic moves to, the one it leaves, or
// what both share, such as the database.
const (
	Target Subject = "target"
	Old    Subject = "old"
	Shared Subject = "shared"
)

// Comparator is how a value is held against a threshold; the rule is
// satisfied (for Advance) or broken (for Rollback) when it is true.
type Comparator string

// The comparators.
const (
	Less           Comparator = "<"
	LessOrEqual    Comparator = "<="
	Greater        Comparator = ">"
	GreaterOrEqual Comparator = ">="
)

// Rule is one line of a gate. An Advance rule passes while the comparison
// holds; a Rollback rule fails once the comparison has held for For.
type Rule struct {
	// ID is stable: advance-error-ratio, rollback-latency-p95, …
	ID      string         `json:"id"`
	Purpose Purpose        `json:"purpose"`
	Subject Subject        `json:"subject"`
	Signal  measure.Signal `json:"signal"`
	// Database is set on a rule about one database.
	Database   string     `json:"database,omitempty"`
	Comparator Comparator `json:"comparator"`
	// Threshold is in the signal's unit. Relative to the baseline it is a
	// factor of that reading; relative to the old colour it is how much more
	// may fail, how many times the latency may be, or what part of its weight
	// the target's share may be off.
	Threshold float64 `json:"threshold"`
	// RelativeTo is "", or "baseline" for a factor of the same signal of
	// the old colour in the window before the switch, or "old" for the old
	// colour itself: see Compare.
	RelativeTo string `json:"relativeTo,omitempty"`
	// MinimumEffect, on a relative rule, is the difference from the
	// baseline, in the signal's unit, under which the rule sees none: a
	// baseline of nothing must not make the first failed request a breach.
	MinimumEffect float64 `json:"minimumEffect,omitempty"`
	// For is how long the comparison must hold without a break.
	For time.Duration `json:"for"`
	// Window is the window of the query.
	Window time.Duration `json:"window"`
	// MinimumSamples under which the rule has no data, unless it is a
	// Rollback rule on a ratio that the missing ones could not change.
	MinimumSamples float64 `json:"minimumSamples"`
	// Required: without data the gate doesn't advance. A rule whose signal
	// nothing declared can answer is not required, and is printed as such.
	Required bool `json:"required"`
	Disabled bool `json:"disabled,omitempty"`
	// Source cites where the number comes from, such as
	// "first runbook, When to Rollback".
	Source string `json:"source"`
}

// Key tells the rule from every other of a gate: its ID, and the database
// when it is about one.
func (r Rule) Key() string {
	if r.Database == "" {
		return r.ID
	}
	return r.ID + "/" + r.Database
}

// Query is what the rule asks, when traffic moves from old to target.
func (r Rule) Query(target, old string) measure.Query {
	query := measure.Query{Signal: r.Signal, Database: r.Database, Window: r.Window}
	switch r.Subject {
	case Target:
		query.Color = target
	case Old:
		query.Color = old
	}
	return query
}

// relativeToBaseline is the RelativeTo of a rule that compares two readings.
const relativeToBaseline = "baseline"
