package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// gatePooler is how the limit of a pooler's clients is named, with its name.
const gatePooler = "clients of "

// clientGate holds what the pods may open against what a pooler takes. A pod
// reaches whichever instance answers, so an instance may be full before all
// are: the share leaves room for that.
func clientGate(input BudgetInput, colors []ColorDemand, jobs []JobDemand) Gate {
	pooler := input.Pooler
	gate := Gate{Name: gatePooler + pooler.Name, Limit: pooler.Instances * pooler.Config.MaxClients,
		arithmetic: fmt.Sprintf("(%d × %d)", pooler.Instances, pooler.Config.MaxClients)}
	for _, address := range pooler.Clients {
		if !slices.Contains(input.Addresses, address) {
			gate.Others++
		}
	}
	gate.settle(input.Share, colors, connectionsOf(through(jobs)))
	return gate
}

// settle fills in what follows from the limit, the others, the pods and the jobs.
func (g *Gate) settle(part float64, colors []ColorDemand, jobs int) {
	g.Allowed = share(part, g.Limit) - g.Others
	g.Ceiling = max(0, g.Limit-g.Others)
	g.Demand = jobs
	for _, color := range colors {
		g.Demand += color.Connections
		g.Pods += color.Pods
	}
	switch {
	case g.Pods > 0:
		g.Pool = max(0, g.Allowed-jobs) / g.Pods
	case g.Demand <= g.Allowed:
		g.Pool = -1
	}
}

// pooled turns a gate of PostgreSQL's into one that a pooler stands before:
// what counts is what it may open of the pools under the gate.
func (g *Gate) pooled(pooler *Pooler, pools []serverPool, jobs int) {
	most := pooler.most(pools)
	g.Demand, g.Pods, g.Pool = most+jobs, 0, -1
	g.pooler = fmt.Sprintf("%s %d × %d", pooler.Name, pooler.Peak, most/max(1, pooler.Peak))
	if each := pooler.Peak * len(pools); each > 0 {
		reserve := 0
		for _, pool := range pools {
			reserve = max(reserve, pool.entry.Reserve)
		}
		g.PoolerSize = max(0, max(0, g.Allowed-jobs)/each-reserve)
	}
}

// ofPooler reports whether the limit is a pooler's own and not PostgreSQL's.
func (g Gate) ofPooler() bool { return strings.HasPrefix(g.Name, gatePooler) }

// ownOfPooler are the sessions that the pooler holds for the colours: those
// from its addresses, or, where none is known, as many of the role in the
// database as it may open.
func ownOfPooler(input BudgetInput, pools []serverPool) map[int]bool {
	own := map[int]bool{}
	for _, pool := range pools {
		left := input.Pooler.most([]serverPool{pool})
		for _, session := range input.Snapshot.ClientSessions() {
			from := slices.Contains(input.Pooler.Addresses, session.Address)
			if len(input.Pooler.Addresses) == 0 {
				from = left > 0
			}
			if from && pool.holds(session) && !session.Own {
				own[session.PID] = true
				left--
			}
		}
	}
	return own
}

// poolerChange is the field of the pooler to change, where what it may open is
// too much.
func poolerChange(budget Budget, pooler *Pooler) []Change {
	if budget.Outcome != Exceeds { // what is declared is judged apart
		return nil
	}
	return poolerChangeTo(poolerSize(budget), budget, pooler)
}

// poolerSize is the most connections of each pool of the pooler with which what it may
// open is not too much, 0 where it isn't, or where none is few enough.
func poolerSize(budget Budget) int {
	size := 0
	for _, gate := range slices.Concat(budget.Gates, budget.declared) {
		if budget.exceeds(gate) && !gate.ofPooler() && (size == 0 || gate.PoolerSize < size) {
			size = gate.PoolerSize
		}
	}
	return size
}

func poolerChangeTo(size int, budget Budget, pooler *Pooler) []Change {
	if size < 1 {
		return nil
	}
	field := pooler.Name + " default_pool_size"
	if pooler.Config.Where != "" {
		field += " (" + pooler.Config.Where + ")"
	}
	change := Change{Field: field, Setting: pooler.Config.Setting, From: pooler.Config.Default.PoolSize, To: size}
	for _, pool := range budget.pools {
		if pool.entry.PoolSize != pooler.Config.Default.PoolSize {
			change.Field = fmt.Sprintf("%s pool_size of %s", pooler.Name, pool.entry.Name)
			change.From, change.Setting = pool.entry.PoolSize, nil
		}
	}
	return []Change{change}
}

// poolerWarnings are what can't be known of a pooler.
func poolerWarnings(input BudgetInput) []string {
	pooler := input.Pooler
	var found []string
	if !pooler.Counted {
		found = append(found, "who else is a client of "+pooler.Name+" was not asked: its max_client_conn is held against the colours alone; declare pooler.admin")
	}
	if len(pooler.Addresses) == 0 {
		found = append(found, "the addresses of "+pooler.Name+" are not known: sessions of its roles in its databases are taken for its own")
	}
	return found
}
