package preflight

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// Job is a Job or a CronJob beside the colours that uses a database of the
// release, or may.
type Job struct {
	// Kind is job or cronjob.
	Kind, Name string
	// Manifest is the colour whose manifests bring it, "" for one that is there.
	Manifest string `json:",omitempty"`
	// Pods is how many may run at once, of a CronJob those of the runs under way.
	// Overlaps: there may be more runs than these.
	Pods     int
	Overlaps bool `json:",omitempty"`
	// Addresses are those of the pods that run.
	Addresses []string `json:",omitempty"`
	// Uses is by the database's name in the Release.
	Uses map[string]JobUse

	// runs are the Jobs under way, by name.
	runs []string
}

// JobUse is how a job uses a database.
type JobUse struct {
	// By is what it has in common with the colours; "" where it is not known
	// whether it uses the database, and Unclear says why.
	By      string
	Unclear string `json:",omitempty"`
	// Direct: it goes past the pooler.
	Direct bool `json:",omitempty"`
	Pool   postgres.PoolSize
}

// called is its name for people.
func (j Job) called() string { return j.Kind + "/" + j.Name }

// addJobs adds what Jobs and CronJobs ask of a database, and the addresses of those
// that are the pooler's clients.
func (f *Facts) addJobs(name string, input *postgres.BudgetInput) {
	if unread := f.Jobs.Unread(); unread != nil {
		input.JobsUnread = append(input.JobsUnread, "Jobs and CronJobs are in no sum: "+unread.Problem)
	}
	for _, job := range f.Jobs.Value {
		use, found := job.Uses[name]
		switch {
		case !found:
		case use.By == "":
			input.JobsUnread = append(input.JobsUnread, fmt.Sprintf("whether %s uses the database is not known: %s; state what a pod of it opens, or 0, with the annotation %s on its pod template",
				job.called(), use.Unclear, postgres.AnnotationPoolSize))
		case !f.elsewhere(use.Pool.Database, *input):
			input.Jobs = append(input.Jobs, demandOfJob(job, use, *input))
			if use.Pool.Known && !use.Direct { // else it is no part of what the pooler is asked for
				input.Addresses = append(input.Addresses, job.Addresses...)
			}
		}
	}
}

// elsewhere reports whether a database is certainly on another server. A session sees
// at least the one that it is in.
func (f *Facts) elsewhere(database string, input postgres.BudgetInput) bool {
	_, there := input.Snapshot.Databases[database]
	return database != "" && !there && len(input.Snapshot.Databases) > 0 && !input.Snapshot.Counted && input.Pooler == nil
}

func demandOfJob(job Job, use JobUse, input postgres.BudgetInput) postgres.JobDemand {
	by := use.By
	if job.Manifest != "" {
		by += ", and the manifests of " + job.Manifest + " bring it"
	}
	database := use.Pool.Database
	if input.Pooler != nil && use.Direct {
		database = "" // its name there need not be the pooler's
	}
	return postgres.JobDemand{Name: job.called(), Pods: job.Pods, Pool: use.Pool, By: by,
		Role: use.Pool.Role, Database: database, Direct: use.Direct, Overlaps: job.Overlaps}
}

// jobIdentities is by what the sessions of jobs are told.
func (f *Facts) jobIdentities() []postgres.Identity {
	var identities []postgres.Identity
	for _, job := range f.Jobs.Value {
		if len(job.Addresses) > 0 {
			identities = append(identities, postgres.Identity{Color: job.called(), Addresses: slices.Clone(job.Addresses)})
		}
	}
	return identities
}
