package postgres

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// AnnotationPoolSize on a pod template states how many connections one pod
// may open, all its processes and pools together.
const AnnotationPoolSize = "bluegreen.dev/pool-size"

// How far a pool size can be trusted.
const (
	// TrustDeclared: a person stated it, in an annotation or the Release.
	TrustDeclared = "declared"
	// TrustConfigured: read from the container's configuration.
	TrustConfigured = "configured"
	// TrustAssumed: the default of the library that seems to be in use.
	TrustAssumed = "assumed"
)

// PoolSize is how many connections one pod may open, and who says so.
type PoolSize struct {
	// Connections per pod: pool × processes.
	Connections int  `json:"connections"`
	Known       bool `json:"known"`
	// Provenance says where the number comes from, for people.
	Provenance string `json:"provenance"`
	// Trust is declared, configured, assumed, or "" when unknown.
	Trust string `json:"trust,omitempty"`
	// Field is the exact field to change, such as
	// deployment/shop-green env DB_POOL_SIZE.
	Field string `json:"field,omitempty"`
	// Setting is that field where a patch can change it without saying a
	// secret.
	Setting *Setting `json:"setting,omitempty"`
	// InManifests: a shift applies the manifests that hold it, over any patch.
	InManifests bool `json:"-"`
	// Places are where that stands in objects, whoever may change it there: the
	// nearest first.
	Places []Place `json:"places,omitempty"`
	// Processes is by what the field's own number is multiplied, 1 when
	// there is one process a pod.
	Processes int `json:"processes,omitempty"`
	// Role and Database are what the connection string names, "" when it
	// could not be read.
	Role     string `json:"role,omitempty"`
	Database string `json:"database,omitempty"`
	// Beside are what the pod opens to the same server besides, in another database
	// or as another role. They are not in Connections.
	Beside   []PoolSize `json:"beside,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
}

// String is the number, or ? when it is unknown.
func (p PoolSize) String() string {
	if !p.Known {
		return "?"
	}
	return strconv.Itoa(p.Connections)
}

func (p PoolSize) login() Login { return Login{Role: p.Role, Database: p.Database} }

func (p PoolSize) perProcess() int { return p.Connections / max(1, p.Processes) }

// Whole is the pool with what is beside it.
func (p PoolSize) Whole() PoolSize {
	whole := together(append([]PoolSize{p}, p.Beside...))
	whole.Beside = nil
	return whole
}

// PoolInput is what DiscoverPool looks at.
type PoolInput struct {
	// Workload names the template's owner in fields, such as
	// deployment/shop-green.
	Workload string
	Template corev1.PodTemplateSpec
	// Declared is what the Release says.
	Declared release.Pool
	// At is where the database is that is asked about, as far as that is known: what
	// leads to another server is no part of its pool. A host without a dot is a
	// Service of Namespace.
	At        Login
	Namespace string
	// Lookup reads what the environment refers to; nil reads nothing.
	Lookup Lookup
}

// DiscoverPool finds the pool size of a pod template. The order of trust is:
// the annotation, the Release, the connection string, an argument, a well-known
// variable, a library's default with a warning, unknown. Values of Secrets are looked
// at in memory only; nothing of them but a number, a role's and a database's
// name leaves this function.
func DiscoverPool(ctx context.Context, input PoolInput) PoolSize {
	environment := readEnvironment(ctx, input)
	reached := environment.reaching(input)
	pool := firstKnown(
		func() (PoolSize, bool) { return fromAnnotation(input) },
		func() (PoolSize, bool) { return fromRelease(input, environment, reached) },
		func() (PoolSize, bool) { return fromContainers(input, environment, reached) },
	)
	if !pool.Known && pool.Provenance == "" {
		pool = unknownPool(input, environment, len(reached.strings) > 0)
	}
	if login := reached.login; maybe(pool.Role, login.Role) && maybe(pool.Database, login.Database) {
		pool.Role, pool.Database = cmp.Or(pool.Role, login.Role), cmp.Or(pool.Database, login.Database)
	}
	pool.Warnings = append(pool.Warnings, environment.unread...)
	return pool
}

// firstKnown returns the answer of the first that has one. One that found
// something which makes no sense ends the search with an unknown pool: a
// wrong statement is not made good by a weaker source.
func firstKnown(sources ...func() (PoolSize, bool)) PoolSize {
	for _, source := range sources {
		if pool, found := source(); found {
			return pool
		}
	}
	return PoolSize{}
}

// fromContainers adds up the pools of the containers that have some: each is a
// process of its own. Those in another database of the server, or as another role,
// stand beside.
func fromContainers(input PoolInput, environment environment, reached reached) (PoolSize, bool) {
	var pools []PoolSize
	var silent []string
	for at, container := range running(input.Template.Spec) {
		own, here := environment.of(at), reached.of(at)
		if len(here) == 0 && len(own.strings("")) > 0 {
			continue // to another server
		}
		found := poolsOf(input, own, here)
		if len(found) == 0 && len(here) > 0 {
			silent = append(silent, "container "+container.Name+" has a connection string too, and nothing says how many connections it opens")
		}
		pools = append(pools, found...)
	}
	if len(pools) == 0 {
		return PoolSize{}, false
	}
	pool := grouped(pools, reached.login)
	if reached.doubt != "" && len(pools) > 1 {
		silent = append(silent, reached.doubt)
	}
	for _, why := range silent {
		pool.assume(why)
	}
	return pool, true
}

// poolsOf are the pools of one container: one for each connection string that says
// how large it is, else the one of which its arguments or its variables do.
func poolsOf(input PoolInput, own environment, here []connection) []PoolSize {
	var pools []PoolSize
	for _, c := range here {
		if pool, found := fromConnectionString(input, own, c); found {
			pools = append(pools, pool)
		}
	}
	if len(pools) > 0 {
		if silent := unsized(here, pools); len(silent) > 0 {
			pools[0].assume(placesOf(silent) + " may have a pool of its own, and nothing says how many connections that opens")
		}
		return pools
	}
	pool := firstKnown(
		func() (PoolSize, bool) { return fromArguments(input, own) },
		func() (PoolSize, bool) { return fromVariables(input, own) },
		func() (PoolSize, bool) { return fromDefault(input, own) },
	)
	if !pool.Known && pool.Provenance == "" {
		return nil
	}
	if len(here) > 0 {
		pool.Role, pool.Database = here[0].login.Role, here[0].login.Database
	}
	if len(unsized(here, []PoolSize{pool})) > 0 {
		pool.assume("of " + placesOf(here) + " each may have a pool as large as this one, which is counted once")
	}
	return []PoolSize{pool}
}

// unsized are the strings of logins that none of the pools is of.
func unsized(here []connection, pools []PoolSize) []connection {
	return slices.DeleteFunc(slices.Clone(here), func(c connection) bool {
		return slices.ContainsFunc(pools, func(p PoolSize) bool { return alike(c.login, p.login()) })
	})
}

// assume notes what makes a pool uncertain.
func (p *PoolSize) assume(why string) {
	if p.Known {
		p.Trust = TrustAssumed
	}
	p.Warnings = append(p.Warnings, why)
}

// grouped is the pool of a login, with those of others beside it.
func grouped(pools []PoolSize, login Login) PoolSize {
	var groups [][]PoolSize
	for _, pool := range slices.Concat([]PoolSize{{Role: login.Role, Database: login.Database}}, pools) {
		at := slices.IndexFunc(groups, func(group []PoolSize) bool {
			return pool.login() == Login{} || alike(pool.login(), group[0].login())
		})
		if at < 0 {
			groups, at = append(groups, nil), len(groups)
		}
		groups[at] = append(groups[at], pool)
	}
	groups[0] = groups[0][1:]
	groups = slices.DeleteFunc(groups, func(group []PoolSize) bool { return len(group) == 0 })
	pool := together(groups[0])
	for _, group := range groups[1:] {
		pool.Beside = append(pool.Beside, together(group))
	}
	return pool
}

// together is the pool of a pod whose containers have one each. One that is not
// known makes the whole unknown. No one field sets the whole.
func together(pools []PoolSize) PoolSize {
	sum := pools[0]
	for _, pool := range pools[1:] {
		if !pool.Known || !sum.Known {
			if sum.Known {
				sum = pool
			}
			continue
		}
		sum.Connections += pool.Connections
		sum.Provenance += " + " + pool.Provenance
		if pool.Field != sum.Field {
			sum.Field += " and " + pool.Field
		}
		if pool.Trust == TrustAssumed {
			sum.Trust = TrustAssumed
		}
		sum.Warnings = append(slices.Clone(sum.Warnings), pool.Warnings...)
		sum.Processes, sum.Setting = 1, nil
		sum.Places = slices.MaxFunc(pools, func(a, b PoolSize) int { return a.Connections - b.Connections }).Places
	}
	return sum
}

func fromAnnotation(input PoolInput) (PoolSize, bool) {
	text, found := input.Template.Annotations[AnnotationPoolSize]
	if !found {
		return PoolSize{}, false
	}
	field := input.Workload + " annotation " + AnnotationPoolSize
	pool := stated(field, text, TrustDeclared)
	pool.Setting = &Setting{Workload: input.Workload, Annotation: AnnotationPoolSize}
	pool.Places = input.annotation()
	return pool, true
}

func fromRelease(input PoolInput, environment environment, reached reached) (PoolSize, bool) {
	if input.Declared.Size > 0 {
		pool := known(input.Declared.Size, "the Release's pool.size", TrustDeclared)
		pool.Field = "spec.database[].pool.size of the Release, and the application's own setting"
		return pool, true
	}
	if input.Declared.Env == "" {
		return PoolSize{}, false
	}
	return fromDeclaredVariable(input, environment, reached), true
}

// fromDeclaredVariable adds up what the variable that the Release names says in each
// container that has it.
func fromDeclaredVariable(input PoolInput, environment environment, reached reached) PoolSize {
	field := input.Workload + " env " + input.Declared.Env
	var pools []PoolSize
	var silent []string
	for at, container := range running(input.Template.Spec) {
		own := environment.of(at)
		variable, found := own.get(input.Declared.Env)
		if found {
			pool := stated(field+variable.from(), variable.value, TrustConfigured)
			pool.Setting, pool.Places = variable.setting(input.Workload), input.places(variable)
			pools = append(pools, own.times(pool, ""))
		} else if len(reached.of(at)) > 0 {
			silent = append(silent, "container "+container.Name+" has a connection string too, and not the variable "+input.Declared.Env)
		}
	}
	if len(pools) == 0 {
		return PoolSize{Provenance: field + ", which the Release names, is not set", Field: field, Places: input.template()}
	}
	pool := together(pools)
	for _, why := range silent {
		pool.assume(why)
	}
	return pool
}

func fromConnectionString(input PoolInput, own environment, c connection) (PoolSize, bool) {
	parameters := []*regexp.Regexp{poolParameter}
	if own.rails() {
		parameters = append(parameters, railsParameter)
	}
	parameter, size, found := sizeInConnectionString(c.value, parameters...)
	if !found {
		return PoolSize{}, false
	}
	field := fmt.Sprintf("%s %s, parameter %s", input.Workload, c.where(), parameter)
	if c.origin != "" {
		field += " (" + c.origin + ")"
	}
	pool := stated(field, size, TrustConfigured)
	pool.Role, pool.Database = c.login.Role, c.login.Database
	pool.Places = input.places(c.variable)
	return own.times(pool, stackOf(parameter)), true
}

func unknownPool(input PoolInput, environment environment, pointed bool) PoolSize {
	pool := PoolSize{
		Provenance: "nothing says how many connections a pod opens",
		Field:      input.Workload + " annotation " + AnnotationPoolSize,
		Places:     input.annotation(),
	}
	if !pointed && len(environment.unread) == 0 {
		pool.Provenance = "no connection string and no known pool variable in the pod template"
	}
	return pool
}

// stated reads a number that somebody wrote; one that makes no sense is an
// unknown pool that says where it stands. The text is not repeated: it may
// come from a Secret.
func stated(field, text, trust string) PoolSize {
	size, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || size < 1 {
		return PoolSize{Provenance: field + " is not a whole number of at least 1", Field: field}
	}
	pool := known(size, field, trust)
	pool.Field = field
	return pool
}

func known(size int, provenance, trust string) PoolSize {
	return PoolSize{Connections: size, Known: true, Provenance: provenance, Trust: trust, Processes: 1}
}
