package postgres

import (
	"fmt"
	"strconv"
	"strings"
)

// arithmetic writes the sums as a person would on paper, one gate a line:
//
//	cluster: blue 3 × 20 + green 3 × 20 + surge 2 × 20 = 160 > 0.8 × (100 − 3) − 4 = 73
func arithmetic(budget Budget) []string {
	var lines []string
	for _, gate := range budget.Gates {
		colors := underGate(gate, budget.Colors)
		comparison := "≤"
		if gate.Demand > gate.Allowed {
			comparison = ">"
		}
		if gate.Name == gateDeclared {
			lines = append(lines, fmt.Sprintf("%s: %s %s %d", gate.Name, gateTerms(gate, colors, jobsAt(gate, budget)), comparison, gate.Allowed))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s %s %s × %s − %d = %d", gate.Name,
			gateTerms(gate, colors, jobsAt(gate, budget)), comparison,
			strconv.FormatFloat(budget.Share, 'g', -1, 64), gate.arithmetic, gate.Others, gate.Allowed))
	}
	ceiling := budget.Gates[0]
	if budget.Counted {
		return append(lines, fmt.Sprintf("PostgreSQL itself refuses (SQLSTATE 53300) after %d − %d = %d more connections (%s)",
			ceiling.Limit, ceiling.Others, ceiling.Ceiling, ceiling.Name))
	}
	for _, gate := range budget.Gates {
		if gate.ofPooler() {
			lines = append(lines, fmt.Sprintf("%s itself refuses after %d − %d = %d clients of the release", budget.Pooler.Name, gate.Limit, gate.Others, gate.Ceiling))
		} else if gate.Name != gateDeclared && gate.Ceiling < ceiling.Ceiling {
			ceiling = gate
		}
	}
	lines = append(lines, fmt.Sprintf("PostgreSQL itself refuses (SQLSTATE 53300) after %d − %d = %d connections of the release (%s)",
		ceiling.Limit, ceiling.Others, ceiling.Ceiling, ceiling.Name))
	return lines
}

// gateTerms writes who asks for what under a gate.
func gateTerms(gate Gate, colors []ColorDemand, jobs []JobDemand) string {
	if gate.ofPooler() {
		return demandTerms(colors, jobs, gate.Demand)
	}
	if gate.pooler == "" {
		return demandTerms(colors, jobs, gate.Demand)
	}
	terms := []string{gate.pooler}
	for _, job := range jobs {
		terms = append(terms, job.term())
	}
	return strings.Join(terms, " + ") + " = " + strconv.Itoa(gate.Demand)
}

func demandTerms(colors []ColorDemand, jobs []JobDemand, sum int) string {
	var terms []string
	for _, color := range colors {
		terms = append(terms, fmt.Sprintf("%s %d × %s", color.Color, max(color.Replicas, color.Maximum), color.Pool))
	}
	terms = append(terms, extraTerms(colors, "surge", func(c ColorDemand) int { return c.Surge })...)
	terms = append(terms, extraTerms(colors, "terminating", func(c ColorDemand) int { return c.Terminating })...)
	for _, job := range jobs {
		terms = append(terms, job.term())
	}
	if len(terms) == 0 {
		return strconv.Itoa(sum)
	}
	return strings.Join(terms, " + ") + " = " + strconv.Itoa(sum)
}

// term writes what a job asks for.
func (j JobDemand) term() string {
	if j.Pods == 0 {
		return fmt.Sprintf("%s %d", j.Name, j.Connections)
	}
	return fmt.Sprintf("%s %d × %s", j.Name, j.Pods, j.Pool)
}

// extraTerms writes pods besides the replicas: in one term while the pools
// are alike, else one for each colour.
func extraTerms(colors []ColorDemand, word string, pods func(ColorDemand) int) []string {
	var terms []string
	total, alike := 0, true
	for _, color := range colors {
		if pods(color) == 0 {
			continue
		}
		total += pods(color)
		alike = alike && color.Pool.String() == colors[0].Pool.String()
		terms = append(terms, fmt.Sprintf("%s %s %d × %s", color.Color, word, pods(color), color.Pool))
	}
	if alike && total > 0 {
		return []string{fmt.Sprintf("%s %d × %s", word, total, colors[0].Pool)}
	}
	return terms
}

// summary is the budget in one sentence.
func summary(budget Budget) string {
	if len(budget.Uncounted) > 0 && budget.Outcome == Warns {
		return sentence(budget) + ", but not all is counted: " + budget.Uncounted[0]
	}
	if len(budget.Short) > 0 && budget.Outcome == Warns {
		return sentence(budget) + ", but " + budget.Short[0]
	}
	if budget.RoleUnknown != "" && budget.Outcome == Warns {
		return sentence(budget) + ", but " + budget.RoleUnknown
	}
	return sentence(budget)
}

func sentence(budget Budget) string {
	worst := budget.Gates[0]
	for _, gate := range budget.Gates {
		if gate.Name == budget.Tightest {
			worst = gate
		}
	}
	for _, gate := range budget.Gates {
		certain := budget.exceeds(gate) || !budget.exceeds(worst)
		if certain && gate.Demand-gate.Allowed > worst.Demand-worst.Allowed {
			worst = gate
		}
	}
	switch {
	case budget.Outcome == Warns && worst.Demand > worst.Allowed:
		return fmt.Sprintf("%d connections are asked for at the peak; whether they fit (%s) depends on how many of the %d sessions there are the colours' own, which is not known without a session",
			worst.Demand, worst.Name, worst.Others)
	case budget.Outcome == Exceeds && budget.Counted && worst.Name != gateDeclared:
		return fmt.Sprintf("%d connections are asked for at the peak, %d sessions of anybody are there, and %d of %d may be used (%s); %s",
			worst.Demand, worst.Others, share(budget.Share, worst.Limit), worst.Limit, worst.Name, advice(budget))
	case budget.Outcome == Exceeds && worst.pooler != "":
		return fmt.Sprintf("%d connections are asked for at the peak and %d are left (%s); %s", worst.Demand, worst.Allowed, worst.Name, poolerAdvice(budget, worst))
	case budget.Outcome == Exceeds:
		return fmt.Sprintf("%d connections are asked for at the peak and %d are left (%s); %s", worst.Demand, worst.Allowed, worst.Name, advice(budget))
	case budget.Outcome == Unknown:
		return fmt.Sprintf("what the colours may ask for is not known, %d connections are left (%s)%s", worst.Allowed, worst.Name, unknownBecause(budget))
	case worst.pooler != "":
		return fmt.Sprintf("%d connections at the peak fit in %d (%s); pools of up to %d in %s would", worst.Demand, worst.Allowed, worst.Name, worst.PoolerSize, budget.Pooler.Name)
	default:
		return fmt.Sprintf("%d connections at the peak fit in %d (%s); up to %d per pod would", worst.Demand, worst.Allowed, worst.Name, budget.RecommendedPool)
	}
}

func advice(budget Budget) string {
	if budget.RecommendedPool < 1 && budget.Tightest == gateDeclared {
		return "no pool size fits: run fewer pods, or declare more connections in the Release"
	}
	if budget.RecommendedPool < 1 && budget.Counted {
		return fmt.Sprintf("no pool size fits beside all these sessions: run fewer pods, raise max_connections%s, or observe with a session, which tells the colours' own", atLeast(budget.RequiredConnections))
	}
	if budget.RecommendedPool < 1 {
		return fmt.Sprintf("no pool size fits: run fewer pods or raise max_connections%s", atLeast(budget.RequiredConnections))
	}
	return fmt.Sprintf("a pool of %d per pod fits", budget.RecommendedPool)
}

func poolerAdvice(budget Budget, worst Gate) string {
	if worst.PoolerSize < 1 {
		return fmt.Sprintf("no pool size of %s fits: run fewer of it or raise max_connections%s", budget.Pooler.Name, atLeast(budget.RequiredConnections))
	}
	return fmt.Sprintf("pools of %d in %s fit", poolerSize(budget), budget.Pooler.Name)
}

func atLeast(connections int) string {
	if connections == 0 {
		return ""
	}
	return fmt.Sprintf(" to at least %d", connections)
}

func unknownBecause(budget Budget) string {
	if budget.unpooled != "" {
		return ": " + budget.unpooled
	}
	for _, color := range budget.Colors {
		if !color.Pool.Known {
			return fmt.Sprintf(": the pool size of %s is unknown; %s", color.Color, advice(budget))
		}
	}
	if len(budget.Warnings) > 0 {
		return ": " + budget.Warnings[0]
	}
	return ""
}
