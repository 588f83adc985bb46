package plugin

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// writeReport prints what the checks found: a header an area, a line a
// check, and under a check that did not pass the cause and the remedy.
func (i *invocation) writeReport(output *output, report *preflight.Report) error {
	view := reportView{out: i.streams.Out, style: i.streams.out, wide: output.wide(), pasteable: i.pasteable}
	view.heading(report)
	area := ""
	for _, group := range byCheck(report.Findings) {
		if next := areaTitle(group[0].ID); next != area {
			area = next
			view.area(area)
		}
		view.check(group)
	}
	view.summary(report)
	return nil
}

// reportView writes one report for people.
type reportView struct {
	out   io.Writer
	style style
	// wide also shows what passing checks saw, and the evidence.
	wide bool
	// pasteable completes the commands of a text.
	pasteable func(string) string
}

func (v reportView) heading(report *preflight.Report) {
	live, target := report.Live, report.Target
	if live == "" {
		live = "unknown"
	}
	fmt.Fprintf(v.out, "%s in %s: live %s", report.Name, report.Namespace, live)
	if target != "" {
		fmt.Fprintf(v.out, ", target %s", target)
	}
	fmt.Fprintf(v.out, " (stage %s, require %s)\n", report.Stage, report.Require)
}

func (v reportView) area(title string) {
	line := v.style.either("─", "-")
	fmt.Fprintf(v.out, "\n%s\n%s\n", v.style.in(bold, title), strings.Repeat(line, utf8.RuneCountInString(title)))
}

// check writes the findings of one check, worst first.
func (v reportView) check(findings []preflight.Finding) {
	worst := findings[0]
	if worst.Outcome == preflight.Skip {
		fmt.Fprintf(v.out, "%s %s %s\n", v.mark(worst), worst.ID, v.style.in(dim, worst.Title+": "+plain(worst.Cause)))
		return
	}
	fmt.Fprintf(v.out, "%s %s %s\n", v.mark(worst), worst.ID, worst.Title)
	remedy := ""
	for _, finding := range findings {
		if finding.Outcome == preflight.Pass && !v.wide {
			continue
		}
		if finding.Remedy != remedy && remedy != "" {
			v.remedy(remedy)
		}
		v.cause(finding)
		remedy = finding.Remedy
	}
	if remedy != "" {
		v.remedy(remedy)
	}
}

// cause writes one finding below its check.
func (v reportView) cause(finding preflight.Finding) {
	prefix := ""
	if finding.Outcome == preflight.Unknown {
		prefix = "unknown: "
	}
	subject := ""
	if finding.Subject != "" && !strings.HasPrefix(finding.Cause, finding.Subject) {
		subject = finding.Subject + ": "
	}
	fmt.Fprintf(v.out, "    %s%s%s\n", prefix, plain(subject), plain(finding.Cause))
	if !v.wide {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(finding.Evidence)) {
		fmt.Fprintf(v.out, "      %s\n", v.style.in(dim, key+": "+plain(finding.Evidence[key])))
	}
}

func (v reportView) remedy(text string) {
	fmt.Fprintf(v.out, "    %s %s\n", v.style.in(cyan, v.style.either("→", "->")), plain(v.pasteable(text)))
}

func (v reportView) mark(finding preflight.Finding) string {
	switch finding.Outcome {
	case preflight.Pass:
		return v.style.good()
	case preflight.Fail:
		return v.style.bad()
	case preflight.Skip:
		return v.style.in(dim, "-")
	}
	if finding.Blocks {
		return v.style.bad()
	}
	return v.style.doubtful()
}

// summary is the one line that says how it all ended.
func (v reportView) summary(report *preflight.Report) {
	var parts []string
	for _, counted := range []struct {
		outcome preflight.Outcome
		word    string
	}{{preflight.Pass, "passed"}, {preflight.Fail, "failed"}, {preflight.Unknown, "unknown"}, {preflight.Warn, "warned"}, {preflight.Skip, "skipped"}} {
		if count := report.Counts[counted.outcome]; count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, counted.word))
		}
	}
	tally := strings.Join(parts, ", ")
	if report.Blocked() {
		fmt.Fprintf(v.out, "\n%s blocked by %s (%s)\n", v.style.bad(), strings.Join(report.Blocking, ", "), tally)
		return
	}
	fmt.Fprintf(v.out, "\n%s nothing blocks (%s)\n", v.style.good(), tally)
}

// byCheck groups findings, which are sorted by id, and puts the worst of a
// check first.
func byCheck(findings []preflight.Finding) [][]preflight.Finding {
	var groups [][]preflight.Finding
	for _, finding := range findings {
		last := len(groups) - 1
		if last >= 0 && groups[last][0].ID == finding.ID {
			groups[last] = append(groups[last], finding)
			continue
		}
		groups = append(groups, []preflight.Finding{finding})
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b preflight.Finding) int { return severity(b) - severity(a) })
	}
	return groups
}

// severity orders findings: what blocks, then what is bad, then the rest.
func severity(finding preflight.Finding) int {
	rank := map[preflight.Outcome]int{
		preflight.Fail: 4, preflight.Unknown: 3, preflight.Warn: 2, preflight.Pass: 1, preflight.Skip: 0,
	}[finding.Outcome]
	if finding.Blocks {
		rank += 10
	}
	return rank
}

// areaTitle is the header of the area that an id such as BG-DB-01 names.
func areaTitle(id string) string {
	parts := strings.Split(id, "-")
	if len(parts) != 3 {
		return "others"
	}
	title, known := map[string]string{
		preflight.AreaColors: "cluster and colours", preflight.AreaRouting: "routing",
		preflight.AreaDatabase: "database", preflight.AreaMonitoring: "monitoring",
	}[parts[1]]
	if !known {
		return strings.ToLower(parts[1])
	}
	return title
}
