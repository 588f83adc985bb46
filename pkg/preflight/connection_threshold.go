package preflight

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// usedConnections and maximumConnections are the metrics, of the exporters and
// the clients that teams have, of how many connections are taken and how many
// there may be.
func usedConnections() []string {
	return []string{
		"pg_stat_database_numbackends", "pg_stat_activity_count", "pgbouncer_pools_server_active_connections",
		"db_pool_acquired_connections", "pgxpool_acquired_conns", "hikaricp_connections_active",
	}
}

func maximumConnections() []string {
	return []string{
		"pg_settings_max_connections", "pg_database_connection_limit", "pg_roles_connection_limit",
		"db_pool_max_connections", "pgxpool_max_conns", "hikaricp_connections_max",
	}
}

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
	share := quantityOf(above).over(quantityOf(below))
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
}

func (q quantity) times(other quantity) quantity {
	return quantity{q.known && other.known, q.factor * other.factor, q.used + other.used, q.maximum + other.maximum}
}

func (q quantity) over(other quantity) quantity {
	return q.times(quantity{other.known, 1 / other.factor, -other.used, -other.maximum})
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

// quantityOf is what an expression counts, unknown where that can't be read from
// it.
func quantityOf(expression parser.Expr) quantity {
	switch expression := unwrapped(expression).(type) {
	case *parser.NumberLiteral:
		return quantity{known: true, factor: expression.Val}
	case *parser.VectorSelector:
		switch {
		case slices.Contains(usedConnections(), expression.Name):
			return quantity{known: true, factor: 1, used: 1}
		case slices.Contains(maximumConnections(), expression.Name):
			return quantity{known: true, factor: 1, maximum: 1}
		}
	case *parser.MatrixSelector:
		return quantityOf(expression.VectorSelector)
	case *parser.SubqueryExpr:
		return quantityOf(expression.Expr)
	case *parser.AggregateExpr:
		if slices.Contains([]parser.ItemType{parser.SUM, parser.MAX, parser.MIN, parser.AVG}, expression.Op) {
			return quantityOf(expression.Expr)
		}
	case *parser.Call:
		if slices.Contains([]string{"max_over_time", "min_over_time", "avg_over_time", "last_over_time", "scalar", "vector"}, expression.Func.Name) {
			return quantityOf(expression.Args[0])
		}
	case *parser.BinaryExpr:
		return quantityOfBinary(expression)
	}
	return quantity{}
}

// quantityOfBinary is that of a product, of a quotient, of a sum of what is
// counted alike, or of what is more than 0: that is no threshold, and keeps from
// dividing by it.
func quantityOfBinary(expression *parser.BinaryExpr) quantity {
	left, right := quantityOf(expression.LHS), quantityOf(expression.RHS)
	switch expression.Op {
	case parser.MUL:
		return left.times(right)
	case parser.DIV:
		return left.over(right)
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
