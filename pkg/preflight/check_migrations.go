package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
		Remedy: "see what the rule says, such as: kubectl bluegreen explain drop-column. Where nobody is hurt, acknowledge it in a comment before the statement: -- bluegreen:allow RULE the reason why",
		Source: "first runbook, Pre-Deployment Checklist (database schema changes are backward compatible with both v1 and v2)",
		Evaluate: func(facts *Facts) []Finding {
			if len(facts.Release.Spec.Databases) == 0 {
				return []Finding{undeclared("database")}
			}
			var findings []Finding
			for index, database := range facts.Release.Spec.Databases {
				fact, declared := facts.Migrations[database.Name]
				subject := "migrations of database " + database.Name
				switch {
				case database.Migrations == nil:
					findings = append(findings, undeclared(subject).fix("name them in spec.database[].migrations.paths, and in after the last one that the live version knows"))
				case !declared || !fact.Known:
					findings = append(findings, fact.unknown(subject)...)
				default:
					found := judged(subject, fact.Value)
					findings = append(findings, append(found, extent(subject, index, *database.Migrations, fact.Value)...)...)
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
	return findings
}

// extent says how much of the migrations of one database was judged. Whoever moves
// `after` decides what is not, so every report says it; that nothing is left is how it
// is with most releases, and no warning.
func extent(subject string, index int, declared release.Migrations, found Migrations) []Finding {
	if len(found.Mistakes) > 0 {
		return nil
	}
	all := found.Files + found.Before
	judged := fmt.Sprintf("%d of %d files judged", found.Files, all)
	why := "the others are only read, for they are not named beside their folder"
	field := fmt.Sprintf("spec.database[%d].migrations.paths", index)
	if declared.After != "" {
		why = fmt.Sprintf("after is %s, and %d lie at or before it", declared.After, found.Before)
		field = fmt.Sprintf("spec.database[%d].migrations.after", index)
	}
	switch {
	case found.Files == 0 && all > 0:
		finding := pass(subject, "%s: %s; where the release brings a migration, after is the last one that the live version knows", judged, why).at("%s", field)
		finding.Told = true
		return []Finding{finding}
	case found.Before > 0:
		finding := pass(subject, "%s: %s; %s", judged, why, verdictOn(found)).at("%s", field).with("before", found.Before)
		finding.Told = true
		return []Finding{finding}
	case len(found.Findings) == 0:
		return []Finding{pass(subject, "%s: %s", judged, verdictOn(found))}
	}
	return nil
}

func verdictOn(found Migrations) string {
	if len(found.Findings) > 0 {
		return fmt.Sprintf("findings: %d in %d statements", len(found.Findings), found.Statements)
	}
	return fmt.Sprintf("nothing in %d statements hurts the old version", found.Statements)
}

// judgedChange is one change that hurts, or would without its acknowledgement.
func judgedChange(one migration.Finding) Finding {
	subject := fmt.Sprintf("migration %s:%d:%d", one.File, one.Line, one.Column)
	cause := fmt.Sprintf("%s (%s): %s", one.Rule, one.Class, one.Problem)
	var finding Finding
	switch {
	case one.Acknowledged != "":
		finding = pass(subject, "%s; acknowledged: %s", cause, one.Acknowledged)
		finding.Acknowledged = one.Acknowledged
	case one.Blocks():
		finding = fail(subject, "%s", cause)
	default:
		finding = warn(subject, "%s", cause)
	}
	finding.Position = &release.Position{File: one.File, Line: one.Line, Column: one.Column}
	finding.Remedy = remedyOf(one)
	if one.Breaks != "" {
		finding = finding.with("breaks", one.Breaks)
	}
	return finding.with("rule", one.Rule).with("class", one.Class)
}

// remedyOf is what to do about a change, where the Release says how it is judged and
// no flag does.
func remedyOf(one migration.Finding) string {
	remedy := one.Remedy
	if flag, field, both := strings.Cut(remedy, "--level "+one.Rule+"=off, or "); both {
		remedy = flag + field
	}
	return remedy + "; to know more: kubectl bluegreen explain " + one.Rule
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
