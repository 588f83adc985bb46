package plugin

import (
	"cmp"
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
	view.unreachable(report)
	area := ""
	var folded []preflight.Finding
	for _, group := range report.Checks() {
		if view.isFolded(group[0]) {
			folded = append(folded, group[0])
			continue
		}
		if !view.wide && report.ForWantOfCluster(group[0].ID) {
			continue
		}
		if next := areaTitle(group[0].ID); next != area {
			area = next
			view.area(area)
		}
		view.check(group)
	}
	view.undeclared(folded)
	view.suppressions(report)
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
	var colors []string
	if report.Stage != preflight.StagePR { // which never asks what is live
		colors = append(colors, "live "+cmp.Or(report.Live, "unknown"))
	}
	if report.Target != "" {
		colors = append(colors, "target "+report.Target)
	}
	roles := ""
	if len(colors) > 0 {
		roles = ": " + strings.Join(colors, ", ")
	}
	fmt.Fprintf(v.out, "%s in %s%s (stage %s, require %s)\n", report.Name, report.Namespace, roles, report.Stage, report.Require)
}

// unreachable tells once that no cluster answers, and of which checks nothing is
// known for that. With -o wide each of them has a line of its own too.
func (v reportView) unreachable(report *preflight.Report) {
	cause := report.Unreachable
	if cause == nil {
		return
	}
	v.area("no cluster answers")
	fmt.Fprintf(v.out, "%s %s\n", v.style.bad(), plain(cause.Cause))
	fmt.Fprintf(v.out, "    unknown for that: %s\n", strings.Join(cause.Checks, ", "))
	v.remedy(cause.Remedy)
}

func (v reportView) area(title string) {
	line := v.style.either("─", "-")
	fmt.Fprintf(v.out, "\n%s\n%s\n", v.style.in(bold, title), strings.Repeat(line, utf8.RuneCountInString(title)))
}

// check writes the findings of one check, worst first. What passes is left out, but
// for what everybody has to see: what a file acknowledges, and how far was looked.
func (v reportView) check(findings []preflight.Finding) {
	worst := findings[0]
	if worst.Outcome == preflight.Skip && worst.Note() == "" {
		fmt.Fprintf(v.out, "%s %s %s\n", v.mark(worst), worst.ID, v.style.in(dim, worst.Title+": "+plain(worst.Cause)))
		return
	}
	fmt.Fprintf(v.out, "%s %s %s\n", v.mark(worst), worst.ID, worst.Title)
	remedy := ""
	for _, finding := range findings {
		if finding.Outcome == preflight.Pass && !finding.IsTold() && !v.wide {
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
	if note := finding.Note(); note != "" {
		fmt.Fprintf(v.out, "      %s\n", plain(note))
	}
	if !v.wide {
		return
	}
	if at := finding.Position; at != nil {
		fmt.Fprintf(v.out, "      %s\n", v.style.in(dim, plain(fmt.Sprintf("at %s:%d:%d", at.File, at.Line, at.Column))))
	}
	for _, key := range slices.Sorted(maps.Keys(finding.Evidence)) {
		fmt.Fprintf(v.out, "      %s\n", v.style.in(dim, key+": "+plain(finding.Evidence[key])))
	}
}

func (v reportView) remedy(text string) {
	fmt.Fprintf(v.out, "    %s %s\n", v.style.in(cyan, v.style.either("→", "->")), plain(v.pasteable(text)))
}

func (v reportView) mark(finding preflight.Finding) string {
	if finding.Suppressed() {
		return v.style.doubtful()
	}
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

// isFolded reports whether a check has nothing to say but what it was skipped for
// want of, which is told at the end.
func (v reportView) isFolded(worst preflight.Finding) bool {
	return !v.wide && worst.Outcome == preflight.Skip && worst.Undeclared && worst.Note() == ""
}

// undeclared tells what the Release does not declare, a line each, with the
// checks that would ask for it: nobody wants to read nine times that there is no
// database. With -o wide each check has a line of its own in its area.
func (v reportView) undeclared(folded []preflight.Finding) {
	var wanted []string
	checks := map[string][]string{}
	for _, finding := range folded {
		what := strings.TrimPrefix(finding.Cause, "not declared: ")
		if len(checks[what]) == 0 {
			wanted = append(wanted, what)
		}
		checks[what] = append(checks[what], finding.ID)
	}
	if len(wanted) == 0 {
		return
	}
	v.area("not declared")
	for _, what := range wanted {
		fmt.Fprintf(v.out, "%s %s\n", v.style.in(dim, "-"), v.style.in(dim, plain(what)+": "+strings.Join(checks[what], ", ")))
	}
}

// suppressions tells of entries of the Release that do nothing now: no finding
// above says so. Those of checks of other stages have a line with -o wide.
func (v reportView) suppressions(report *preflight.Report) {
	var idle []string
	for _, suppression := range report.Suppressions {
		notAsked := suppression.State == preflight.SuppressionNotAsked // which is as it should be
		if suppression.State != preflight.SuppressionInEffect && (v.wide || !notAsked) {
			idle = append(idle, suppression.String())
		}
	}
	if len(idle) == 0 {
		return
	}
	v.area("suppressions")
	for _, line := range idle {
		fmt.Fprintf(v.out, "%s %s\n", v.style.doubtful(), plain(line))
	}
}

// summary is the one line that says how it all ended: as many checks as there
// are lines with a mark.
func (v reportView) summary(report *preflight.Report) {
	var parts []string
	checks := 0
	for _, counted := range []struct {
		outcome preflight.Outcome
		word    string
	}{{preflight.Pass, "passed"}, {preflight.Fail, "failed"}, {preflight.Unknown, "unknown"}, {preflight.Warn, "warned"}, {preflight.Suppressed, "suppressed"}, {preflight.Skip, "skipped"}} {
		if count := report.Counts[counted.outcome]; count > 0 {
			checks += count
			parts = append(parts, fmt.Sprintf("%d %s", count, counted.word))
		}
	}
	tally := fmt.Sprintf("%d checks: %s", checks, strings.Join(parts, ", "))
	if report.Blocked() {
		fmt.Fprintf(v.out, "\n%s blocked by %s (%s)\n", v.style.bad(), strings.Join(report.Blocking, ", "), tally)
		return
	}
	fmt.Fprintf(v.out, "\n%s nothing blocks (%s)\n", v.style.good(), tally)
}

// areaTitle is the header of the area that an id such as BG-DB-01 names.
func areaTitle(id string) string {
	parts := strings.Split(id, "-")
	if parts[0] != "BG" {
		return "checks of your own"
	}
	if len(parts) != 3 {
		return "others"
	}
	title, known := map[string]string{
		preflight.AreaColors: "cluster and colours", preflight.AreaRouting: "routing",
		preflight.AreaDatabase: "database", preflight.AreaMonitoring: "monitoring",
		preflight.AreaTesting: "testing",
	}[parts[1]]
	if !known {
		return strings.ToLower(parts[1])
	}
	return title
}
