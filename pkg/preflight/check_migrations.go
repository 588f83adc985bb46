package preflight

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func migrationsSafe() Check {
	return Check{
		ID: "BG-DB-08", Title: "the old version can live with the release's migrations", Area: AreaDatabase,
		Stages: []Stage{StagePR, StageDeploy}, Critical: true,
		Why: "Both colours use one database: a migration hits the live version as soon as it is applied, and stays when traffic goes back. " +
			"What breaks it at once, and what makes it wait, blocks; what can't be read blocks too. What breaks it once the new version has written " +
			"warns, and unless the file acknowledges it, the release never goes back by itself: it freezes.",
		Remedy: "see what the rule says: docs/migrations.md",
		Source: "first runbook, Pre-Deployment Checklist (database schema changes are backward compatible with both v1 and v2)",
		Evaluate: func(facts *Facts) []Finding {
			if len(facts.Release.Spec.Databases) == 0 {
				return []Finding{undeclared("database")}
			}
			var findings []Finding
			for _, database := range facts.Release.Spec.Databases {
				fact, declared := facts.Migrations[database.Name]
				subject := "migrations of database " + database.Name
				switch {
				case database.Migrations == nil:
					findings = append(findings, undeclared(subject).fix("name them in spec.database[].migrations.paths, and in after the last one that the live version knows"))
				case !declared || !fact.Known:
					findings = append(findings, fact.unknown(subject)...)
				default:
					findings = append(findings, judged(subject, fact.Value)...)
				}
			}
			return findings
		},
	}
}

// judged is what the migrations of one database come to.
func judged(subject string, found Migrations) []Finding {
	var findings []Finding
	for _, mistake := range found.Mistakes {
		finding := fail(subject, "they can't be judged: %s", mistake.Problem).at("%s", mistake.Field)
		finding.Remedy, finding.Position = mistake.Remedy, mistake.Position
		findings = append(findings, finding)
	}
	for _, one := range found.Findings {
		findings = append(findings, judgedChange(one))
	}
	if len(findings) == 0 {
		findings = append(findings, pass(subject, "nothing in %d statements of %d files hurts the old version", found.Statements, found.Files).with("before", found.Before))
	}
	return findings
}

// judgedChange is one change that hurts, or would without its acknowledgement.
func judgedChange(one migration.Finding) Finding {
	subject := fmt.Sprintf("migration %s:%d:%d", one.File, one.Line, one.Column)
	cause := fmt.Sprintf("%s (%s): %s", one.Rule, one.Class, one.Problem)
	var finding Finding
	switch {
	case one.Acknowledged != "":
		finding = pass(subject, "%s; acknowledged: %s", cause, one.Acknowledged)
	case one.Blocks():
		finding = fail(subject, "%s", cause)
	default:
		finding = warn(subject, "%s", cause)
	}
	finding.Position = &release.Position{File: one.File, Line: one.Line, Column: one.Column}
	finding.Remedy = one.Remedy
	if one.Breaks != "" {
		finding = finding.with("breaks", one.Breaks)
	}
	return finding.with("rule", one.Rule).with("class", one.Class)
}

// irreversible are the changes after which the old version can't take over again.
func irreversible(migrations map[string]Fact[Migrations]) []string {
	var found []string
	for _, database := range slices.Sorted(maps.Keys(migrations)) {
		for _, one := range migrations[database].Value.Findings {
			if one.Irreversible() {
				found = append(found, fmt.Sprintf("%s:%d: %s: %s", one.File, one.Line, one.Rule, one.Problem))
			}
		}
	}
	return found
}
