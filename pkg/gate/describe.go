package gate

import (
	"fmt"
	"strings"
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
		for _, rule := range rules {
			rows = append(rows, Row{Profile: name, Rule: rule})
		}
	}
	return rows
}

// Condition is the comparison of the rule in words: "> 1 % for 1m".
func (r Rule) Condition() string {
	limit := Format(r.Signal, r.Threshold)
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

A rule whose signal nothing in the release can answer is printed as *not declared* and has no say. A rule relative to the
baseline compares with the old colour in the window before the switch; without such a baseline it has no say either, and
the absolute rule on the same signal stands alone.

## Sustained

A rollback rule with a time fails only once its condition has held for that time. Time counts between two readings that
both hold, with nothing missing between them, and at most half of the rule's time for any one pair: at least three readings
stand behind every such verdict. Missing data neither ends a breach nor adds to it. When it is missing for longer than the
rule's own time, the count starts again.

An emergency stop (` + "`kubectl bluegreen stop REASON`" + `, or the annotation ` + "`bluegreen.dev/stop`" + ` on the route) is no rule: it
rolls back at the next reading, whatever the rules and ` + "`gates.onFailure`" + ` say.
`
