package preflight

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// colorTemplate is what one workload of a colour runs from.
type colorTemplate struct {
	workload string
	template corev1.PodTemplateSpec
}

func colorTemplates(facts *Facts) []colorTemplate {
	var found []colorTemplate
	for _, color := range facts.colors() {
		for _, workload := range color.Workloads.Value {
			found = append(found, colorTemplate{workload: workload.Ref.String(), template: workload.Template})
		}
	}
	return found
}

// jobReader tells which jobs use a database.
type jobReader struct {
	in     Inputs
	lookup postgres.Lookup
	colors []colorTemplate
	// reached is by what the colours reach a database, by its name.
	reached map[string]postgres.Reach
}

// uses fills in how a job uses each database, and reports whether it does, or
// may, any. A statement of a person goes before what could not be read; 0 says
// that it uses none.
func (r *jobReader) uses(ctx context.Context, job *jobTemplate) bool {
	job.Uses = map[string]JobUse{}
	stated, is := job.template.Annotations[postgres.AnnotationPoolSize]
	if is && strings.TrimSpace(stated) == "0" {
		return false
	}
	places := r.in.databasePlaces(ctx)
	for _, database := range r.in.Release.Spec.Databases {
		colors := r.colorsReach(ctx, database)
		input := postgres.PoolInput{Workload: job.called(), Template: job.template, Declared: release.Pool{Env: database.Pool.Env}, Lookup: r.lookup,
			At: places[database.Name], Namespace: r.in.namespace()}
		own := postgres.ReachOf(ctx, input, r.in.namespace())
		by, direct := own.SharedWith(colors, database.Pooler != nil)
		switch {
		case by != "":
			job.Uses[database.Name] = JobUse{By: by, Direct: direct, Pool: poolOfJob(ctx, input)}
		case len(own.Unread) > 0 && is:
			job.Uses[database.Name] = JobUse{By: "annotation " + postgres.AnnotationPoolSize, Pool: poolOfJob(ctx, input)}
		case len(own.Unread) > 0:
			job.Uses[database.Name] = JobUse{Unclear: strings.Join(own.Unread, "; ")}
		}
	}
	return len(job.Uses) > 0
}

// poolOfJob is the pool of a job's pods. The Release's own figure is the colours';
// the variable that it names holds here only where the job has it.
func poolOfJob(ctx context.Context, input postgres.PoolInput) postgres.PoolSize {
	pool := postgres.DiscoverPool(ctx, input)
	if !pool.Known && input.Declared.Env != "" {
		input.Declared.Env = ""
		return postgres.DiscoverPool(ctx, input)
	}
	return pool
}

func (r *jobReader) colorsReach(ctx context.Context, database release.Database) postgres.Reach {
	if reach, done := r.reached[database.Name]; done {
		return reach
	}
	var reach postgres.Reach
	for _, color := range r.colors {
		reach = reach.And(postgres.ReachOf(ctx, postgres.PoolInput{
			Workload: color.workload, Template: color.template, Declared: database.Pool, Lookup: r.lookup}, r.in.namespace()))
	}
	if r.reached == nil {
		r.reached = map[string]postgres.Reach{}
	}
	r.reached[database.Name] = reach
	return reach
}
