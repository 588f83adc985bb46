package postgres

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Plan adds up what both colours may ask of a database at their peak and
// holds it against every limit:
//
//	cluster   max_connections − superuser_reserved − reserved   others: every other client session
//	database  datconnlimit, when there is one                   others: other sessions in this database
//	role      rolconnlimit, when there is one                   others: the role's other sessions
//	declared  spec.database[].connections, when there are any   others: none, and all may be used
//	demand    Σ colours (max(replicas, HPA maximum) + surge + terminating) × connections per pod + jobs
//	passes    others + demand ≤ share × limit, at every gate
//	pool      the smallest over the gates of ⌊(share × limit − others − jobs) / pods⌋
//
// A role that jobs alone log in with is no gate, since no colour fails by it: jobs
// that ask for more than the whole of its limit make the outcome no better than
// Warns.
//
// Of what a colour's pods open besides to the same server each pool counts under the
// gates that it is under: all of them under the cluster's.
//
// A colour whose role is not known, while some role other than the observer's has a
// limit, makes the outcome no better than Warns.
//
// A job whose pool is not known is in no sum, and the outcome is then no better
// than Warns: most open one or two, and nobody would state all of them at once.
//
// Behind a pooler these gates hold what the pooler may open instead, and the
// pods are held against one more:
//
//	demand    instances at their peak × Σ (database, user) (pool_size + reserve), under max_db_connections and max_user_connections
//	clients   instances × max_client_conn                       others: its clients that are not the colours' pods
//
// Where an exporter counted the sessions (Snapshot.Counted) nobody knows which
// are the colours' own. All of them are others then, which is the most that
// there can be: what passes so passes for certain. What doesn't warns, unless
// the demand alone, or the sessions alone, are already beyond the share.
//
// It is pure. A pool that is unknown, or an observer that can't see others'
// sessions, makes the outcome Unknown, never a pass; limits that are broken
// by what is known already still Exceed.
func Plan(input BudgetInput) Budget {
	if input.Share <= 0 || input.Share > 1 {
		input.Share = DefaultShare
	}
	budget := newBudget(input)
	budget.Colors = demands(input)
	budget.Uncounted = uncounted(input, budget.Jobs)
	if input.Pooler != nil {
		budget.pools, budget.unpooled = input.Pooler.pools(slices.Concat(budget.Colors, pooledJobs(input.Pooler, budget.Jobs)))
	}
	budget.Gates = gates(input, budget)
	if declared := declaredGate(input.Declared, budget); input.Apart && input.Declared > 0 {
		budget.declared = []Gate{declared}
	} else if input.Declared > 0 {
		budget.Gates = append(budget.Gates, declared)
	}
	budget.Tightest, budget.RecommendedPool = tightest(budget.Gates)
	for _, gate := range budget.declared {
		if gate.Pool > 0 {
			budget.RecommendedPool = min(budget.RecommendedPool, gate.Pool)
		}
	}
	if input.Pooler != nil {
		budget.Tightest = narrowest(budget.Gates)
	}
	budget.Short = shortRoles(input, budget)
	budget.RoleUnknown = roleUnknown(input, budget.Colors)
	budget.Warnings = warnings(input, budget)
	budget.Outcome = outcome(input, budget)
	budget.RequiredConnections = required(input, budget)
	budget.Changes = changes(budget)
	budget.Arithmetic = arithmetic(budget)
	budget.Summary = summary(budget)
	return budget
}

// demands are those of the colours, each pool of a pod for itself.
func demands(input BudgetInput) []ColorDemand {
	var colors []ColorDemand
	for _, color := range input.Colors {
		beside := color.Pool.Beside
		color.Pool.Beside = nil
		color.Pods = max(color.Replicas, color.Maximum) + color.Surge + color.Terminating
		color.Sessions = len(input.Attribution.Sessions[color.Color])
		colors = append(colors, color.with(color.Pool))
		for _, pool := range beside {
			if input.holds(pool.Database) {
				color.Beside, color.Role = true, cmp.Or(pool.Role, color.Role)
				colors = append(colors, color.with(pool))
			}
		}
	}
	return colors
}

func (c ColorDemand) with(pool PoolSize) ColorDemand {
	c.Pool, c.Connections = pool, c.Pods*pool.Connections
	return c
}

// holds reports whether a database may be one of the server: a session sees them
// all, and a pooler has names of its own for them.
func (i BudgetInput) holds(database string) bool {
	_, there := i.Snapshot.Databases[database]
	return there || database == "" || i.Pooler != nil || i.Snapshot.Counted || !i.Snapshot.SeesSessions
}

func gates(input BudgetInput, budget Budget) []Gate {
	colors := budget.Colors
	snapshot := input.Snapshot
	limits := snapshot.Limits
	arithmetic := fmt.Sprintf("(%d − %d)", limits.MaxConnections, limits.SuperuserReserved)
	if limits.Reserved > 0 {
		arithmetic = fmt.Sprintf("(%d − %d − %d)", limits.MaxConnections, limits.SuperuserReserved, limits.Reserved)
	}
	found := []Gate{newGate(input, budget, colors, Gate{Name: gateCluster, Limit: limits.Ordinary(), arithmetic: arithmetic},
		func(Session) bool { return true })}
	if state, known := snapshot.Databases[input.Database]; known && state.Limit >= 0 {
		found = append(found, newGate(input, budget, colors,
			Gate{Name: gateDatabase + input.Database, Limit: state.Limit, arithmetic: fmt.Sprint(state.Limit)},
			func(s Session) bool { return s.Database == input.Database }))
	}
	for _, role := range rolesOf(colors, budget.pools) {
		limit, known := snapshot.Roles[role]
		if !known || limit.Limit < 0 || limit.Superuser {
			continue
		}
		found = append(found, newGate(input, budget, colors,
			Gate{Name: gateRole + role, Limit: limit.Limit, arithmetic: fmt.Sprint(limit.Limit)},
			func(s Session) bool { return s.Role == role }))
	}
	if input.Pooler != nil && input.Pooler.Problem == "" {
		found = append(found, clientGate(input, colors, budget.Jobs))
	}
	return found
}

// rolesOf are the roles that PostgreSQL sees: the pooler's where there is one.
func rolesOf(colors []ColorDemand, pools []serverPool) []string {
	var roles []string
	for _, pool := range pools {
		if !slices.Contains(roles, pool.role) {
			roles = append(roles, pool.role)
		}
	}
	if len(pools) > 0 {
		return roles
	}
	for _, color := range colors {
		if color.Role != "" && !slices.Contains(roles, color.Role) {
			roles = append(roles, color.Role)
		}
	}
	return roles
}

// roleUnknown says which colours may be under a role's limit that is no gate.
// Behind a pooler the roles are the pooler's.
func roleUnknown(input BudgetInput, colors []ColorDemand) string {
	limited := slices.DeleteFunc(slices.Sorted(maps.Keys(input.Snapshot.Roles)), func(role string) bool {
		limit := input.Snapshot.Roles[role]
		return limit.Limit < 0 || limit.Superuser || role == input.Snapshot.Role
	})
	var silent []string
	for _, color := range colors {
		if color.Role == "" && !slices.Contains(silent, color.Color) {
			silent = append(silent, color.Color)
		}
	}
	if len(limited) == 0 || len(silent) == 0 || input.Pooler != nil {
		return ""
	}
	return fmt.Sprintf("as which role %s logs in is not known, and a CONNECTION LIMIT may hold for it: %s has one",
		strings.Join(silent, " and "), strings.Join(limited, ", "))
}

// newGate fills in a gate from the colours that are under it and the sessions
// that count against it.
func newGate(input BudgetInput, budget Budget, colors []ColorDemand, gate Gate, counts func(Session) bool) Gate {
	gate.Others = others(input, budget, gate, counts)
	gate.Allowed = share(input.Share, gate.Limit) - gate.Others
	gate.Ceiling = max(0, gate.Limit-gate.Others)
	jobs := connectionsOf(jobsAt(gate, budget))
	if input.Pooler != nil {
		under := slices.DeleteFunc(slices.Clone(budget.pools), func(pool serverPool) bool {
			return !counts(Session{Database: pool.entry.Target, Role: pool.role})
		})
		gate.pooled(input.Pooler, under, jobs)
		return gate
	}
	gate.settle(input.Share, underGate(gate, colors), jobs)
	return gate
}

func underGate(gate Gate, colors []ColorDemand) []ColorDemand {
	return slices.DeleteFunc(slices.Clone(colors), func(c ColorDemand) bool { return !c.under(gate) })
}

// others counts the client sessions under a gate that are not the colours' and not
// those of jobs that are in its demand, or all that there may be where they were
// only counted.
func others(input BudgetInput, budget Budget, gate Gate, counts func(Session) bool) int {
	if input.Snapshot.Counted {
		if gate.Name == gateDatabase+input.Database {
			return input.Snapshot.Databases[input.Database].Backends
		}
		return input.Snapshot.backends()
	}
	own := map[int]bool{}
	if input.Pooler != nil {
		own = ownOfPooler(input, budget.pools)
	}
	for _, color := range input.Colors {
		for _, session := range input.Attribution.Sessions[color.Color] {
			own[session.PID] = true
		}
	}
	for _, job := range jobsAt(gate, budget) {
		for _, session := range input.Attribution.Sessions[job.Name] {
			own[session.PID] = own[session.PID] || job.known()
		}
	}
	count := 0
	for _, session := range input.Snapshot.ClientSessions() {
		if !own[session.PID] && counts(session) {
			count++
		}
	}
	return count
}

// share is ⌊part × limit⌋, reckoned in whole ten-thousandths because 0.8 has
// no exact binary form and a budget must not lose a connection to that.
func share(part float64, limit int) int {
	return int(math.Round(part*10_000)) * limit / 10_000
}

func tightest(gates []Gate) (name string, pool int) {
	pool = -1
	for _, gate := range gates {
		if gate.Pool >= 0 && (pool < 0 || gate.Pool < pool) {
			name, pool = gate.Name, gate.Pool
		}
	}
	if pool < 0 {
		return gates[0].Name, 0
	}
	return name, pool
}

// narrowest is the gate with the least room, where pods and a pooler stand
// before different ones.
func narrowest(gates []Gate) string {
	least := slices.MinFunc(gates, func(a, b Gate) int { return (a.Allowed - a.Demand) - (b.Allowed - b.Demand) })
	return least.Name
}

func outcome(input BudgetInput, budget Budget) Outcome {
	doubtful := false
	for _, gate := range budget.Gates {
		if budget.exceeds(gate) {
			return Exceeds
		}
		doubtful = doubtful || gate.Demand > gate.Allowed
	}
	if budget.unpooled != "" || !input.Snapshot.SeesSessions && !input.Snapshot.Counted || input.Snapshot.Limits.MaxConnections <= 0 || len(budget.Colors) == 0 {
		return Unknown
	}
	assumed := false
	for _, color := range budget.Colors {
		if !color.Pool.Known || color.Pool.Connections <= 0 {
			return Unknown
		}
		assumed = assumed || color.Pool.Trust == TrustAssumed
	}
	for _, job := range budget.Jobs {
		assumed = assumed || job.Pool.Trust == TrustAssumed
	}
	assumed = assumed || len(budget.Uncounted)+len(budget.Short) > 0 || budget.RoleUnknown != ""
	if assumed || doubtful || input.Pooler != nil && !input.Pooler.Counted {
		return Warns
	}
	return Fits
}

// exceeds reports whether a gate doesn't hold, for certain. Of sessions that
// were only counted some may be in the demand already, and under a role's gate
// others' too.
func (b *Budget) exceeds(gate Gate) bool {
	if !b.Counted || gate.Name == gateDeclared {
		return gate.Demand > gate.Allowed
	}
	allowed := share(b.Share, gate.Limit)
	return gate.Demand > allowed || gate.Others > allowed && !strings.HasPrefix(gate.Name, gateRole)
}

// required is the max_connections with which the present pools would pass the
// cluster's gate.
func required(input BudgetInput, budget Budget) int {
	for _, color := range budget.Colors {
		if !color.Pool.Known {
			return 0
		}
	}
	if budget.unpooled != "" {
		return 0
	}
	cluster := budget.Gates[0]
	limit := cluster.Limit
	for need := cluster.Demand + cluster.Others; share(budget.Share, limit) < need; {
		limit += max(1, need-share(budget.Share, limit))
	}
	for limit > 0 && share(budget.Share, limit-1) >= cluster.Demand+cluster.Others {
		limit--
	}
	reserved := input.Snapshot.Limits.SuperuserReserved + input.Snapshot.Limits.Reserved
	return limit + reserved
}

// changes are the fields that hold more than the recommended pool.
func changes(budget Budget) []Change {
	var found []Change
	if budget.Pooler != nil {
		found = poolerChange(budget, budget.Pooler)
	}
	return append(found, changesTo(budget.RecommendedPool, budget.Colors, budget.Outcome == Exceeds)...)
}

// changesTo are the fields of the colours that hold more than a pool that fits, where
// theirs don't, or that say nothing.
func changesTo(pool int, colors []ColorDemand, exceeds bool) []Change {
	var found []Change
	for _, color := range colors {
		to := pool / max(1, color.Pool.Processes)
		needed := color.Pool.Known && color.Pool.Connections > pool && exceeds
		if (needed || !color.Pool.Known) && color.Pool.Field != "" && color.Pods > 0 && to > 0 {
			found = append(found, Change{Color: color.Color, Field: color.Pool.Field, Setting: color.Pool.Setting, InManifests: color.Pool.InManifests, From: color.Pool.perProcess(), To: to})
		}
	}
	return found
}

func warnings(input BudgetInput, budget Budget) []string {
	var found []string
	if input.Snapshot.Counted {
		found = append(found, fmt.Sprintf("%d sessions were counted and not seen: all count as others, though some may be the colours' own", input.Snapshot.backends()))
	} else if !input.Snapshot.SeesSessions {
		found = append(found, fmt.Sprintf("role %s can't see others' sessions, so others is too low: GRANT pg_monitor TO %s", input.Snapshot.Role, input.Snapshot.Role))
	}
	if limits := input.Snapshot.Limits; limits.PendingRestart || limits.Configured > 0 && limits.Configured != limits.MaxConnections {
		found = append(found, fmt.Sprintf("max_connections is configured differently and waits for a restart; the live value %d counts", limits.MaxConnections))
	}
	if input.Pooler != nil {
		found = append(found, poolerWarnings(input)...)
	} else if strangers := unattributed(input); strangers > 0 {
		found = append(found, fmt.Sprintf("%d sessions log in as the release does but belong to no colour by address or name; they count as others", strangers))
	}
	found = append(found, poolWarnings(budget.Colors)...)
	if budget.RoleUnknown != "" {
		found = append(found, budget.RoleUnknown)
	}
	return slices.Concat(found, unexplained(budget.Colors), budget.Uncounted, budget.Short, jobWarnings(budget.Jobs))
}

func poolWarnings(colors []ColorDemand) []string {
	var found []string
	for _, color := range colors {
		for _, warning := range color.Pool.Warnings {
			found = append(found, color.Color+": "+warning)
		}
	}
	return found
}

// unexplained names the colours that hold more sessions than their pools may
// open: a pool that was not found, or a leak.
func unexplained(colors []ColorDemand) []string {
	var found []string
	for i, color := range colors {
		if slices.ContainsFunc(colors[:i], func(before ColorDemand) bool { return before.Color == color.Color }) {
			continue
		}
		connections, known := 0, true
		for _, part := range colors {
			if part.Color == color.Color {
				connections += part.Connections
				known = known && part.Pool.Known
			}
		}
		if known && color.Sessions > connections {
			found = append(found, fmt.Sprintf("%s holds %d sessions now, more than the %d that its pools explain", color.Color, color.Sessions, connections))
		}
	}
	return found
}

// unattributed counts the sessions that use the colours' own roles in the
// colours' own database and yet can't be told to be theirs.
func unattributed(input BudgetInput) int {
	roles := rolesOf(input.Colors, nil)
	count := 0
	for _, session := range input.Attribution.Unknown {
		if session.Database == input.Database && slices.Contains(roles, session.Role) {
			count++
		}
	}
	return count
}
