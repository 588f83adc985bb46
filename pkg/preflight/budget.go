package preflight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Budget is the connection budget of a database, by its name in the Release, for what
// it declares too. ok is false when what it rests on is not known; why says what.
func (f *Facts) Budget(name string) (budget postgres.Budget, ok bool, why string) {
	if known, why := f.budgetKnown(name); !known {
		return postgres.Budget{}, false, why
	}
	budget = f.plan(name, func(*postgres.BudgetInput) {})
	budget.Warnings = append(budget.Warnings, f.outdatedPools()...)
	return budget, true, ""
}

// outdatedPools says which pods may have other pools than are reckoned with, a sentence
// each.
func (f *Facts) outdatedPools() []string {
	var found []string
	for _, color := range f.colors() {
		for _, one := range color.Outdated.Value {
			if !color.Planned && !color.madeAnew(one.Workload) {
				found = append(found, fmt.Sprintf("%d pods of %s run with what %s said before it was written: start them anew, or their pools are those of then", one.Pods, one.Workload, one.Object))
			}
		}
	}
	return found
}

// budgetKnown reports whether all is known that the budget of a database rests on, or
// says what is not.
func (f *Facts) budgetKnown(name string) (known bool, why string) {
	if snapshot := f.Databases[name].Snapshot; !snapshot.Known {
		return false, snapshot.Problem
	}
	for _, color := range f.colors() {
		if !color.Workloads.Known {
			return false, color.Workloads.Problem
		}
		// Whose a session is can't be told then, and it would be counted as another's.
		if unread := f.itsPods(color).Unread(); unread != nil {
			return false, unread.Problem
		}
	}
	return true, ""
}

// budgetSoFar is the connection budget of a database as far as what it rests on is
// known: without a look at the database it has no limits, and a colour whose workloads
// are not known asks for nothing. BG-DB-10 judges by what the Release declares.
func (f *Facts) budgetSoFar(name string) postgres.Budget {
	return f.plan(name, func(input *postgres.BudgetInput) { input.Apart = true })
}

// budgetSettled is budgetSoFar once the pods that are ending are gone, and how many of
// each colour these are, for people, "" for none.
func (f *Facts) budgetSettled(name string) (settled postgres.Budget, ending string) {
	var parts []string
	settled = f.plan(name, func(input *postgres.BudgetInput) {
		input.Apart = true
		for i := range input.Colors {
			if color := &input.Colors[i]; color.Terminating > 0 {
				parts = append(parts, fmt.Sprintf("%d of %s", color.Terminating, color.Color))
				color.Terminating = 0
			}
		}
	})
	return settled, strings.Join(parts, " and ")
}

func (f *Facts) plan(name string, change func(*postgres.BudgetInput)) postgres.Budget {
	input := f.budgetInput(name)
	change(&input)
	input.Database = cmp.Or(databaseOf(input), input.Snapshot.Database)
	assignRoles(&input)
	f.addJobs(name, &input)
	return postgres.Plan(input)
}

// usedDatabase is the name in PostgreSQL of a database that the colours use, "" where
// it is not known.
func (f *Facts) usedDatabase(name string) string {
	if known, _ := f.budgetKnown(name); !known {
		return ""
	}
	return databaseOf(f.budgetInput(name))
}

// budgetInput is what the colours ask of a database.
func (f *Facts) budgetInput(name string) postgres.BudgetInput {
	database := f.Databases[name]
	snapshot := database.Snapshot.Value
	colors := f.identities(name)
	input := postgres.BudgetInput{
		Release: f.Release.Metadata.Name, Namespace: f.Namespace, Name: name,
		Share: database.Declared.Budget, Declared: database.Declared.Connections, Snapshot: snapshot,
		Attribution: postgres.Attribute(snapshot, append(slices.Clone(colors), f.jobIdentities()...)), Pooler: database.Pooler,
	}
	for _, identity := range colors {
		input.Addresses = append(input.Addresses, identity.Addresses...)
	}
	for _, color := range f.colors() {
		for _, workload := range color.Workloads.Value {
			input.Colors = append(input.Colors, f.demand(name, color, workload))
		}
	}
	return input
}

// roles are those that the colours log in with to a database, by their
// connection strings and their sessions, as far as these are known.
func (f *Facts) roles(name string) []string {
	var roles []string
	given := postgres.Attribute(f.Databases[name].Snapshot.Value, f.identities(name))
	for _, color := range f.colors() {
		roles = append(roles, given.Roles(color.Name)...)
		for _, pool := range color.Pools[name] {
			roles = append(roles, pool.Role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// identities is by what the sessions of each colour are told in a database.
func (f *Facts) identities(database string) []postgres.Identity {
	var identities []postgres.Identity
	for _, color := range f.colors() {
		identities = append(identities, postgres.IdentityOf(f.Release.Metadata.Name, color.Name, color.Declared.Workloads, f.itsPods(color).Value, f.Databases[database].Pooler != nil))
	}
	return identities
}

// itsPods are the pods of a colour: those of its workloads that carry its labels, or
// without any workload what the production Service would select.
func (f *Facts) itsPods(color Color) Fact[[]corev1.Pod] {
	found, set := color.Owned, maps.Clone(color.Declared.Selector)
	if len(color.Declared.Workloads) == 0 {
		found, set = color.Pods, maps.Clone(f.Route.Value.selector())
		if set == nil {
			set = map[string]string{}
		}
		maps.Copy(set, color.Declared.Selector)
	}
	found.Value = slices.DeleteFunc(slices.Clone(found.Value), func(pod corev1.Pod) bool {
		return !labels.SelectorFromSet(set).Matches(labels.Set(pod.Labels))
	})
	return found
}

// demand is what a workload asks for at the peak. One that manifests will be
// applied to counts with as many pods as it has before or after, and with the
// larger of its pools: a Deployment whose count and template change at once is
// scaled with its old template first, and the old pods go one by one.
func (f *Facts) demand(database string, color Color, workload cluster.Workload) postgres.ColorDemand {
	pool, replicas, maximum := color.Pools[database][workload.Ref.String()], workload.Replicas, f.autoscaledMaximum(workload)
	if now, runs := color.now(workload.Ref); runs {
		replicas = max(replicas, now.Replicas)
	}
	if held, larger := color.heldPool(database, workload.Ref); larger {
		pool = held
	}
	return postgres.ColorDemand{
		Color: color.Name, Workload: workload.Ref.String(),
		Replicas: int(replicas), Maximum: int(maximum), Surge: int(surgeAt(workload, max(replicas, maximum))),
		Terminating: terminating(color.Owned.Value, workload), Pool: pool, Role: pool.Role,
	}
}

// heldPool is the pool of the pods of a workload that run until its manifests are
// applied; larger is false where the one of the manifests is no smaller, or where
// either is not known: the manifests then decide alone, as they will for long.
func (c Color) heldPool(database string, ref release.Workload) (pool postgres.PoolSize, larger bool) {
	if _, runs := c.now(ref); !runs {
		return pool, false
	}
	pool, planned := c.Running.Pools[database][ref.String()], c.Pools[database][ref.String()]
	pool.Provenance += ", as it runs"
	pool.Field, pool.Setting, pool.Places = "", nil, nil // which the manifests have right already
	return pool, pool.Known && planned.Known && pool.Whole().Connections > planned.Whole().Connections
}

// autoscalers are those of a workload, as the manifests that are applied will leave
// them: those of the target, and on a pull request of both colours.
func (f *Facts) autoscalers(ref release.Workload) []autoscalingv2.HorizontalPodAutoscaler {
	all := overlaid(f.Autoscalers.Value, f.target().AutoscalersPlanned)
	if f.Stage == StagePR {
		for _, color := range f.colors() {
			all = overlaid(all, color.AutoscalersPlanned)
		}
	}
	return slices.DeleteFunc(all, func(found autoscalingv2.HorizontalPodAutoscaler) bool { return !cluster.Autoscales(found, ref) })
}

// autoscaledMaximum is maxReplicas of the autoscaler of a workload, 0 without
// one.
func (f *Facts) autoscaledMaximum(workload cluster.Workload) int32 {
	maximum := int32(0)
	for _, autoscaler := range f.autoscalers(workload.Ref) {
		maximum = max(maximum, autoscaler.Spec.MaxReplicas)
	}
	return maximum
}

// surgeAt is the maxSurge of a workload once it wants so many replicas: a
// share of them grows with them.
func surgeAt(workload cluster.Workload, replicas int32) int32 {
	if workload.Object == nil || replicas <= workload.Replicas {
		return workload.MaxSurge
	}
	object := workload.Object.DeepCopy()
	if err := unstructured.SetNestedField(object.Object, int64(replicas), "spec", "replicas"); err != nil {
		return workload.MaxSurge
	}
	scaled, err := cluster.ManifestWorkload(workload.Ref, object)
	if err != nil {
		return workload.MaxSurge
	}
	return scaled.MaxSurge
}

// terminating counts pods that are ending and still hold connections.
func terminating(pods []corev1.Pod, workload cluster.Workload) int {
	count := 0
	for i := range pods {
		if pods[i].DeletionTimestamp != nil && workload.Selector.Matches(labels.Set(pods[i].Labels)) {
			count++
		}
	}
	return count
}

// databaseOf is the database in PostgreSQL that the colours use, by their
// connection strings, else by their sessions, "" where neither tells.
func databaseOf(input postgres.BudgetInput) string {
	for _, color := range input.Colors {
		if input.Pooler != nil {
			color.Pool.Database = input.Pooler.Target(color.Pool.Database)
		}
		if _, found := input.Snapshot.Databases[color.Pool.Database]; found {
			return color.Pool.Database
		}
	}
	for _, color := range input.Colors {
		if databases := input.Attribution.Databases(color.Color); len(databases) > 0 {
			return databases[0]
		}
	}
	return ""
}

// assignRoles gives each colour the role of its connection string where there is
// such a role, else of its sessions, else that of the other colour: the usual
// case, and the one in which a role's limit is tightest. A pooler has roles of its
// own, and an exporter tells but those that have a limit.
func assignRoles(input *postgres.BudgetInput) {
	fallback := ""
	for i, color := range input.Colors {
		if _, there := input.Snapshot.Roles[color.Role]; !there && len(input.Snapshot.Roles) > 0 && !input.Snapshot.Counted && input.Pooler == nil {
			color.Role, input.Colors[i].Role = "", ""
		}
		if color.Role == "" {
			if roles := input.Attribution.Roles(color.Color); len(roles) > 0 {
				input.Colors[i].Role = roles[0]
			}
		}
		if fallback == "" {
			fallback = input.Colors[i].Role
		}
	}
	for i := range input.Colors {
		if input.Colors[i].Role == "" {
			input.Colors[i].Role = fallback
		}
	}
}

// autoscaledMinimum is minReplicas of the autoscaler of a workload, 1 when it
// does not say.
func (f *Facts) autoscaledMinimum(workload cluster.Workload) (minimum int, scaled bool) {
	found := f.autoscalers(workload.Ref)
	if len(found) == 0 {
		return 0, false
	}
	return int(ptr.Deref(found[0].Spec.MinReplicas, 1)), true
}
