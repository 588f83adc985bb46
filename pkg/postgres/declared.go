package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Declared is how what a budget's colours and jobs may ask for stands to the
// connections that the Release declares for them. It needs no session with the
// database.
type Declared struct {
	// Connections are the declared ones; Demand is what is known to be asked for, and
	// Sum that for people.
	Connections, Demand int
	Sum                 string
	// Unknown is why the demand is not known at all, "" where it is.
	Unknown string
	// Pool is the most connections per pod, the same for every colour, with which
	// all fits: 0 when none does, -1 when no pod counts.
	Pool    int
	Changes []Change
	// Warnings are what is not certain of the demand.
	Warnings []string
}

// Exceeds reports whether what is known is more than is declared.
func (d Declared) Exceeds() bool { return d.Demand > d.Connections }

// declaredGate is the limit that the Release declares: all of it may be used, and
// nobody else has a part.
func declaredGate(connections int, budget Budget) Gate {
	gate := Gate{Name: gateDeclared, Limit: connections, Allowed: connections, Ceiling: connections}
	jobs := connectionsOf(jobsAt(gate, budget))
	if budget.Pooler != nil {
		gate.pooled(budget.Pooler, budget.pools, jobs)
	} else {
		gate.settle(1, budget.Colors, jobs)
	}
	return gate
}

// Against holds the demand of a budget against what the Release declares. What it
// recommends passes the budget's gates as well, where anything does.
func (b *Budget) Against(connections int) Declared {
	gate := declaredGate(connections, *b)
	jobs := jobsAt(gate, *b)
	if certain := !b.Counted || b.Outcome == Exceeds; certain && b.RecommendedPool > 0 {
		gate.Pool = min(gate.Pool, b.RecommendedPool)
	}
	if size := poolerSize(*b); size > 0 {
		gate.PoolerSize = min(gate.PoolerSize, size)
	}
	found := Declared{Connections: connections, Demand: gate.Demand, Pool: gate.Pool, Sum: sumOf(gate, b.Colors, jobs), Unknown: b.unpooled}
	found.Warnings = slices.Concat(poolWarnings(b.Colors), b.Uncounted, jobWarnings(b.Jobs))
	switch {
	case b.Pooler == nil:
		found.Changes = changesTo(gate.Pool, b.Colors, found.Exceeds())
	case found.Exceeds():
		found.Changes = poolerChangeTo(gate.PoolerSize, *b, b.Pooler)
	}
	return found
}

// sumOf writes who asks for what, each colour's pods in one term.
func sumOf(gate Gate, colors []ColorDemand, jobs []JobDemand) string {
	var terms []string
	if gate.pooler != "" { // what stands between them opens so many
		terms = append(terms, gate.pooler)
	} else {
		for _, color := range colors {
			terms = append(terms, color.term())
		}
	}
	for _, job := range jobs {
		terms = append(terms, job.term())
	}
	if len(terms) == 0 {
		return strconv.Itoa(gate.Demand)
	}
	return strings.Join(terms, " + ") + " = " + strconv.Itoa(gate.Demand)
}

// term writes what the pods of a colour ask for: those that it wants, those that a
// rolling update adds, those that are ending, and what each of them opens.
func (c ColorDemand) term() string {
	pods := strconv.Itoa(max(c.Replicas, c.Maximum))
	for _, more := range []int{c.Surge, c.Terminating} {
		if more > 0 {
			pods += "+" + strconv.Itoa(more)
		}
	}
	return fmt.Sprintf("%s %s pods × %s", c.Color, pods, c.Pool)
}

// Left is the narrowest of the limits that all of the demand is under: what the
// database leaves the release is its Allowed. Where sessions were only counted, they
// may be the colours' own, and what is left is taken to be all of the share.
func (b *Budget) Left() Gate {
	all := b.Gates[0]
	all.Allowed = b.allowed(all)
	least := all
	for _, gate := range b.Gates {
		gate.Allowed = b.allowed(gate)
		if !gate.ofPooler() && gate.Name != gateDeclared && gate.Demand == all.Demand && gate.Pods == all.Pods && gate.Allowed < least.Allowed {
			least = gate
		}
	}
	return least
}

func (b *Budget) allowed(gate Gate) int {
	if b.Counted {
		return share(b.Share, gate.Limit)
	}
	return gate.Allowed
}
