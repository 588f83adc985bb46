package plugin

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Every line of both runbooks stands in docs/runbooks.md with what covers it, and
// what it names exists.
func TestEveryLineOfTheRunbooksIsCovered(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "runbooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := covers(t)
	var open []string
	for _, runbook := range []string{"first", "second"} {
		rows := coverageOf(string(text), runbook)
		for _, line := range linesOf(t, runbook) {
			cell, found := rows[line]
			delete(rows, line)
			line := runbook + ": " + line[strings.Index(line, ": ")+2:]
			if strings.Contains(cell, "not yet: ") {
				open = append(open, line)
			}
			if !found || !strings.Contains(cell, "not yet: ") && len(mentioned(cell)) == 0 {
				t.Errorf("%s: nothing covers it: %q", line, cell)
			}
			for _, mention := range mentioned(cell) {
				if !known[mention] {
					t.Errorf("%s: there is no %s", line, mention)
				}
			}
		}
		for line := range rows {
			t.Errorf("the %s runbook has no line %q", runbook, line)
		}
	}
	if diff := cmp.Diff(notYet(), open); diff != "" {
		t.Errorf("what is not covered so far is not what was known (-known +found):\n%s", diff)
	}
}

// linesOf are the lines of a runbook, each behind the title of its section.
func linesOf(t *testing.T, runbook string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "runbooks", runbook+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, is := strings.CutPrefix(line, "# "); is {
			section = title
		} else if line != "" {
			lines = append(lines, section+": "+line)
		}
	}
	if len(lines) < 40 {
		t.Fatalf("the %s runbook has %d lines", runbook, len(lines))
	}
	return lines
}

// coverageOf are the rows of a runbook's table.
func coverageOf(text, runbook string) map[string]string {
	_, text, _ = strings.Cut(text, "### The "+runbook+" runbook")
	text, _, _ = strings.Cut(text, "\n### ")
	rows := map[string]string{}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if first, is := strings.CutPrefix(cells[0], "| "); is && len(cells) == 2 && first != "Line" {
			rows[html.UnescapeString(first)] = strings.TrimSuffix(cells[1], " |")
		}
	}
	return rows
}

// mentioned is what a cell names, such as "gate advance-error-ratio".
func mentioned(cell string) []string {
	var found []string
	for _, match := range regexp.MustCompile("(check|gate|phase|field|command) (?:\\[([^]]+)\\]\\(checks/([^)]+)\\.md\\)|`([^`]+)`)").FindAllStringSubmatch(cell, -1) {
		found = append(found, match[1]+" "+match[2]+match[4])
		if match[3] != match[2] {
			found = append(found, "page of another check: "+match[3])
		}
	}
	return found
}

// covers is everything that a row may name.
func covers(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, check := range preflight.Catalogue() {
		known["check "+check.ID] = true
	}
	for _, profile := range []string{release.ProfileWeighted, release.ProfileAtomic} {
		rules, err := gate.Rules(release.Gates{Profile: profile}, []release.Database{{Name: "main"}}, func(measure.Query) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			known["gate "+rule.ID] = true
		}
	}
	for _, phase := range rollout.Phases() {
		known["phase "+string(phase.Phase)] = true
	}
	for field := range fieldsOfTheRelease(t) {
		known["field "+field] = true
	}
	call, _, _, _ := bench(t, nil)
	for _, command := range newRoot(call).Commands() {
		known["command "+command.Name()] = true
		for _, below := range command.Commands() {
			known["command "+command.Name()+" "+below.Name()] = true
		}
	}
	return known
}

// fieldsOfTheRelease are the paths of its fields, by the schema, without what
// stands in lists and in mappings by name.
func fieldsOfTheRelease(t *testing.T) map[string]bool {
	t.Helper()
	text, err := release.Schema()
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Ref        string          `json:"$ref"`
		Properties map[string]node `json:"properties"`
	}
	var schema struct {
		Definitions map[string]node `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	var walk func(path string, of node)
	walk = func(path string, of node) {
		if name, refers := strings.CutPrefix(of.Ref, "#/$defs/"); refers {
			of = schema.Definitions[name]
		}
		for name, property := range of.Properties {
			field := strings.TrimPrefix(path+"."+name, ".")
			fields[field] = true
			walk(field, property)
		}
	}
	walk("", schema.Definitions["Release"])
	if !fields["spec.traffic.steps"] {
		t.Fatal("the fields can't be read out of the schema")
	}
	return fields
}

// notYet are the lines of which something is not covered so far.
func notYet() []string {
	return []string{
		"first: Perform full-capacity load test under dual-environment conditions (Critical)",
		"first: Verify no performance degradation or connection errors at peak load",
		"first: Confirm rollback mechanism works in staging",
		"first: Confirm database connectivity and query responsiveness",
		"first: Undetected bottleneck: load test did not simulate dual blue-green load",
		"first: Test under realistic overlap conditions",
		"first: Rollback drills: conduct quarterly in staging",
		"first: Full-capacity and dual-environment testing is mandatory",
		"second: Confirm logs show version=v2 and no startup errors",
		"second: Trigger incident review if rollback executed",
		"second: Pre-warm caches: if applicable, trigger cache population in v2 before cutover",
	}
}
