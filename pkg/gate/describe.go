package gate

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// Row is one rule of one profile, as the documentation lists it.
type Row struct {
	Profile string
	Rule    Rule
}

// Describe lists every rule of every profile, in order.
func Describe() []Row {
	var rows []Row
	for _, name := range Profiles() {
		rules, _ := profile(name)
		rules = append(rules, relativeRules(Advance)...)
		for _, rule := range rules {
			rows = append(rows, Row{Profile: name, Rule: rule})
		}
	}
	return rows
}

// Condition is the comparison of the rule in words: "> 1 % for 1m".
func (r Rule) Condition() string {
	limit := Format(r.Signal, r.Threshold)
	if r.Compares() {
		return r.difference()
	}
	if r.RelativeTo != "" {
		limit = "the baseline"
		if r.Threshold != 1 {
			limit = number(r.Threshold) + " × the baseline"
		}
		if r.MinimumEffect > 0 {
			effect := Format(r.Signal, r.MinimumEffect)
			limit += fmt.Sprintf("; %s more is no difference", effect)
		}
	}
	text := string(r.Comparator) + " " + limit
	if r.For > 0 {
		text += " for " + duration(r.For)
	}
	return text
}

// difference is the condition of a rule that compares: what is certain.
func (r Rule) difference() string {
	switch r.Signal {
	case measure.ErrorRatio:
		return fmt.Sprintf("%s %s points more than of the old colour", r.Comparator, number(r.Threshold*100))
	case measure.LatencyP95:
		return fmt.Sprintf("%s %s × the old colour's", r.Comparator, number(r.Threshold))
	}
	return fmt.Sprintf("off its weight by %s %s", r.Comparator, Format(measure.ErrorRatio, r.Threshold))
}

// Document is the page docs/gates.md.
func Document() string {
	var page strings.Builder
	page.WriteString(documentHead)
	for _, name := range Profiles() {
		fmt.Fprintf(&page, "\n## Profile %s\n", name)
		for _, part := range []struct {
			purpose Purpose
			title   string
		}{{Advance, "To advance, all of these must pass"}, {Rollback, "Any of these rolls back"}} {
			fmt.Fprintf(&page, "\n### %s\n\n| Rule | Of | Condition | Window | Samples at least | Source |\n|---|---|---|---|---|---|\n", part.title)
			for _, row := range Describe() {
				if row.Profile == name && row.Rule.Purpose == part.purpose {
					page.WriteString(documentRow(row.Rule))
				}
			}
		}
	}
	return page.String()
}

// documentRow is one line of a table.
func documentRow(rule Rule) string {
	window, least := "now", "–"
	if rule.Compares() {
		window = "the run"
	}
	if rule.Window > 0 {
		window = duration(rule.Window)
	}
	if rule.MinimumSamples > 0 {
		least = number(rule.MinimumSamples)
	}
	return fmt.Sprintf("| %#q | %s | %s | %s | %s | %s |\n", rule.ID, rule.Subject, rule.Condition(), window, least, rule.Source)
}

const documentHead = `# The gates

<!-- Written by pkg/gate from the rules themselves. To renew it: go test ./pkg/gate -run TestDocument -update -->

A gate is a list of rules. Some must pass before a shift advances, others roll it back; the numbers of the two differ on
purpose. ` + "`spec.gates.profile`" + ` chooses a profile, and ` + "`spec.gates.rules`" + ` overrides a rule by its id:

` + "```yaml" + `
gates:
  profile: weighted
  rules:
    - {id: rollback-error-ratio, threshold: 0.02, for: 90s}   # 2 %; ratios are written 0 to 1
    - {id: rollback-oldest-transaction, disabled: true}
` + "```" + `

The numbers come from [two runbooks](runbooks.md), called the first (gradual, after an incident of exhausted connections)
and the second (a Service's selector, switched at once). Where a number is ours, its source says so.

A rule about a database stands once for each database of the release; ` + "`id/database`" + ` overrides one of them.

## Verdicts

| Verdict | Means | Does |
|---|---|---|
| pass | the numbers are good | lets the shift advance, when every required rule says so |
| fail | the numbers are bad | advance rule: the shift waits; rollback rule: it goes back, or, with ` + "`gates.onFailure: freeze`" + `, holds |
| no-data | nothing to judge by: no requests, or fewer than the rule needs | the shift doesn't advance |
| source-down | the source can't be asked, or its answer makes no sense | the shift holds; past ` + "`gates.sourceDown.deadline`" + ` the policy decides |

Neither no-data nor source-down is ever a failure of the release. The exception is PostgreSQL refusing a connection with
SQLSTATE 53300: that is the incident itself, reads as 100 % of the connections, and fails at once. Only where the
` + "`CONNECTION LIMIT`" + ` of the observer's own role is used up, and no colour logs in with it, is that a source that is down.

A rollback rule on the error ratio needs fewer samples where the missing ones could not change what it says: 49 failed
requests of 49 are 98 % of 50 even if the fiftieth had succeeded. A quiet service so goes back from a version that fails
every request. It never advances on less than the samples: ` + "`check` (BG-MON-06)" + ` warns when there are too few requests for
that, and ` + "`minimumSamples` or `window`" + ` of the rule is what to change.

A rollback rule that begins to hold is told at once, by the shift and by ` + "`status`" + ` as trouble, and so is it when that is
over again; the verdict comes once it has held for its time.

A rule whose signal nothing in the release can answer is printed as *not declared* and has no say. A rule relative to the
baseline compares with the old colour in the window before the switch; without such a baseline it has no say either, and
the absolute rule on the same signal stands alone.

## Against the old colour

The rules that end in ` + "`-relative`" + ` hold the new colour against the old one over the same minutes, and where a switch gave
it everything, against the minutes before that. They know how the service usually is and how much its numbers stray, which
no threshold knows: a service that fails 0.1 % of its requests is held when its new colour fails 0.4 %. Both colours'
requests are counted from one reading to the next, by the pods' own counters or by ` + "`metrics.prometheus`" + `. A rule fails
once it is certain that the difference is larger than what is allowed: 99 % sure over the whole release, however often it
is read. How often that is wrong is [counted](relative.md). What has failed stays failed for the run.

- What is neither certain to be allowed nor certain not to be passes: it may never be certain.
- The first 30 s after each switch are left out, and nothing can be said before eleven intervals: 85 s after a switch
  with the pods' own counters, and six minutes with a Prometheus, whose intervals last 30 s. Until then a rule has no say,
  so that a short hold ends when it ends. One that has as many intervals and still no bounds has no data, and the shift
  waits for it; after as many again, and 100 s at most, it has no say any more, for its numbers stray too much.
- An interval in which a pod did not answer, or a source was down, is left out. So is one in which a colour had no
  requests: a service that is rarely asked is not held back by these rules.
- Where the new colour already counted requests before it was given any, such as probes, and these are more than 5 % of
  what it gets, its share is not judged.
- The minutes before a switch of everything are known to a Prometheus only: where none is declared the new colour is not
  compared once it has everything, and the record says so.

` + "`gates.relative: rollback`" + ` makes those on errors and latency rollback rules, ` + "`rollback-error-ratio-relative`" + ` and
` + "`rollback-latency-p95-relative`" + `: what is certain sends the release back at once. Otherwise it holds the shift, which goes
back after ` + "`gates.sourceDown.deadline`" + ` as with any rule that must pass to advance. The share of the requests only ever holds:
that they go elsewhere is rather the clients' doing, or the route's. A ` + "`threshold`" + ` changes what is allowed: the share of
requests that may fail more, the factor of the latency, the part of its weight that the share of requests may be off.

## Sustained

A rollback rule with a time fails only once its condition has held for that time. Time counts between two readings that
both hold, with nothing missing between them, and at most half of the rule's time for any one pair: at least three readings
stand behind every such verdict. Missing data neither ends a breach nor adds to it. When it is missing for longer than the
rule's own time, the count starts again.

An emergency stop (` + "`kubectl bluegreen stop REASON`" + `, or the annotation ` + "`bluegreen.dev/stop`" + ` on the route) is no rule: it
rolls back at the next reading, whatever the rules and ` + "`gates.onFailure`" + ` say.
`
