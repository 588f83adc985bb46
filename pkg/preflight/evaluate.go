package preflight

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Evaluate runs the checks of a stage over facts. It is pure; findings are
// sorted by id and subject.
func Evaluate(facts *Facts, checks []Check, stage Stage) *Report {
	report := newReport(facts, stage)
	for _, check := range checks {
		if !slices.Contains(check.Stages, stage) {
			continue
		}
		for _, finding := range run(check, facts) {
			finding = complete(finding, check, report.Require)
			if finding.Position == nil {
				finding.Position = locate(facts, finding)
			}
			report.Findings = append(report.Findings, finding)
		}
	}
	slices.SortStableFunc(report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Subject, b.Subject))
	})
	report.suppress(facts, checks)
	report.deferToManifests()
	report.count()
	report.blame(facts.Unreachable)
	return report
}

// run guards against a check that says nothing, or that stumbles over facts
// it did not expect: neither may pass for a pass.
func run(check Check, facts *Facts) (findings []Finding) {
	defer func() {
		if fault := recover(); fault != nil {
			findings = []Finding{unknown(check.Title, "the check itself failed: %v", fault)}
		}
	}()
	findings = check.Evaluate(facts)
	if len(findings) == 0 {
		findings = []Finding{unknown(check.Title, "the check found nothing to look at")}
	}
	return findings
}

// complete fills in what the check knows of every finding.
func complete(finding Finding, check Check, require string) Finding {
	finding.ID, finding.Title, finding.Critical = check.ID, check.Title, check.Critical && !finding.Lesser
	finding.Docs = DocsPath(check)
	switch {
	case finding.Outcome == Pass:
		finding.Remedy = ""
	case finding.Outcome == Skip && !finding.Undeclared: // there is nothing to do about what does not apply
	case finding.Remedy == "":
		finding.Remedy = check.Remedy
	}
	finding.Blocks = blocks(finding, require)
	return finding
}

func blocks(finding Finding, require string) bool {
	production := require == release.RequireProduction
	switch finding.Outcome {
	case Fail:
		return true
	case Unknown:
		return finding.Critical || production
	case Skip:
		return finding.Undeclared && production
	default:
		return false
	}
}

// DocsPath is a check's page in the repository, or its URL elsewhere.
func DocsPath(check Check) string {
	return cmp.Or(check.Docs, fmt.Sprintf("docs/checks/%s.md", check.ID))
}
