package action

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// runSummary is how a run went, in Markdown: what it came to, how the traffic
// moved, and what each phase took.
func runSummary(standing plugin.Standing, verdict string) string {
	status := standing.Status
	text := &strings.Builder{}
	title := report.MarkdownText(status.Release + " in " + status.Namespace)
	if status.ID == "" && standing.Message == "" {
		title += ": no run yet"
	} else {
		title += fmt.Sprintf(": %s %s", sign(verdict), wording(verdict))
	}
	fmt.Fprintf(text, "### %s\n\n", title)
	if standing.Message != "" {
		fmt.Fprintf(text, "%s\n\n", report.MarkdownText(standing.Message))
	}
	if status.Live != "" {
		fmt.Fprintf(text, "Live: %s\n\n", report.MarkdownText(status.Live))
	}
	if status.ID != "" {
		fmt.Fprintf(text, "Run %s, %s → %s\n\n", report.MarkdownText(status.ID), report.MarkdownText(status.From), report.MarkdownText(status.To))
	}
	for _, result := range status.Because {
		if result.Verdict != gate.Pass {
			fmt.Fprintf(text, "- %s\n", report.MarkdownText(result.Message))
		}
	}
	course := status.Course()
	text.WriteString(chart(course, status.To))
	text.WriteString(phases(course))
	if standing.Next != "" {
		fmt.Fprintf(text, "\nNext:\n\n%s", fenced(standing.Next))
	}
	return text.String()
}

// sign and wording are a verdict for people.
func sign(verdict string) string {
	switch verdict {
	case passed:
		return "✅"
	case rolledBack:
		return "↩️"
	case held:
		return "⏸️"
	case underWay:
		return "⏳"
	}
	return "❌"
}

func wording(verdict string) string {
	return map[string]string{
		passed: "done", blocked: "blocked", rolledBack: "rolled back", held: "held",
		unproven: "not proven, page someone", failed: "failed", underWay: "under way",
	}[verdict]
}

// phases is a table of what each phase took.
func phases(course []rollout.Stay) string {
	if len(course) == 0 {
		return ""
	}
	text := &strings.Builder{}
	text.WriteString("\n| Phase | Entered (UTC) | Took | To the target |\n|---|---|--:|--:|\n")
	for _, stay := range course {
		fmt.Fprintf(text, "| %s | %s | %s | %d %% |\n", report.MarkdownText(string(stay.Phase)), stay.Entered.UTC().Format(time.TimeOnly), rounded(stay.Took()), stay.Weight)
	}
	return text.String()
}

// rounded is a duration as a table shows it.
func rounded(took time.Duration) time.Duration {
	if took < time.Second {
		return took.Round(time.Millisecond)
	}
	return took.Round(100 * time.Millisecond)
}

// points is how many points the line of a chart has: a step between two is seen
// as one.
const points = 60

// colorName matches a name that a chart can hold.
var colorName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// chart draws the target's share of new connections over the time of the run; ""
// where it never had any.
func chart(course []rollout.Stay, target string) string {
	highest := 0
	for _, stay := range course {
		highest = max(highest, stay.Weight)
	}
	if highest == 0 || !colorName.MatchString(target) {
		return ""
	}
	start, end := course[0].Entered, course[len(course)-1].Left
	var shares []string
	for point := range points {
		at := start.Add(end.Sub(start) * time.Duration(point) / (points - 1))
		shares = append(shares, fmt.Sprint(weightAt(course, at)))
	}
	return fmt.Sprintf("\n```mermaid\nxychart-beta\n  title \"new connections to %s, in percent\"\n  x-axis \"seconds\" 0 --> %d\n  y-axis \"percent\" 0 --> 100\n  line [%s]\n```\n",
		target, max(int(end.Sub(start).Seconds()), 1), strings.Join(shares, ", "))
}

// weightAt is the target's share at a time.
func weightAt(course []rollout.Stay, at time.Time) int {
	for _, stay := range course {
		if at.Before(stay.Left) {
			return stay.Weight
		}
	}
	return course[len(course)-1].Weight
}

// fenced is a text as code, which nothing in it can end.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "console\n" + plain(text) + "\n" + fence + "\n"
}
