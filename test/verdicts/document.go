package main

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/simulate"
)

// sure is the confidence of the bounds on counted shares.
const sure = 0.95

// document is docs/relative.md.
func document(counted []tally, chosen options) string {
	promised := relative.New("", "").Alpha
	var text strings.Builder
	fmt.Fprintf(&text, head, chosen.healthy, chosen.faulty, simulate.Step, simulate.Watch)
	text.WriteString("\n## Healthy releases that were failed\n\n")
	fmt.Fprintf(&text, "What is promised of the relative gate is %s at most, by the upper bound in brackets, which is %s sure (Clopper and Pearson).\n\n", percent(promised), percent(sure))
	text.WriteString(heading("| Route | Traffic |", "| Promise |"))
	for _, tally := range counted {
		if tally.fault == simulate.Healthy() {
			text.WriteString(tally.healthyRow(promised))
		}
	}
	text.WriteString(confounded)
	for _, route := range routes() {
		fmt.Fprintf(&text, "\n## Bad releases that were failed: %s\n\nIn brackets, after what time half of them were, from the beginning of the fault on.\n\n", route.name)
		text.WriteString(heading("| Traffic | Fault |", "|"))
		for _, tally := range counted {
			if tally.route == route && tally.fault != simulate.Healthy() {
				text.WriteString(tally.faultyRow())
			}
		}
	}
	text.WriteString(traffic)
	text.WriteString(simulate.Table())
	return text.String()
}

// heading is the first two lines of a table with a column for each judge.
func heading(first, last string) string {
	line := first
	for _, judge := range judges() {
		line += " " + judge.name + " |"
	}
	line += strings.TrimPrefix(last, "|")
	return line + "\n" + strings.Repeat("|---", strings.Count(line, "|")-1) + "|\n"
}

// healthyRow counts false alarms.
func (t tally) healthyRow(promised float64) string {
	row := fmt.Sprintf("| %s | %s |", t.route.name, t.kind)
	for _, alarms := range t.alarms {
		row += fmt.Sprintf(" %s (%s) |", percent(float64(len(alarms))/float64(t.releases)), percent(atMost(len(alarms), t.releases, sure)))
	}
	if atMost(len(t.alarms[0]), t.releases, sure) <= promised {
		return row + " kept |\n"
	}
	return row + " **broken** |\n"
}

// faultyRow counts what was found.
func (t tally) faultyRow() string {
	row := fmt.Sprintf("| %s | %s |", t.kind, t.fault.Name)
	for i, alarms := range t.alarms {
		row += " " + percent(float64(len(alarms))/float64(t.releases))
		if len(alarms) > 0 {
			row += fmt.Sprintf(" (%s)", t.median(i))
		}
		if t.before[i] > 0 {
			row += fmt.Sprintf(", %s before it", percent(float64(t.before[i])/float64(t.releases)))
		}
		row += " |"
	}
	return row + "\n"
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", share*100) }

const head = `# How often the relative gate is wrong

<!-- Written by make bench. To write it alone: cd test && go run ./verdicts --out ../docs/relative.md -->

Releases that were made up, of %d healthy ones of each kind and %d of each fault, judged by four. Each has readings every
%s, and is watched for %s after the switch. The table of the traffic at the end was settled before the gate was built, but for
the trickle, which a fault in the gate brought in; the constants of the gate were chosen on other releases than these.

- **relative gate**: [pkg/relative](../pkg/relative/doc.go) with its defaults. Errors + 0.2 points, a p95 of 1.2 times,
  a share that is a fifth off its weight and the loss of half of the volume are allowed; 30 s of warm-up are left out.
- **fixed thresholds**: errors > 1 %% for 60 s, p95 > 1 s for 2 min: [the rollback rules](gates.md) of the first runbook.
- **Kayenta**: NetflixACAJudge with its published defaults (Mann-Whitney at 98 %%, tolerance 0.25, scores 75 and 95, no
  warm-up), on errors, p95 and volume, a point of each for every reading: at the end of the watch, or each minute over
  all that there is until then. It was made for hours, and to be asked rarely; what it says after ten minutes is counted.
`

const confounded = `
Against the minutes before, a bad spell of what both colours depend upon is on one side only, and what the hour changes
looks like the new version. The daily traffic squeezes a day into two hours: within ten minutes its p95 may really become
more than 1.2 times what it was, and no test can tell whose fault that is.
`

const traffic = `
## The traffic

What strays has a standard deviation of its logarithm, and in brackets the correlation between one interval and the next.
A new colour starts cold: three times as slow and with a point more errors, fading with e in 8 s.

`
