package migration

import (
	"fmt"
	"sync"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// teller tells of one statement.
type teller struct {
	*part
	// reasons are what its comments acknowledge, problems what is wrong in them.
	reasons  map[string]string
	problems release.Problems
	// text is the statement with its semicolon, beginning the part of it that a
	// finding shows: code of thousands of changes is written out once.
	text, beginning func() string
	kinds           map[findingKind]*toldKind
}

// findingKind is what a comment lets stand in a statement, or not, as a whole.
type findingKind struct {
	rule  string
	level Level
}

// toldKind counts the findings of a kind; last is the place in the report of
// the last that is told.
type toldKind struct{ count, last int }

// mostTold is how many findings of one kind are told of a statement, so that
// a report on code of thousands of changes can still be read.
const mostTold = 50

// teller begins to tell of a statement.
func (p *part) teller(read *statement.Statement) *teller {
	reasons, problems := allowed(p.file, *read)
	text := sync.OnceValue(func() string { return read.Shown() + ";" })
	beginning := sync.OnceValue(func() string { return compact(read.Shown()) })
	return &teller{part: p, reasons: reasons, problems: problems, text: text, beginning: beginning, kinds: map[findingKind]*toldKind{}}
}

// tell adds a finding to the report, with all that is known from its rule.
func (t *teller) tell(finding Finding) {
	var rule Rule
	for _, known := range t.rules {
		if known.ID == finding.Rule {
			rule = known
		}
	}
	level, set := t.options.Levels[rule.ID]
	if finding.Level == "" {
		finding.Level = rule.DefaultLevel()
	}
	if set {
		finding.Level = level
	}
	said := rule.said(finding)
	if rule.ID == "" || finding.Level == Off || said != "" && (t.seen[said+string(finding.Level)] || t.seen[said+string(Block)]) {
		return
	}
	t.seen[said+string(finding.Level)] = true
	if !t.counts(findingKind{rule: rule.ID, level: finding.Level}) {
		return
	}
	finding.Class, finding.File, finding.Statement = rule.Class, t.file, t.beginning()
	finding.Docs = DocsPath(rule)
	finding.Acknowledged = t.reasons[rule.ID]
	if finding.Remedy == "" {
		finding.Remedy = rule.Remedy
	}
	t.report.Findings = append(t.report.Findings, finding)
}

// counts reports whether the next finding of a kind is told.
func (t *teller) counts(kind findingKind) bool {
	if t.kinds[kind] == nil {
		t.kinds[kind] = &toldKind{}
	}
	told := t.kinds[kind]
	told.count++
	if told.count > mostTold {
		return false
	}
	told.last = len(t.report.Findings)
	return true
}

// sum ends a statement: the last finding of a kind says how many more there are.
func (t *teller) sum() {
	for _, told := range t.kinds {
		if more := told.count - mostTold; more > 0 {
			t.report.Findings[told.last].Problem += fmt.Sprintf(" (and %d more like this in the statement)", more)
		}
	}
}

// said is what a rule says once a section, however often it is so: the first
// finding stands for the others. "" is a finding that stands for itself.
func (r Rule) said(finding Finding) string {
	switch r.ID {
	case ruleLockTimeout, ruleNestedTransaction:
		return r.ID
	case rulePreparedPlan:
		return r.ID + finding.Problem
	}
	return ""
}
