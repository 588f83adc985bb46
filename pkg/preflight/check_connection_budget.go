package preflight

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func connectionBudget() Check {
	return Check{
		ID: "BG-DB-03", Title: "the connections of both colours fit into the database", Area: AreaDatabase,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:      "During the overlap both colours hold their pools, and a rolling update adds surge pods. What fitted in steady state exhausts max_connections in the middle of the shift. Where the target has manifests, they are reckoned with beside what runs of it until then. Jobs and CronJobs that use the database take their part beside them.",
		Remedy:   "set the pool size per pod that the finding names, or raise max_connections",
		Source:   "first runbook, Pre-Deployment Checklist, Database (validate max_connections; adjust per-pod pool size); Common Pitfalls, Database connection exhaustion",
		Evaluate: func(facts *Facts) []Finding { return eachDatabase(facts, budgetFinding(facts)) },
	}
}

func budgetFinding(facts *Facts) func(string, Database) []Finding {
	return func(subject string, database Database) []Finding {
		if database.Exhausted {
			return []Finding{exhausted(subject, "no connection is left for either colour: PostgreSQL refuses more (SQLSTATE 53300)")}
		}
		if database.sessionless() && !database.Snapshot.Known {
			finding := database.Snapshot.unknown(subject)[0]
			finding.Cause = "its limits and its connections are not known: " + finding.Cause
			return []Finding{finding.fix("see that the exporter answers, or let the tool open a session: set spec.database[].observe.dsn and via: auto for %s", subject)}
		}
		if known, why := facts.budgetKnown(database.Declared.Name); !known {
			return []Finding{unknown(subject, "%s", why)}
		}
		return []Finding{judgeBudget(facts, subject, facts.budgetSoFar(database.Declared.Name))}
	}
}

func judgeBudget(facts *Facts, subject string, budget postgres.Budget) Finding {
	outcome := map[postgres.Outcome]Outcome{postgres.Fits: Pass, postgres.Warns: Warn, postgres.Exceeds: Fail, postgres.Unknown: Unknown}[budget.Outcome]
	finding := found(outcome, subject, budget.Summary, nil).
		with("arithmetic", strings.Join(budget.Arithmetic, "\n")).
		with("recommendedPool", budget.RecommendedPool)
	for _, color := range budget.Colors {
		finding = finding.with("pool of "+color.Called(), fmt.Sprintf("%s (%s)", color.Pool, provenance(color.Pool)))
	}
	for _, job := range budget.Jobs {
		finding = finding.with("pool of "+job.Name, fmt.Sprintf("%s (%s), told by %s", job.Pool, provenance(job.Pool), job.By))
	}
	if len(budget.Warnings) > 0 {
		finding = finding.with("warnings", strings.Join(budget.Warnings, "\n"))
	}
	if outcome == Warn && len(budget.Uncounted) > 0 {
		finding.Remedy = uncountedRemedy
	}
	if outcome == Pass && !facts.Autoscalers.Known {
		finding.Outcome = Warn
		finding.Cause += ", unless an autoscaler adds pods: " + facts.Autoscalers.Problem
	}
	if outcome == Fail && budget.RecommendedPool < 1 {
		finding.Remedy = "run fewer pods, or raise max_connections"
	}
	if outcome != Pass && len(budget.Changes) > 0 {
		finding.Remedy = budgetRemedy(budget.Changes)
	}
	if held := facts.held(budget.Name); outcome == Fail && len(held) > 0 {
		finding.Remedy = heldRemedy(held)
	}
	if settled, ending := facts.budgetSettled(budget.Name); outcome == Fail && ending != "" && settled.Outcome != postgres.Exceeds {
		finding.Cause += "; " + withoutEnding(ending)
		finding.Remedy = endingRemedy
	}
	return finding
}

// endingRemedy is what to do where it is too much only as long as pods are ending, as
// in any roll-out.
const endingRemedy = "wait until the pods that are ending are gone, and ask again"

func withoutEnding(ending string) string {
	return fmt.Sprintf("it fits without the pods that are ending (%s)", ending)
}

// uncountedRemedy is what to do about jobs that are in no sum.
const uncountedRemedy = "state what each pod of a Job opens with the annotation " + postgres.AnnotationPoolSize + " on its pod template (0 for none), or grant the right to read what the finding names; the right to list jobs and cronjobs is in: kubectl bluegreen generate rbac"

func heldRemedy(held []string) string {
	return fmt.Sprintf("scale %s to 0 before the shift: the pods that run may open more than those of the manifests will, until they are replaced", strings.Join(held, ", "))
}

func provenance(pool postgres.PoolSize) string {
	if pool.Trust == "" {
		return pool.Provenance
	}
	return pool.Provenance + ", " + pool.Trust
}

// held are the target's workloads whose pods may open more now than they will.
func (f *Facts) held(database string) []string {
	var held []string
	for _, workload := range f.target().Workloads.Value {
		if _, larger := f.target().heldPool(database, workload.Ref); larger {
			held = append(held, workload.Ref.String())
		}
	}
	return held
}

// budgetRemedy names each field and its new value.
func budgetRemedy(changes []postgres.Change) string {
	var parts []string
	for _, change := range changes {
		parts = append(parts, fmt.Sprintf("%s to %d", change.Field, change.To))
	}
	return "set " + strings.Join(parts, ", and ")
}
