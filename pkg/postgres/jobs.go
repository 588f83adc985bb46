package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// jobDemands are the jobs with what they may open and what they hold now.
func jobDemands(input BudgetInput) []JobDemand {
	jobs := slices.Clone(input.Jobs)
	for i, job := range jobs {
		job.Pool = job.Pool.Whole()
		jobs[i].Pool = job.Pool
		if job.Pods > 0 {
			jobs[i].Connections = job.Pods * job.Pool.Connections
		}
		jobs[i].Sessions = len(input.Attribution.Sessions[job.Name])
	}
	return jobs
}

// jobsAt are those that count against a gate: behind a pooler the ones that go
// past it, and at the pooler the others.
func jobsAt(gate Gate, budget Budget) []JobDemand {
	if gate.ofPooler() {
		return through(budget.Jobs)
	}
	return slices.DeleteFunc(slices.Clone(budget.Jobs), func(job JobDemand) bool {
		return !job.under(gate) || budget.Pooler != nil && !job.goesPast()
	})
}

// through are the jobs that are clients of the pooler.
func through(jobs []JobDemand) []JobDemand {
	return slices.DeleteFunc(slices.Clone(jobs), JobDemand.goesPast)
}

// goesPast reports whether a job is no client of the pooler. A fixed number of
// connections is PostgreSQL's.
func (j JobDemand) goesPast() bool { return j.Direct || j.Pods == 0 }

// pooledJobs are the jobs for which a pooler has a pool, as the colours are: a
// role of their own makes one more.
func pooledJobs(pooler *Pooler, jobs []JobDemand) []ColorDemand {
	var pooled []ColorDemand
	for _, job := range through(jobs) {
		if _, found := pooler.Config.entry(job.Database); found && job.Role != "" {
			pooled = append(pooled, ColorDemand{Color: job.Name, Role: job.Role, Pool: PoolSize{Database: job.Database}})
		}
	}
	return pooled
}

func connectionsOf(jobs []JobDemand) int {
	sum := 0
	for _, job := range jobs {
		sum += job.Connections
	}
	return sum
}

// uncounted says which jobs are in no sum, and why.
func uncounted(input BudgetInput, jobs []JobDemand) []string {
	found := slices.Clone(input.JobsUnread)
	for _, job := range jobs {
		if !job.known() {
			found = append(found, fmt.Sprintf("%s uses the database too (%s) and is in no sum: %s; state it with the annotation %s on its pod template", job.Name, job.By, job.Pool.Provenance, AnnotationPoolSize))
		}
	}
	return found
}

// shortRoles says which jobs ask for more than the role may have that they log in
// with, where no colour does: such a role has no gate. Through a pooler it is the
// pooler that logs in.
func shortRoles(input BudgetInput, budget Budget) []string {
	gated := rolesOf(budget.Colors, budget.pools)
	var found []string
	for _, job := range budget.Jobs {
		limit, known := input.Snapshot.Roles[job.Role]
		if !known || limit.Limit < 0 || limit.Superuser || slices.Contains(gated, job.Role) {
			continue
		}
		gated = append(gated, job.Role)
		asking := slices.DeleteFunc(slices.Clone(budget.Jobs), func(other JobDemand) bool {
			return other.Role != job.Role || budget.Pooler != nil && !other.goesPast()
		})
		held := 0
		if !input.Snapshot.Counted {
			held = others(input, budget, Gate{Name: gateRole + job.Role}, func(s Session) bool { return s.Role == job.Role })
		}
		if asked := connectionsOf(asking); asked > 0 && asked > limit.Limit-held {
			found = append(found, fmt.Sprintf("%s may ask for %d connections as role %s, which may have %d, of which others hold %d",
				namesOf(asking), asked, job.Role, limit.Limit, held))
		}
	}
	return found
}

func namesOf(jobs []JobDemand) string {
	var names []string
	for _, job := range jobs {
		names = append(names, job.Name)
	}
	return strings.Join(names, " and ")
}

// jobWarnings are what else is not certain of the jobs.
func jobWarnings(jobs []JobDemand) []string {
	var found []string
	for _, job := range jobs {
		if job.Overlaps {
			found = append(found, job.Name+" may run several times at once (concurrencyPolicy Allow); those under way are reckoned with, and at least one")
		}
		if job.Pods > 0 && job.known() && job.Sessions > job.Connections {
			found = append(found, fmt.Sprintf("%s holds %d sessions now, more than the %d that its pool explains", job.Name, job.Sessions, job.Connections))
		}
		for _, warning := range job.Pool.Warnings {
			found = append(found, job.Name+": "+warning)
		}
	}
	return found
}
