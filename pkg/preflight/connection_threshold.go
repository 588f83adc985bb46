package preflight

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// usedConnections and maximumConnections are the metrics, of the exporters and
// the clients that teams have, of how many connections are taken and how many
// there may be; reservedConnections are those of a part of the maximum that
// PostgreSQL keeps back.
func usedConnections() []string {
	return []string{
		"pg_stat_database_numbackends", "pg_stat_activity_count", "pgbouncer_pools_server_active_connections",
		"db_pool_acquired_connections", "pgxpool_acquired_conns", "go_sql_in_use_connections",
		"hikaricp_connections_active", "hikaricp_active_connections",
		"db_client_connections_usage", "db_client_connection_count", "npgsql_db_client_connections_usage",
	}
}

func maximumConnections() []string {
	return []string{
		"pg_settings_max_connections", "pg_database_connection_limit", "pg_roles_connection_limit",
		"db_pool_max_connections", "pgxpool_max_conns", "go_sql_max_open_connections",
		"hikaricp_connections_max", "hikaricp_max_connections",
		"db_client_connections_max", "db_client_connection_max", "npgsql_db_client_connections_max",
	}
}

func reservedConnections() []string {
	return []string{"pg_settings_superuser_reserved_connections", "pg_settings_reserved_connections"}
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
		case slices.Contains(reservedConnections(), expression.Name):
			return quantity{known: true, factor: 1, maximum: 1, reserved: true}
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
// counted alike, of what is left of a maximum, of one or the other, or of what is
// more than 0: that is no threshold, and keeps from dividing by it.
func quantityOfBinary(expression *parser.BinaryExpr) quantity {
	left, right := quantityOf(expression.LHS), quantityOf(expression.RHS)
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
