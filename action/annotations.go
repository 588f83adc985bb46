package action

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The levels of an annotation.
type level string

const (
	failure level = "error"
	warning level = "warning"
	notice  level = "notice"
)

// What GitHub shows: so many annotations of a level for a step, and so many
// characters of each. Of more nothing is said.
const (
	mostAnnotations = 10
	mostCharacters  = 4096
)

// annotation is a remark at a line of a file, or at none.
type annotation struct {
	level          level
	file           string
	line, column   int
	title, message string
}

// annotate are the annotations of a report: an error for what blocks, a warning
// for what else needs a person, a notice for what is suppressed or acknowledged, and
// for how far was looked.
func annotate(found *preflight.Report) []annotation {
	var all []annotation
	for _, finding := range found.Findings {
		level, told := levelOf(finding)
		if !told {
			continue
		}
		one := annotation{level: level, title: finding.ID + " " + finding.Title, message: sentence(finding), file: found.Document}
		if position := finding.Position; position != nil {
			one.file, one.line, one.column = position.File, position.Line, position.Column
		}
		all = append(all, one)
	}
	return all
}

func levelOf(finding preflight.Finding) (level, bool) {
	switch {
	case finding.Blocks:
		return failure, true
	case finding.Suppressed(), finding.Acknowledged != "", finding.Told:
		return notice, true
	case finding.Outcome == preflight.Pass, finding.Outcome == preflight.Skip:
		return "", false
	}
	return warning, true
}

// sentence is what a finding says, with its remedy on a line of its own.
func sentence(finding preflight.Finding) string {
	text := finding.Cause
	if finding.Subject != "" && !strings.HasPrefix(text, finding.Subject) {
		text = finding.Subject + ": " + text
	}
	if finding.Outcome == preflight.Unknown {
		text = "unknown: " + text
	}
	if note := finding.Note(); note != "" {
		text += " (" + note + ")"
	}
	if finding.Remedy != "" {
		text += "\nTo put it right: " + finding.Remedy
	}
	return text
}

// annotateError are the annotations of an error: one for each mistake in the inputs or
// in a document, at its line, else one.
func annotateError(err error) []annotation {
	var mistakes mistakesError
	if errors.As(err, &mistakes) {
		var all []annotation
		for _, mistake := range mistakes {
			all = append(all, annotation{level: failure, title: "bluegreen", message: mistake.String()})
		}
		return all
	}
	var problems release.Problems
	if !errors.As(err, &problems) {
		var problem *release.Problem
		if !errors.As(err, &problem) {
			return []annotation{{level: failure, title: "bluegreen", message: withHint(err.Error(), release.HintOf(err))}}
		}
		problems = release.Problems{problem}
	}
	var all []annotation
	for _, problem := range problems {
		message := problem.Message
		if problem.Field != "" {
			message = problem.Field + ": " + message
		}
		all = append(all, annotation{
			level: failure, file: problem.File, line: problem.Line, column: problem.Column,
			title: "a mistake in the Release", message: withHint(message, problem.Remedy),
		})
	}
	return all
}

func withHint(text, hint string) string {
	if hint == "" {
		return text
	}
	return text + "\n" + hint
}

// bounded are as many annotations of each level as there is room for, in their
// order; the last of a level says how many more there are, and where.
func bounded(all []annotation, room func(level) int, rest string) []annotation {
	counts, shown := map[level]int{}, map[level]int{}
	for _, one := range all {
		counts[one.level]++
	}
	var kept []annotation
	for _, one := range all {
		room := room(one.level)
		shown[one.level]++
		switch {
		case counts[one.level] <= room || shown[one.level] < room:
			kept = append(kept, one)
		case shown[one.level] == room:
			kept = append(kept, annotation{level: one.level, title: "bluegreen",
				message: fmt.Sprintf("%d more of these are not shown here. All of them are in %s.", counts[one.level]-room+1, rest)})
		}
	}
	return kept
}

// spared is how many annotations of a level are left for what the step itself has
// to say.
const spared = 2

// tellFindings writes annotations of which there may be many.
func (s *step) tellFindings(all []annotation) {
	s.tell(bounded(all, func(of level) int { return mostAnnotations - spared - s.annotated[of] }, "the summary of the step and in "+s.rest())...)
}

// tell writes annotations for the runner, as far as it shows them.
func (s *step) tell(all ...annotation) {
	for _, one := range all {
		if s.annotated[one.level]++; s.annotated[one.level] > mostAnnotations {
			continue
		}
		s.issue(one)
	}
}

// issue writes one annotation.
func (s *step) issue(one annotation) {
	fields := map[string]string{"title": plain(s.masks.hide(one.title))}
	if one.file != "" {
		fields["file"] = s.around.within(one.file)
	}
	if one.line > 0 {
		fields["line"] = fmt.Sprint(one.line)
	}
	if one.line > 0 && one.column > 0 {
		fields["col"] = fmt.Sprint(one.column)
	}
	issue := s.actions.WithFieldsMap(fields)
	switch message := cut(s.masks.hide(one.message), mostCharacters); one.level {
	case failure:
		issue.Errorf("%s", message)
	case warning:
		issue.Warningf("%s", message)
	default:
		issue.Noticef("%s", message)
	}
}

// cut is a text of at most so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string(slices.Concat([]rune(text)[:most-1], []rune("…")))
}

// plain is a text on one line, without control characters.
func plain(text string) string {
	return strings.Map(func(letter rune) rune {
		switch {
		case letter == '\n' || letter == '\t' || letter == '\r':
			return ' '
		case letter < ' ' || letter >= 0x7f && letter < 0xa0:
			return -1
		}
		return letter
	}, strings.ToValidUTF8(text, "�"))
}
