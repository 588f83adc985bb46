package preflight

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// targetOrAll is the target where one is chosen; on a pull request there is
// none, and both colours are looked at.
func targetOrAll(facts *Facts) []Color {
	if facts.Target == "" {
		return facts.colors()
	}
	return []Color{facts.target()}
}

// eachWorkload judges the pod template of every workload of some colours.
func eachWorkload(facts *Facts, colors []Color, judge func(subject string, template corev1.PodTemplateSpec) Finding) []Finding {
	var findings []Finding
	for _, color := range colors {
		switch {
		case !color.Workloads.Known && facts.Stage == StagePR && len(color.Declared.Manifests) == 0:
			findings = append(findings, undeclaredManifests(color.Name))
		case !color.Workloads.Known:
			findings = append(findings, color.Workloads.unknown("colour "+color.Name)...)
		case len(color.Workloads.Value) == 0:
			findings = append(findings, undeclared("workloads of colour "+color.Name))
		}
		for _, workload := range color.Workloads.Value {
			findings = append(findings, judge(workload.Ref.String(), workload.Template))
		}
	}
	return findings
}

// eachDatabase judges every declared database.
func eachDatabase(facts *Facts, judge func(subject string, database Database) []Finding) []Finding {
	if len(facts.Release.Spec.Databases) == 0 {
		return []Finding{undeclared("database")}
	}
	var findings []Finding
	for _, declared := range facts.Release.Spec.Databases {
		findings = append(findings, judge("database "+declared.Name, facts.Databases[declared.Name])...)
	}
	return findings
}

// eachSnapshot judges what a session saw of every declared database.
func eachSnapshot(facts *Facts, judge func(subject string, database Database) []Finding) []Finding {
	return eachDatabase(facts, func(subject string, database Database) []Finding {
		if database.sessionless() {
			finding := undeclared("session with " + subject)
			finding.Subject, finding.Cause = subject, fmt.Sprintf("%s; it is read without one: %s (%s)", finding.Cause, database.Target, database.Why)
			return []Finding{finding}
		}
		return onSnapshot(subject, database, judge)
	})
}

// onSnapshot judges what a session saw of a database, if one did.
func onSnapshot(subject string, database Database, judge func(subject string, database Database) []Finding) []Finding {
	if database.Exhausted {
		return []Finding{unknown(subject, "it can't be seen while PostgreSQL refuses connections (SQLSTATE 53300)").fix(exhaustedRemedy)}
	}
	if !database.Snapshot.Known {
		return database.Snapshot.unknown(subject)
	}
	return judge(subject, database)
}
