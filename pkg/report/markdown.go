package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// longestMarkdown bounds what is written, in bytes: a comment on GitHub holds
// 65,536 characters, and one that is longer is refused as a whole.
const longestMarkdown = 60000

// writeMarkdown writes a report for the comment of a pull request or the summary
// of a step: the verdict, a table of what needs a person, and the rest folded.
func writeMarkdown(out io.Writer, report *preflight.Report, tool Tool) error {
	var open, folded []preflight.Finding
	for _, finding := range report.Findings {
		if report.ForWantOfCluster(finding.ID) {
			continue // it is told once for all of them
		}
		if finding.IsTold() {
			open = append(open, finding)
		} else {
			folded = append(folded, finding)
		}
	}
	// What blocks comes first: it must not be what there is no room for.
	slices.SortStableFunc(open, func(a, b preflight.Finding) int { return cmp.Compare(urgency(a), urgency(b)) })
	text := &bounded{limit: longestMarkdown}
	text.add(heading(report))
	if cause := report.Unreachable; cause != nil {
		text.add(fmt.Sprintf("\n❌ %s. Unknown for that: %s. To do: %s\n", MarkdownText(cause.Cause), strings.Join(cause.Checks, ", "), MarkdownText(cause.Remedy)))
	}
	if len(open) > 0 {
		text.table("\n| | Check | Found | What to do |\n|---|---|---|---|\n", open, func(found preflight.Finding) string { return openRow(found, tool.Version) })
	}
	for _, suppression := range report.Suppressions {
		if suppression.State != preflight.SuppressionInEffect {
			text.add("\n⚠️ " + MarkdownText(suppression.String()) + "\n")
		}
	}
	if len(folded) > 0 {
		text.add(fmt.Sprintf("\n<details><summary>%s</summary>\n", tally(report, preflight.Pass, preflight.Skip)))
		text.table("\n| | Check | Found |\n|---|---|---|\n", folded, func(found preflight.Finding) string { return foldedRow(found, tool.Version) })
		text.add("\n</details>\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func heading(report *preflight.Report) string {
	verdict := "✅ nothing blocks"
	if report.Blocked() {
		verdict = "❌ blocked by " + strings.Join(report.Blocking, ", ")
	}
	roles := []string{"stage " + string(report.Stage), "require " + report.Require}
	if report.Stage != preflight.StagePR {
		roles = append(roles, "live "+cmp.Or(report.Live, "unknown"))
	}
	if report.Target != "" {
		roles = append(roles, "target "+report.Target)
	}
	return fmt.Sprintf("### %s: %s\n\n%s (%s)\n", MarkdownText(report.Name+" in "+report.Namespace), verdict,
		tally(report, preflight.Fail, preflight.Unknown, preflight.Warn, preflight.Suppressed, preflight.Pass, preflight.Skip), MarkdownText(strings.Join(roles, ", ")))
}

// tally counts the checks by some outcomes.
func tally(report *preflight.Report, outcomes ...preflight.Outcome) string {
	words := map[preflight.Outcome]string{
		preflight.Pass: "passed", preflight.Fail: "failed", preflight.Unknown: "unknown",
		preflight.Warn: "warned", preflight.Skip: "skipped", preflight.Suppressed: "suppressed",
	}
	var parts []string
	for _, outcome := range outcomes {
		if count := report.Counts[outcome]; count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, words[outcome]))
		}
	}
	return strings.Join(parts, ", ")
}

func urgency(finding preflight.Finding) int {
	switch {
	case finding.Blocks:
		return 0
	case finding.Outcome == preflight.Pass:
		return 2
	}
	return 1
}

func openRow(finding preflight.Finding, version string) string {
	return fmt.Sprintf("| %s | %s | %s%s | %s |\n", sign(finding), checkLink(finding, version), MarkdownText(sentence(finding)), place(finding), MarkdownText(finding.Remedy))
}

func foldedRow(finding preflight.Finding, version string) string {
	return fmt.Sprintf("| %s | %s | %s |\n", sign(finding), checkLink(finding, version), MarkdownText(sentence(finding)))
}

// place is the file and the line of a finding, "" where it says that itself.
func place(finding preflight.Finding) string {
	if finding.Position == nil {
		return ""
	}
	line := fmt.Sprintf("%s:%d", finding.Position.File, finding.Position.Line)
	if strings.Contains(finding.Subject+" "+finding.Cause, line) {
		return ""
	}
	return fmt.Sprintf(" (%s)", MarkdownText(fmt.Sprintf("%s:%d", line, finding.Position.Column)))
}

func sign(finding preflight.Finding) string {
	switch {
	case finding.Blocks:
		return "❌"
	case finding.Suppressed(), finding.Acknowledged != "":
		return "🔕"
	case finding.Told:
		return "ℹ️"
	case finding.Outcome == preflight.Pass:
		return "✅"
	case finding.Outcome == preflight.Skip:
		return "➖"
	}
	return "⚠️"
}

func checkLink(finding preflight.Finding, version string) string {
	return fmt.Sprintf("[%s](%s) %s", finding.ID, address(finding.Docs, version), MarkdownText(finding.Title))
}

// MarkdownText is a text that others had a hand in, such that none of it is
// markup, mentions anybody, refers to anything, or ends a cell. GitHub looks for
// mentions and references once entities are characters, so a character that nobody
// sees keeps those apart.
func MarkdownText(text string) string {
	escaped := strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@"+unseen, "#", "#"+unseen, "|", "&#124;", ":/", ":&#47;", "www.", "www&#46;",
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "!", `\!`, "~", `\~`, "$", `\$`,
	).Replace(plain(text))
	return regexp.MustCompile(`(?i)\b(gh-)(\d)`).ReplaceAllString(escaped, "${1}"+unseen+"${2}") // GH-1 is issue 1
}

// unseen is a space of no width.
const unseen = "&#8203;"

// bounded is a text of limited length.
type bounded struct {
	strings.Builder
	limit int
}

func (b *bounded) add(text string) { b.WriteString(text) }

// table adds rows as far as there is room, and says how many are left out.
func (b *bounded) table(head string, findings []preflight.Finding, row func(preflight.Finding) string) {
	b.add(head)
	for index, finding := range findings {
		line := row(finding)
		if b.Len()+len(line) > b.limit {
			b.add(fmt.Sprintf("\n%d more are left out here: -o wide shows all of them.\n", len(findings)-index))
			return
		}
		b.add(line)
	}
}
