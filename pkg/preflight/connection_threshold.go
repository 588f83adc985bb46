package preflight

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// connectionThreshold reads the share of the maximum above which an expression
// of an alert fires: 0.8 of used / maximum > 0.8, of used / maximum * 100 > 80,
// of used > 0.8 * maximum and of 0.8 * maximum < used. Nothing is found in what is
// no such comparison, or has conditions beside it. A share that is held against 80
// as it is never gets there, and is told as 80.
func connectionThreshold(expression string) (ratio float64, found bool) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return 0, false
	}
	comparison, is := unwrapped(parsed).(*parser.BinaryExpr)
	if !is {
		return 0, false
	}
	above, below := comparison.LHS, comparison.RHS
	switch comparison.Op {
	case parser.GTR, parser.GTE:
	case parser.LSS, parser.LTE:
		above, below = below, above
	default:
		return 0, false
	}
	known := connectionQuantities()
	share := known.of(above).over(known.of(below))
	if !share.known || share.used != 1 || share.maximum != -1 {
		return 0, false
	}
	ratio = 1 / share.factor
	return ratio, ratio > 0 && !math.IsInf(ratio, 0)
}

// quantity is a number of connections, a share of them, or a plain number: the
// factor times powers of those that are taken and of those that there may be.
type quantity struct {
	known         bool
	factor        float64
	used, maximum int
	// reserved: it is a part of the maximum, which may only be taken from it.
	reserved bool
}

func (q quantity) times(other quantity) quantity {
	known := q.known && other.known && !q.reserved && !other.reserved
	return quantity{known: known, factor: q.factor * other.factor, used: q.used + other.used, maximum: q.maximum + other.maximum}
}

func (q quantity) over(other quantity) quantity {
	return q.times(quantity{known: other.known, factor: 1 / other.factor, used: -other.used, maximum: -other.maximum, reserved: other.reserved})
}

// less is what is left when a part of the maximum is kept back: the maximum that
// there is for others.
func (q quantity) less(other quantity) quantity {
	if q.known && !q.reserved && q.used == 0 && q.maximum == 1 && other.known && other.reserved {
		return q
	}
	return quantity{}
}

// or is the one of two that is there: both count alike, or one of them is nothing.
func (q quantity) or(other quantity) quantity {
	switch {
	case q == other, other.known && other.factor == 0 && q.used == other.used && q.maximum == other.maximum:
		return q
	}
	return quantity{}
}

// unwrapped is an expression without parentheses around it.
func unwrapped(expression parser.Expr) parser.Expr {
	for {
		inner, is := expression.(*parser.ParenExpr)
		if !is {
			return expression
		}
		expression = inner.Expr
	}
}

// quantities are what metrics count, by their names.
type quantities map[string]quantity

// connectionQuantities are those of connections: of the metrics that are read, and
// of two more that teams have alerts on.
func connectionQuantities() quantities {
	known := quantities{}
	used, maximum, reserved := measure.ConnectionMetrics()
	for _, name := range append(used, "pg_stat_activity_count", "pgbouncer_pools_server_active_connections") {
		known[name] = quantity{known: true, factor: 1, used: 1}
	}
	for _, name := range maximum {
		known[name] = quantity{known: true, factor: 1, maximum: 1}
	}
	for _, name := range reserved {
		known[name] = quantity{known: true, factor: 1, maximum: 1, reserved: true}
	}
	return known
}

// of is what an expression counts, unknown where that can't be read from it.
func (q quantities) of(expression parser.Expr) quantity {
	switch expression := unwrapped(expression).(type) {
	case *parser.NumberLiteral:
		return quantity{known: true, factor: expression.Val}
	case *parser.VectorSelector:
		return q[expression.Name]
	case *parser.MatrixSelector:
		return q.of(expression.VectorSelector)
	case *parser.SubqueryExpr:
		return q.of(expression.Expr)
	case *parser.AggregateExpr:
		if slices.Contains([]parser.ItemType{parser.SUM, parser.MAX, parser.MIN, parser.AVG}, expression.Op) {
			return q.of(expression.Expr)
		}
	case *parser.Call:
		if slices.Contains([]string{"max_over_time", "min_over_time", "avg_over_time", "last_over_time", "scalar", "vector"}, expression.Func.Name) {
			return q.of(expression.Args[0])
		}
	case *parser.BinaryExpr:
		return q.ofBinary(expression)
	}
	return quantity{}
}

// ofBinary is that of a product, of a quotient, of a sum of what is
// counted alike, of what is left of a maximum, of one or the other, or of what is
// more than 0: that is no threshold, and keeps from dividing by it.
func (q quantities) ofBinary(expression *parser.BinaryExpr) quantity {
	left, right := q.of(expression.LHS), q.of(expression.RHS)
	switch expression.Op {
	case parser.MUL:
		return left.times(right)
	case parser.DIV:
		return left.over(right)
	case parser.SUB:
		return left.less(right)
	case parser.LOR:
		return left.or(right)
	case parser.ADD:
		if left == right {
			return left
		}
	case parser.GTR, parser.NEQ:
		if right == (quantity{known: true}) && !expression.ReturnBool {
			return left
		}
	}
	return quantity{}
}
