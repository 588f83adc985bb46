package action

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// next adds the one command to type.
func next(message, command string) string {
	if command == "" {
		return message
	}
	return message + "\nnext: " + command
}

// summaryOf is all of it in Markdown.
func (s *step) summaryOf(seen observed, verdict string) string {
	var parts []string
	if seen.standing != nil {
		parts = append(parts, runSummary(*seen.standing, verdict))
	}
	// A run that has passed its checks is told without them.
	if seen.report != nil && (seen.standing == nil || seen.report.Blocked()) {
		parts = append(parts, reportSummary(seen))
	}
	if seen.failure != nil && seen.failure.Error() != "" {
		text := fmt.Sprintf("### kubectl bluegreen %s: %s %s\n\n", s.in.command.name, sign(verdict), wording(verdict))
		for _, one := range annotateError(seen.failure) {
			text += "- " + report.MarkdownText(strings.ReplaceAll(s.placed(one), "\n", "; ")) + "\n"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

// placed is what an annotation says and where.
func (s *step) placed(one annotation) string {
	if one.file == "" {
		return one.message
	}
	return fmt.Sprintf("%s:%d:%d: %s", s.around.within(one.file), one.line, one.column, one.message)
}

// reportSummary is a report in Markdown.
func reportSummary(seen observed) string {
	for _, format := range report.Formats() {
		if format.Name != "markdown" {
			continue
		}
		var text strings.Builder
		if err := format.Write(&text, seen.report, seen.tool); err == nil {
			return text.String()
		}
	}
	return ""
}
