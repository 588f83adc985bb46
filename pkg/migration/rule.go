package migration

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Class is how a change hurts.
type Class string

// The classes.
const (
	BreaksAtOnce Class = "BI"
	BreaksLater  Class = "RB"
	MakesWait    Class = "L"
	NeedsReview  Class = "R"
)

// Meaning says in a few words what a class is.
func (c Class) Meaning() string {
	return map[Class]string{
		BreaksAtOnce: "breaks the old version at once",
		BreaksLater:  "breaks the old version or a rollback, once the new version has written",
		MakesWait:    "makes both versions wait",
		NeedsReview:  "needs a person to look",
	}[c]
}

// Level is what a finding of a rule does.
type Level string

// The levels.
const (
	Block Level = "block"
	Warn  Level = "warn"
	Off   Level = "off"
)

// Rule is one thing that a migration may do wrong.
type Rule struct {
	// ID is stable for ever: it stands in comments and settings.
	ID    string
	Class Class
	// Level differs from the class's own where it is set.
	Level Level
	// Title completes "a migration that …".
	Title string
	// Why and Remedy are for people, Source is where it comes from.
	Why, Remedy, Source string
	// Bad and Good are SQL on the tables of Example; Old is what the old
	// version goes on to run.
	Bad, Good, Old string
	// Examine is pure.
	Examine func(*scene) []Finding
}

// DefaultLevel is the rule's level where nobody sets one.
func (r Rule) DefaultLevel() Level {
	switch {
	case r.Level != "":
		return r.Level
	case r.Class == BreaksAtOnce || r.Class == MakesWait:
		return Block
	default:
		return Warn
	}
}

// Finding is one thing that a migration does wrong. Rules fill in what comes
// before Safe.
type Finding struct {
	Rule  string `json:"rule"`
	Class Class  `json:"class"`
	Level Level  `json:"level"`
	File  string `json:"file"`
	statement.Position
	// Statement is the beginning of the statement, on one line, without what
	// its string constants hold.
	Statement string `json:"statement"`
	// Problem is what the statement does, in one sentence.
	Problem string `json:"problem"`
	// Breaks is what goes wrong by it, and for which version.
	Breaks string `json:"breaks"`
	// Remedy is what to do instead, Safe the statements that do it, where
	// they can be written out. A line such as "-- release 2" stands between
	// what must not be applied together.
	Remedy string   `json:"remedy"`
	Safe   []string `json:"safe,omitempty"`
	// Acknowledged is the reason that the file gives for it; the finding
	// then neither blocks nor warns.
	Acknowledged string `json:"acknowledged,omitempty"`
	// Observed is what PostgreSQL did when the statement was applied in a scratch
	// database, "" where it was not or did nothing worth a word.
	Observed string `json:"observed,omitempty"`
	// Docs is the rule's part of the documentation.
	Docs string `json:"docs"`
}

// Blocks reports whether the finding stands in the way of a release.
func (f Finding) Blocks() bool { return f.Level == Block && f.Acknowledged == "" }

// Irreversible reports whether, once the new version has written, the old one
// can't simply take over again, and the file doesn't say that it can. A way down
// that is missing is none of that: traffic goes back without it.
func (f Finding) Irreversible() bool {
	return f.Class == BreaksLater && f.Acknowledged == "" && f.Rule != ruleMissingDown
}

// found begins a finding at the change that is looked at.
func (s *scene) found(problem string, args ...any) Finding {
	return Finding{Position: s.change.At, Problem: fmt.Sprintf(problem, args...)}
}

// breaks adds what goes wrong.
func (f Finding) breaks(text string, args ...any) Finding {
	f.Breaks = fmt.Sprintf(text, args...)
	return f
}

// safe adds the statements that do the same safely.
func (f Finding) safe(lines ...string) Finding {
	f.Safe = append(f.Safe, lines...)
	return f
}

// one is a finding as the list that rules return.
func one(f Finding) []Finding { return []Finding{f} }

// Levels read settings such as drop-column=warn into levels by rule.
func Levels(settings []string) (map[string]Level, error) {
	levels := map[string]Level{}
	for _, setting := range settings {
		id, text, _ := strings.Cut(setting, "=")
		if _, known := ruleByID(id); !known {
			return nil, unknownRule(id)
		}
		level := Level(text)
		if level != Block && level != Warn && level != Off {
			return nil, release.WithHint(fmt.Errorf("read level %q: no level of a rule", setting), "write RULE=block, RULE=warn or RULE=off")
		}
		levels[id] = level
	}
	return levels, nil
}

func ruleByID(id string) (Rule, bool) {
	for _, rule := range Catalogue() {
		if rule.ID == id {
			return rule, true
		}
	}
	return Rule{}, false
}

func unknownRule(id string) error {
	var ids []string
	for _, rule := range Catalogue() {
		ids = append(ids, rule.ID)
	}
	err := fmt.Errorf("no rule is called %q", id)
	if meant := release.Closest(id, ids); meant != "" {
		return release.WithHint(err, fmt.Sprintf("did you mean %s?", meant))
	}
	return release.WithHint(err, "one of: "+strings.Join(ids, ", "))
}
