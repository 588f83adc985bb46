package plugin

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/detect"
)

// printDetection writes a DetectionReport for people: the answer, each object
// that was found, what takes requests away from it, and what was not looked at.
func (i *invocation) printDetection(output *output, report *detect.Report) {
	view := detectionView{out: i.streams.Out, style: i.streams.out, wide: output.wide(), pasteable: i.pasteable}
	view.answer(report)
	for _, finding := range report.Findings {
		view.finding(finding, report.Namespace)
	}
	view.shadows(report)
	view.precedence(report)
	view.unlisted(report)
	i.printNext(nextAfterDetection(report))
}

// nextAfterDetection is the one command that fits an answer.
func nextAfterDetection(report *detect.Report) string {
	declared := func(one detect.Finding) bool { return one.Declared }
	if report.Verdict == detect.Served && (report.Discovered || slices.ContainsFunc(report.Findings, declared)) {
		return name + " check"
	}
	return ""
}

// detectionView writes one report for people.
type detectionView struct {
	out   io.Writer
	style style
	// wide also shows the kinds that the cluster does not serve.
	wide bool
	// pasteable completes the commands of a text.
	pasteable func(string) string
}

func (v detectionView) answer(report *detect.Report) {
	mark := map[detect.Verdict]string{detect.Served: v.style.good(), detect.Possible: v.style.doubtful(), detect.Impossible: v.style.bad(), detect.Nothing: v.style.doubtful()}[report.Verdict]
	fmt.Fprintf(v.out, "%s %s: %s\n", mark, v.style.in(bold, plain(report.Subject)), plain(report.Answer))
	if report.Release != "" {
		fmt.Fprintf(v.out, "%-10s %s, by %s\n", "colours", plain(report.Release), plain(report.Origin))
	}
	if report.Verdict == detect.Nothing {
		v.line("hint", "an object of any kind that holds weights is moved by spec.traffic.custom;")
		v.line("", detect.HintPlaces("KIND/NAME"))
	}
}

func (v detectionView) line(label, text string) {
	fmt.Fprintf(v.out, "%-10s %s\n", label, plain(v.pasteable(text)))
}

// finding writes one object; its namespace stands there where the report is
// about several.
func (v detectionView) finding(finding detect.Finding, namespace string) {
	fmt.Fprintf(v.out, "\n%s%s\n", v.style.in(bold, plain(finding.Object)), in(finding.Namespace, namespace))
	if len(finding.By) > 0 {
		v.line("  by", strings.Join(finding.By, ", "))
	}
	for _, way := range finding.Ways {
		v.line("  takes", fmt.Sprintf("%s, %s (%s)", hostsText(way.Hosts), way.Match, way.Place))
		for _, backend := range way.Backends {
			v.line("", "-> "+backendText(backend))
		}
	}
	if finding.Driver == nil {
		v.line("  driver", "none: "+finding.Why)
	} else {
		v.driver(finding)
	}
	if finding.Hint != "" {
		fmt.Fprintf(v.out, "%-10s %s\n", "  "+v.style.in(cyan, "hint"), plain(v.pasteable(finding.Hint)))
	}
	for _, note := range finding.Notes {
		v.line("  note", note)
	}
}

func (v detectionView) driver(finding detect.Finding) {
	proven := "seen to move live traffic"
	if finding.Driver.Unproven {
		proven = fmt.Sprintf("not seen to move live traffic yet: a shift asks for --%s", acceptUnproven)
	}
	if finding.Declared {
		proven += "; the Release declares it"
	}
	v.line("  driver", fmt.Sprintf("spec.traffic.%s (%s)", finding.Driver.Field, proven))
	for line := range strings.Lines(finding.Driver.Traffic) {
		fmt.Fprintf(v.out, "%-10s   %s", "", line)
	}
	mark := map[detect.Standing]string{detect.StandBoth: v.style.good(), detect.StandOne: v.style.doubtful(), detect.StandNone: v.style.bad(), detect.StandUnknown: v.style.doubtful()}[finding.Colors.Standing]
	fmt.Fprintf(v.out, "%-10s %s %s\n", "  colours", mark, plain(finding.Colors.Message))
}

// shadows writes which requests another object takes.
func (v detectionView) shadows(report *detect.Report) {
	if len(report.Shadows) > 0 {
		fmt.Fprintf(v.out, "\n%s\n", v.style.in(bold, "taken by another object"))
	}
	for _, shadow := range report.Shadows {
		verb := "go"
		if !shadow.Certain {
			verb = "may go"
		}
		fmt.Fprintf(v.out, "%s %s%s, %s: requests for %s, %s, %s to %s, by %s%s, %s\n", v.style.doubtful(),
			plain(shadow.Object), in(shadow.Namespace, report.Namespace), plain(shadow.Place), plain(shadow.Hosts), plain(shadow.Taken), verb,
			plain(strings.Join(shadow.To, ", ")), plain(shadow.By), in(shadow.ByNamespace, report.Namespace), plain(shadow.ByPlace))
		fmt.Fprintf(v.out, "  %s\n", v.style.in(dim, plain(shadow.Why)))
	}
}

// precedence writes what each kind promises, where several objects compete.
func (v detectionView) precedence(report *detect.Report) {
	if len(report.Findings) < 2 || len(report.Precedence) == 0 {
		return
	}
	fmt.Fprintf(v.out, "\n%s\n", v.style.in(bold, "precedence"))
	var kinds []string
	for _, finding := range report.Findings {
		kind, _, _ := strings.Cut(finding.Object, "/")
		if report.Precedence[kind] == "" || slices.Contains(kinds, kind) {
			continue
		}
		kinds = append(kinds, kind)
		fmt.Fprintf(v.out, "%-16s %s\n", kind, report.Precedence[kind])
	}
	if len(kinds) > 1 {
		fmt.Fprintln(v.out, "between kinds it depends on which proxy answers for the host")
	}
}

// unlisted writes what was not looked at, and may route there all the same.
func (v detectionView) unlisted(report *detect.Report) {
	if len(report.Unlisted) > 0 {
		fmt.Fprintf(v.out, "\n%s\n", v.style.in(bold, "not looked at"))
	}
	for _, one := range report.Unlisted {
		right := ""
		if one.Right != "" {
			right = " (missing right: " + one.Right + ")"
		}
		fmt.Fprintf(v.out, "%s %s: %s%s\n", v.style.doubtful(), plain(one.Resource), plain(one.Why), plain(right))
	}
	if v.wide && len(report.Absent) > 0 {
		fmt.Fprintf(v.out, "\n%-10s %s\n", "not served", strings.Join(report.Absent, ", "))
	}
}

// in names a namespace unless it is the report's own.
func in(namespace, own string) string {
	if namespace == own {
		return ""
	}
	return " in namespace " + plain(namespace)
}

func hostsText(hosts []string) string {
	if len(hosts) == 0 {
		return "every host"
	}
	return strings.Join(hosts, " ")
}

func backendText(backend detect.Backend) string {
	text := backend.To + in(backend.Namespace, "")
	if backend.Subset != "" {
		text += " subset " + backend.Subset
	}
	return fmt.Sprintf("%s, weight %d", text, backend.Weight)
}
