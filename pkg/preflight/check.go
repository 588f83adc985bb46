package preflight

import (
	"fmt"
	"maps"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
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
	AreaLogs       = "LOG"
	// AreaCustom is of checks that a Release declares; it stands in no id.
	AreaCustom  = "custom"
	AreaTesting = "TST"
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
	// Docs is its page, a URL or relative to the repository's root; "" for the
	// one that is generated.
	Docs string
	// Warns: what it finds never fails.
	Warns bool
	// Evaluate is pure. It returns at least one finding.
	Evaluate func(*Facts) []Finding
}

// Weight says in one sentence what of a check stands in the way of a shift.
func (c Check) Weight() string {
	if c.Warns {
		return "it warns, and never blocks; not knowing is told, and blocks under require: production"
	}
	if c.Critical {
		return "a failure blocks, and so does not knowing"
	}
	return "a failure blocks; not knowing is told, and blocks under require: production"
}

// Finding is what a check says about one subject. Evaluate of a check fills
// in Outcome, Subject, Cause, Evidence, Field, and Remedy where it knows a
// better one than the check's; the rest is filled in from the check.
type Finding struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Outcome Outcome `json:"outcome"`
	// Subject is what was looked at, such as deployment/shop-green.
	Subject string `json:"subject"`
	// Field is what to change of the object that Subject names, where there is
	// one, or else of the Release.
	Field string `json:"field,omitempty"`
	// Position is where that stands, or what is around it, nil where it stands
	// in no file that was read.
	Position *release.Position `json:"position,omitempty"`
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
	// Acknowledged is the reason that a file itself gives for letting stand what was
	// found; it passes then.
	Acknowledged string `json:"acknowledged,omitempty"`
	// Told: it passes, and every report says so in a line of its own, for people
	// have to see how far it was looked at.
	Told bool `json:"told,omitempty"`
	// Transient: not known, for a reason that may pass.
	Transient bool `json:"-"`
	// InManifests: not known for a mistake in manifests, which BG-COL-19 tells.
	InManifests bool `json:"-"`
	// Lesser: that it is not known weighs as in a check that is not critical.
	Lesser bool `json:"-"`
	// Blocks: nothing may start while this stands.
	Blocks bool `json:"blocks"`
	// Suppression is the entry of the Release about it, in effect or expired; nil
	// where there is none.
	Suppression *Suppression `json:"suppression,omitempty"`
	// Docs is the check's page, a URL or relative to the repository's root.
	Docs string `json:"docs"`
}

// IsTold reports whether a report of any form has to show the finding by itself,
// whatever it folds away.
func (f Finding) IsTold() bool {
	return f.Blocks || f.Suppressed() || f.Told || f.Acknowledged != "" || f.Outcome != Pass && f.Outcome != Skip
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

// undeclaredManifests is undeclared for what a check reads out of manifests.
func undeclaredManifests(color string) Finding {
	return undeclared("manifests of colour "+color).fix("name them in spec.colors.%s.manifests", color)
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

// at names the field that the finding is about.
func (f Finding) at(field string, args ...any) Finding {
	f.Field = fmt.Sprintf(field, args...)
	return f
}

// fix sets a remedy that fits the subject better than the check's own.
func (f Finding) fix(remedy string, args ...any) Finding {
	f.Remedy = fmt.Sprintf(remedy, args...)
	return f
}
