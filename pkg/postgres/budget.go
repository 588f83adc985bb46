package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// KindBudget is the kind of a Budget in -o json and -o yaml.
const KindBudget = "Budget"

// DefaultShare is the share of every limit that may be used: the 80 % of the
// first runbook ("must not exceed 80 % of max").
const DefaultShare = 0.8

// Outcome is what a budget comes to.
type Outcome string

// The outcomes. Warn: it fits, but a pool size in it is a library's default
// that nobody confirmed. Unknown never passes.
const (
	Fits    Outcome = "pass"
	Warns   Outcome = "warn"
	Exceeds Outcome = "fail"
	Unknown Outcome = "unknown"
)

// BudgetInput is everything that Plan needs.
type BudgetInput struct {
	// Release, Namespace and Name (the database's in the Release) name the
	// budget.
	Release, Namespace, Name string
	// Database is the name of the database in PostgreSQL that the colours
	// use.
	Database string
	// Share is the part of each limit that may be used, 0 for DefaultShare.
	Share float64
	// Declared is how many connections the Release declares for the colours and their
	// jobs, 0 where it declares none: one more gate. Apart: it bounds what is
	// recommended alone, since something else judges by it.
	Declared int
	Apart    bool
	Snapshot Snapshot
	// Attribution says which of the snapshot's sessions are the colours'
	// own; they are in the demand and must not be counted twice.
	Attribution Attribution
	Colors      []ColorDemand
	// Pooler stands between the colours and the database, nil where nothing
	// does; Addresses are those of the colours' pods, which are its clients.
	Pooler    *Pooler
	Addresses []string
	// Jobs are connections besides the colours': cron jobs, a migrator.
	// JobsUnread says why it is not known whether there are more, a sentence for
	// each reason.
	Jobs       []JobDemand
	JobsUnread []string
}

// ColorDemand is what one workload of a colour may ask for at its peak.
type ColorDemand struct {
	Color string `json:"color"`
	// Workload is kind/name.
	Workload string `json:"workload,omitempty"`
	// Replicas is the wanted replicas, Maximum the HPA's maxReplicas or 0.
	Replicas int `json:"replicas"`
	Maximum  int `json:"maximum,omitempty"`
	// Surge is maxSurge resolved to pods; Terminating is the pods that are
	// ending and still hold their connections.
	Surge       int      `json:"surge,omitempty"`
	Terminating int      `json:"terminating,omitempty"`
	Pool        PoolSize `json:"pool"`
	// Role is the role that its pods log in with, "" when unknown.
	Role string `json:"role,omitempty"`
	// Beside: Pool is one that the same pods have besides, in another database of
	// the server or as another role.
	Beside bool `json:"beside,omitempty"`
	// Pods, Connections and Sessions are filled in by Plan: pods at the
	// peak, what they may open, and what they hold now.
	Pods        int `json:"pods"`
	Connections int `json:"connections"`
	Sessions    int `json:"sessions"`
}

// under reports whether it counts against a gate of PostgreSQL's.
func (c ColorDemand) under(gate Gate) bool {
	if role, is := strings.CutPrefix(gate.Name, gateRole); is {
		return c.Role == role
	}
	if database, is := strings.CutPrefix(gate.Name, gateDatabase); is {
		return !c.Beside || c.Pool.Database == "" || c.Pool.Database == database
	}
	return true
}

// Called names what asks: the workload, and of a pool beside the first also where
// that is.
func (c ColorDemand) Called() string {
	if !c.Beside {
		return c.Workload
	}
	return fmt.Sprintf("%s as %s in %s", c.Workload, cmp.Or(c.Role, "?"), cmp.Or(c.Pool.Database, "?"))
}

// JobDemand is what something besides the colours may ask for.
type JobDemand struct {
	// Name is for people, such as job/migrate.
	Name string `json:"name"`
	// Pods is how many of its pods may run at once, each with Pool; with none,
	// Connections is a fixed number.
	Pods int      `json:"pods,omitempty"`
	Pool PoolSize `json:"pool,omitzero"`
	// By is by what it was told to use the database, for people.
	By string `json:"by,omitempty"`
	// Role and Database are those that it uses, "" when unknown.
	Role     string `json:"role,omitempty"`
	Database string `json:"database,omitempty"`
	// Direct: it goes past the pooler that the colours go through.
	Direct bool `json:"direct,omitempty"`
	// Overlaps: a run may begin before the one before it has ended, so that
	// nothing bounds how many there are; those under way are reckoned with, and
	// at least one.
	Overlaps bool `json:"overlaps,omitempty"`
	// Connections and Sessions are filled in by Plan where there are Pods: what
	// they may open, and what they hold now.
	Connections int `json:"connections"`
	Sessions    int `json:"sessions,omitempty"`
}

// known reports whether it is in the sums.
func (j JobDemand) known() bool { return j.Pods == 0 || j.Pool.Known }

// under reports whether it counts against a gate of PostgreSQL's.
func (j JobDemand) under(gate Gate) bool {
	if role, is := strings.CutPrefix(gate.Name, gateRole); is {
		return j.Role == "" || j.Role == role
	}
	if database, is := strings.CutPrefix(gate.Name, gateDatabase); is {
		return j.Database == "" || j.Database == database
	}
	return true
}

// How the limits are named: the cluster's, with its name that of a database or of a
// role, and what the Release declares.
const (
	gateCluster  = "cluster"
	gateDatabase = "database "
	gateRole     = "role "
	gateDeclared = "declared"
)

// Gate is one limit and how the demand stands against it.
type Gate struct {
	// Name is cluster, database NAME, role NAME, clients of NAME, or declared.
	Name string `json:"name"`
	// Limit is what ordinary roles may have under it (C); Others is what
	// sessions that are not the colours' hold of it now, or may at most
	// where the budget is Counted.
	Limit  int `json:"limit"`
	Others int `json:"others"`
	// Allowed is ⌊share × Limit⌋ − Others, and all that is declared; negative when
	// the others alone use more than the share.
	Allowed int `json:"allowed"`
	// Demand is what the colours that are under it may ask for, jobs
	// included; Pods is theirs at the peak.
	Demand int `json:"demand"`
	Pods   int `json:"pods"`
	// Ceiling is Limit − Others, not under 0: the colours' connection after
	// this many is the one that PostgreSQL refuses.
	Ceiling int `json:"ceiling"`
	// Pool is the most connections per pod that this gate lets pass: -1
	// when no pod is under it, 0 when others alone are too many.
	Pool int `json:"pool"`
	// PoolerSize is the most connections of each pool of the pooler that this
	// gate lets pass, 0 where there is none or where none passes.
	PoolerSize int `json:"poolerSize,omitempty"`
	// pooler is the demand of a pooler, for people.
	pooler string
	// arithmetic is how Limit came about, for people.
	arithmetic string
}

// Change is one field to change, and to what.
type Change struct {
	Color string `json:"color,omitempty"`
	// Setting is that field where a patch can change it without saying a
	// secret.
	Setting *Setting `json:"setting,omitempty"`
	// Field is where the pool size is set, such as
	// deployment/shop-green env DB_POOL_SIZE.
	Field string `json:"field"`
	// InManifests: it stands in manifests that a shift applies.
	InManifests bool `json:"-"`

	From int `json:"from,omitempty"`
	To   int `json:"to"`
}

// Budget is the connection arithmetic of one database, an output kind.
type Budget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Outcome Outcome `json:"outcome"`
	// Summary is one sentence for people; Arithmetic shows the sums.
	Summary    string   `json:"summary"`
	Arithmetic []string `json:"arithmetic"`
	// Share is the part of each limit that may be used.
	Share float64 `json:"share"`
	// Counted: an exporter counted the sessions; whose they are, and how
	// many the colours hold now, is not known.
	Counted bool `json:"counted,omitempty"`
	// Unseen: the observer may not see others' sessions; the colours hold at
	// least what was seen.
	Unseen bool          `json:"unseen,omitempty"`
	Colors []ColorDemand `json:"colors"`
	Jobs   []JobDemand   `json:"jobs,omitempty"`
	// Uncounted says what of jobs is in no sum, a sentence each.
	Uncounted []string `json:"uncounted,omitempty"`
	// Short says which jobs ask for more than their own role may have, a sentence
	// each.
	Short []string `json:"short,omitempty"`
	// RoleUnknown says which colours log in as nobody knows whom while some role has
	// a limit, "" where none does: such a limit is no gate.
	RoleUnknown string `json:"roleUnknown,omitempty"`
	// Pooler is what stands between the colours and the database.
	Pooler *Pooler `json:"pooler,omitempty"`
	// pools are those of the pooler that the colours use, unpooled why they are
	// not known.
	pools    []serverPool
	unpooled string
	// Gates are all limits; Tightest is the name of the one that lets the
	// smallest pool pass.
	Gates []Gate `json:"gates"`
	// declared is one more where it is judged apart.
	declared []Gate
	Tightest string `json:"tightest"`
	// RecommendedPool is the most connections per pod, the same for every
	// colour and every pool of a pod, with which everything passes; 0 when none does.
	RecommendedPool int `json:"recommendedPool"`
	// RequiredConnections is the max_connections at which the present pools
	// pass the cluster's gate, 0 when a pool is unknown.
	RequiredConnections int      `json:"requiredConnections,omitempty"`
	Changes             []Change `json:"changes,omitempty"`
	Warnings            []string `json:"warnings,omitempty"`
}

// DeepCopyObject makes Budget a runtime.Object, which printers take.
func (b *Budget) DeepCopyObject() runtime.Object {
	if b == nil {
		return nil
	}
	copied := *b
	b.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	copied.Arithmetic = slices.Clone(b.Arithmetic)
	copied.Colors = slices.Clone(b.Colors)
	for i := range copied.Colors {
		copied.Colors[i].Pool.Warnings = slices.Clone(b.Colors[i].Pool.Warnings)
	}
	if b.Pooler != nil {
		pooler := *b.Pooler
		pooler.Addresses, pooler.Clients = slices.Clone(pooler.Addresses), slices.Clone(pooler.Clients)
		pooler.Config.Databases = slices.Clone(pooler.Config.Databases)
		copied.Pooler = &pooler
	}
	copied.Uncounted, copied.Short = slices.Clone(b.Uncounted), slices.Clone(b.Short)
	copied.Jobs = slices.Clone(b.Jobs)
	for i := range copied.Jobs {
		copied.Jobs[i].Pool.Warnings = slices.Clone(b.Jobs[i].Pool.Warnings)
	}
	copied.Gates = slices.Clone(b.Gates)
	copied.Changes = slices.Clone(b.Changes)
	copied.Warnings = slices.Clone(b.Warnings)
	return &copied
}

func newBudget(input BudgetInput) Budget {
	return Budget{
		TypeMeta:   metav1.TypeMeta{APIVersion: release.APIVersion, Kind: KindBudget},
		ObjectMeta: metav1.ObjectMeta{Name: input.Name, Namespace: input.Namespace},
		Share:      input.Share, Counted: input.Snapshot.Counted, Unseen: !input.Snapshot.SeesSessions && !input.Snapshot.Counted,
		Jobs: jobDemands(input), Pooler: input.Pooler,
	}
}
