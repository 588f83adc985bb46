package preflight

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func poolsFit() Check {
	return Check{
		ID: "BG-DB-10", Title: "the pools of both colours fit into what the Release declares", Area: AreaDatabase,
		Stages: []Stage{StagePR, StageDeploy}, Critical: true,
		Why: "A pull request is judged by its files alone, and what a database has left stands in none. So the Release declares how many connections both colours " +
			"together may take of it, and a change that asks for more can't be merged: larger pools, more pods, another Job beside them. Before a shift the same is held " +
			"against what runs, and the declared number itself against what the database leaves: nobody is to be promised more than there is.",
		Remedy:   "set the pool size per pod that the finding names, run fewer pods, or agree on more with whoever runs the database and declare it in spec.database[].connections",
		Source:   "first runbook, Pre-Deployment Checklist, Database (validate max_connections; adjust per-pod pool size); Best Practices (integrate checklist items into CI/CD gates)",
		Evaluate: eachDeclaration,
	}
}

// declaration is what the Release declares of one database, and what is asked of it.
type declaration struct {
	*Facts
	// field is that of the Release.
	field    string
	declared release.Database
	database Database
	budget   postgres.Budget
	postgres.Declared
}

// parts are those of the demand whose pools are in the sum: none behind a pooler.
func (d declaration) parts() []postgres.ColorDemand {
	if d.database.Pooler != nil {
		return nil
	}
	return d.budget.Colors
}

// eachDeclaration judges what is asked of each database.
func eachDeclaration(facts *Facts) []Finding {
	if len(facts.Release.Spec.Databases) == 0 {
		return []Finding{undeclared("database")}
	}
	var findings []Finding
	for index, declared := range facts.Release.Spec.Databases {
		subject, field := "database "+declared.Name, fmt.Sprintf("spec.database[%d].connections", index)
		var finding Finding
		switch {
		case declared.Connections > 0 && facts.Stage == StagePR && declared.Pooler != nil:
			finding = skip(subject, "what its pooler opens bounds the connections, and that is not in the manifests: the stage deploy asks it")
		case declared.Connections > 0:
			budget := facts.budgetSoFar(declared.Name)
			finding = judgeDeclared(declaration{facts, field, declared, facts.Databases[declared.Name], budget, budget.Against(declared.Connections)})
			finding.Subject = subject
		case facts.Stage == StagePR:
			finding = unknown(subject, "its connections are not judged on a pull request, as %s is not declared: BG-DB-03 judges them at the stage deploy, when this is merged", field).
				fix("%s", declareRemedy(field))
			finding.Lesser = true
		default:
			finding = undeclared("connections of "+subject).fix("%s", declareRemedy(field))
		}
		if finding.Field == "" {
			finding = finding.at("%s", field)
		}
		findings = append(findings, finding)
	}
	return findings
}

func declareRemedy(field string) string {
	return "declare in " + field + " how many connections both colours together may take of it, as agreed with whoever runs it"
}

// judgeDeclared judges one. What is known and already too much fails, whatever else
// is not known.
func judgeDeclared(d declaration) Finding {
	finding := d.outcome().with("sum", d.Sum).with("declared", d.Connections).with("recommendedPool", d.Pool)
	for _, color := range d.budget.Colors {
		finding = finding.with("pool of "+color.Called(), fmt.Sprintf("%s (%s)", color.Pool, provenance(color.Pool)))
	}
	if len(d.Warnings) > 0 {
		finding = finding.with("warnings", strings.Join(d.Warnings, "\n"))
	}
	return finding
}

func (d declaration) outcome() Finding {
	if d.Exceeds() {
		return d.tooMany()
	}
	if d.Unknown != "" {
		finding := unknown("", "what is asked for is not known: %s, and %s allows %d", d.Unknown, d.field, d.Connections)
		finding.Lesser = true // BG-DB-03 blocks by it
		return finding
	}
	if finding, silent := d.unknownPool(); silent {
		return finding
	}
	if unseen := d.unseen(); len(unseen) > 0 {
		finding := unknown("", "%s, and %s allows %d; not known: %s", d.sum(), d.field, d.Connections, strings.Join(unseen, "; "))
		finding.Lesser = true // where that is critical, what tells it says so
		if d.Stage == StagePR {
			return finding.fix("name the manifests of both colours in spec.colors, with the replicas or the autoscaler of each workload: what they leave out is judged at the stage deploy")
		}
		return finding.fix("see that the workloads of both colours can be read: BG-COL-01 says why they can't")
	}
	if d.Stage == StagePR {
		return d.fits()
	}
	return d.promised()
}

// sum is who asks for what.
func (d declaration) sum() string { return d.Sum + " connections" }

func (d declaration) tooMany() Finding {
	if settled, ending := d.budgetSettled(d.budget.Name); ending != "" && d.database.Pooler == nil {
		if against := settled.Against(d.Connections); !against.Exceeds() {
			return fail("", "%s, and %s allows %d; %s", d.sum(), d.field, d.Connections, withoutEnding(ending)).fix(endingRemedy)
		}
	}
	advice := "no pool size fits"
	switch {
	case d.database.Pooler != nil && len(d.Changes) > 0:
		advice = fmt.Sprintf("a pool of %d in %s fits", d.Changes[0].To, d.database.Pooler.Name)
	case d.Pool > 0:
		advice = fmt.Sprintf("a pool of %d per pod fits", d.Pool)
	}
	finding := fail("", "%s, and %s allows %d; %s", d.sum(), d.field, d.Connections, advice)
	if d.Pool < 1 {
		finding = finding.fix("run fewer pods, or agree on more with whoever runs the database and declare it in %s", d.field)
	}
	if len(d.Changes) > 0 {
		finding.Remedy = budgetRemedy(d.Changes)
	}
	if held := d.held(d.budget.Name); len(held) > 0 {
		finding.Remedy = heldRemedy(held)
	}
	finding.Position = d.culprit(d.parts(), d.Pool)
	if finding.Position == nil && d.declared.Pool.Size > 0 {
		finding = finding.at("%s.pool.size", strings.TrimSuffix(d.field, ".connections"))
	}
	return finding
}

// unknownPool is the finding about a pool of which nothing is known. Before a shift
// BG-DB-03 blocks by it.
func (d declaration) unknownPool() (Finding, bool) {
	at := slices.IndexFunc(d.parts(), func(color postgres.ColorDemand) bool { return !color.Pool.Known })
	if at < 0 {
		return Finding{}, false
	}
	color := d.parts()[at]
	why := strings.Join(append([]string{color.Pool.Provenance}, color.Pool.Warnings...), "; ")
	finding := unknown("", "the pool size of %s is unknown (%s): %s, and %s allows %d", color.Workload, why, d.sum(), d.field, d.Connections).
		fix("state what a pod opens with the annotation %s on the pod template of %s", postgres.AnnotationPoolSize, color.Workload)
	if d.Pool > 0 {
		finding.Remedy += fmt.Sprintf(": up to %d fit", d.Pool)
	}
	finding.Lesser = d.Stage != StagePR
	finding.Position = d.poolPosition(color.Pool)
	return finding, true
}

// unseen is what else of the demand is not known.
func (d declaration) unseen() []string {
	var unseen []string
	for _, color := range d.colors() {
		switch {
		case !color.Workloads.Known && d.Stage == StagePR && len(color.Declared.Manifests) == 0:
			unseen = append(unseen, color.Name+" has no manifests, so what it takes is in no file")
		case !color.Workloads.Known:
			unseen = append(unseen, "what "+color.Name+" takes: "+color.Workloads.Unread().Problem)
		}
		for _, workload := range color.Workloads.Value {
			if d.Stage == StagePR && !countsPods(workload) && d.autoscaledMaximum(workload) == 0 {
				unseen = append(unseen, "how many pods "+workload.Ref.String()+" has, which its manifest leaves to an autoscaler that is not in the manifests; it counts with 1")
			}
		}
	}
	return unseen
}

// countsPods reports whether a manifest says how many pods its workload has.
func countsPods(workload cluster.Workload) bool {
	if workload.Object == nil {
		return true
	}
	_, said, _ := unstructured.NestedFieldNoCopy(workload.Object.Object, "spec", "replicas")
	return said
}

// promised holds what is declared against what the database leaves the release.
func (d declaration) promised() Finding {
	if !d.database.Snapshot.Known {
		unread := d.database.Snapshot.Unread()
		finding := unknown("", "%s, and %s allows %d; whether the database has these is not known: %s", d.sum(), d.field, d.Connections, unread.Problem)
		finding.Remedy, finding.Transient = unread.Remedy, unread.Transient
		finding.Lesser = true // BG-DB-03 blocks by it
		return finding
	}
	left := d.budget.Left()
	if d.Connections > left.Allowed {
		return warn("", "%s allows %d, and the database leaves both colours %d (%s): a pull request that asks for more than that is let through", d.field, d.Connections, left.Allowed, left.Name).
			with("arithmetic", strings.Join(d.budget.Arithmetic, "\n")).
			fix("set %s to %d at most, or raise what the database leaves", d.field, max(0, left.Allowed))
	}
	if !d.Autoscalers.Known {
		return warn("", "%s, and %s allows %d, unless an autoscaler adds pods: %s", d.sum(), d.field, d.Connections, d.Autoscalers.Problem)
	}
	return d.fits()
}

// fits is a demand that does, as far as nobody only assumed a part of it.
func (d declaration) fits() Finding {
	cause := fmt.Sprintf("%s, and %s allows %d", d.sum(), d.field, d.Connections)
	for _, color := range d.parts() {
		if color.Pool.Trust == postgres.TrustAssumed {
			finding := warn("", "%s; the pool size of %s is assumed: %s", cause, color.Workload, strings.Join(color.Pool.Warnings, "; "))
			finding.Position = d.poolPosition(color.Pool)
			return finding.fix("state it with the annotation %s on the pod template", postgres.AnnotationPoolSize)
		}
	}
	if len(d.budget.Uncounted) > 0 {
		return warn("", "%s, but not all is counted: %s", cause, d.budget.Uncounted[0]).fix("%s", uncountedRemedy)
	}
	return pass("", "%s", cause)
}
