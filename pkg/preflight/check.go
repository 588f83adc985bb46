package preflight

import (
	"fmt"
	"maps"
)

// Stage is when checks run.
type Stage string

// The stages: on a pull request, where nothing but files is looked at; before
// a shift; before a rollback, where only what could stop it counts.
const (
	StagePR       Stage = "pr"
	StageDeploy   Stage = "deploy"
	StageRollback Stage = "rollback"
)

// Stages are all stages.
func Stages() []Stage { return []Stage{StagePR, StageDeploy, StageRollback} }

// Outcome is what a check found.
type Outcome string

// The outcomes.
const (
	Pass    Outcome = "pass"
	Warn    Outcome = "warn"
	Fail    Outcome = "fail"
	Skip    Outcome = "skip"
	Unknown Outcome = "unknown"
)

// The areas of the catalogue, as they stand in ids.
const (
	AreaColors     = "COL"
	AreaRouting    = "NET"
	AreaDatabase   = "DB"
	AreaMonitoring = "MON"
)

// Check is one thing to verify.
type Check struct {
	// ID is BG-<AREA>-<nn>, stable for ever.
	ID    string
	Title string
	Area  string
	// Stages are when it runs.
	Stages []Stage
	// Critical: an unknown blocks as a fail does.
	Critical bool
	// Why, Remedy and Source (the runbook's section) are for people.
	Why, Remedy, Source string
	// Evaluate is pure. It returns at least one finding.
	Evaluate func(*Facts) []Finding
}

// Weight says in one sentence what of a check stands in the way of a shift.
func (c Check) Weight() string {
	if c.Critical {
		return "a failure blocks, and so does not knowing"
	}
	return "a failure blocks; not knowing is told, and blocks under require: production"
}

// Finding is what a check says about one subject. Evaluate of a check fills
// in Outcome, Subject, Cause, Evidence, and Remedy where it knows a better
// one than the check's; the rest is filled in from the check.
type Finding struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Outcome Outcome `json:"outcome"`
	// Subject is what was looked at, such as deployment/shop-green.
	Subject string `json:"subject"`
	// Cause is one sentence, without a full stop.
	Cause string `json:"cause"`
	// Evidence is what was seen.
	Evidence map[string]string `json:"evidence,omitempty"`
	// Remedy is the field to change or the command to type; empty on a pass.
	Remedy   string `json:"remedy,omitempty"`
	Critical bool   `json:"critical"`
	// Undeclared: skipped because the Release does not declare what the
	// check needs.
	Undeclared bool `json:"undeclared,omitempty"`
	// Blocks: nothing may start while this stands.
	Blocks bool `json:"blocks"`
	// Docs is the check's page, relative to the repository's root.
	Docs string `json:"docs"`
}

func pass(subject, cause string, args ...any) Finding    { return found(Pass, subject, cause, args) }
func warn(subject, cause string, args ...any) Finding    { return found(Warn, subject, cause, args) }
func fail(subject, cause string, args ...any) Finding    { return found(Fail, subject, cause, args) }
func skip(subject, cause string) Finding                 { return found(Skip, subject, cause, nil) }
func unknown(subject, cause string, args ...any) Finding { return found(Unknown, subject, cause, args) }

// undeclared is the one line about what the Release does not declare.
func undeclared(what string) Finding {
	finding := found(Skip, what, "not declared: "+what, nil)
	finding.Undeclared = true
	return finding
}

func found(outcome Outcome, subject, cause string, args []any) Finding {
	if len(args) > 0 {
		cause = fmt.Sprintf(cause, args...)
	}
	return Finding{Outcome: outcome, Subject: subject, Cause: cause}
}

// with adds a piece of evidence.
func (f Finding) with(key string, value any) Finding {
	evidence := maps.Clone(f.Evidence)
	if evidence == nil {
		evidence = map[string]string{}
	}
	evidence[key] = fmt.Sprint(value)
	f.Evidence = evidence
	return f
}

// fix sets a remedy that fits the subject better than the check's own.
func (f Finding) fix(remedy string, args ...any) Finding {
	f.Remedy = fmt.Sprintf(remedy, args...)
	return f
}
