package preflight

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// labelling is what is known of the labels of an expression's series: they were
// grouped by some, or are those with which a metric was scraped. It is neither
// where that can't be read.
type labelling struct {
	grouped bool
	by      []string
	metric  string
}

func (l labelling) known() bool { return l.grouped || l.metric != "" }

// labelsOf are those of an expression that has series.
func labelsOf(expression parser.Expr) labelling {
	switch expression := unwrapped(expression).(type) {
	case *parser.VectorSelector:
		return labelling{metric: expression.Name}
	case *parser.MatrixSelector:
		return labelsOf(expression.VectorSelector)
	case *parser.SubqueryExpr:
		return labelsOf(expression.Expr)
	case *parser.AggregateExpr:
		if !expression.Without {
			return labelling{grouped: true, by: slices.Sorted(slices.Values(expression.Grouping))}
		}
	case *parser.Call:
		if strings.HasSuffix(expression.Func.Name, "_over_time") {
			return labelsOf(expression.Args[0])
		}
	case *parser.BinaryExpr:
		return labelsOfBinary(expression)
	}
	return labelling{}
}

// labelsOfBinary are those of a side that has series, which are the other's too.
func labelsOfBinary(expression *parser.BinaryExpr) labelling {
	switch {
	case expression.LHS.Type() == parser.ValueTypeScalar:
		return labelsOf(expression.RHS)
	case expression.RHS.Type() == parser.ValueTypeScalar:
		return labelsOf(expression.LHS)
	case !matchedByAll(expression):
		return labelling{}
	}
	if left := labelsOf(expression.LHS); left.known() {
		return left
	}
	return labelsOf(expression.RHS)
}

// matchedByAll: only series of the very same labels come together.
func matchedByAll(expression *parser.BinaryExpr) bool {
	matching := expression.VectorMatching
	return matching != nil && matching.Card == parser.CardOneToOne && !matching.On && len(matching.MatchingLabels) == 0
}

// unlike: no series of one side can have the labels of one of the other. What is
// scraped has the labels job and instance at least; those of a setting are the
// server's, and those of connections tell more.
func unlike(expression *parser.BinaryExpr) bool {
	if !matchedByAll(expression) {
		return false
	}
	one, other := labelsOf(expression.LHS), labelsOf(expression.RHS)
	if other.grouped {
		one, other = other, one
	}
	switch {
	case !one.known() || !other.known():
		return false
	case other.grouped:
		return !slices.Equal(one.by, other.by)
	case one.grouped:
		return !slices.Contains(one.by, "job") || !slices.Contains(one.by, "instance")
	default:
		return isSetting(one.metric) != isSetting(other.metric)
	}
}

func isSetting(metric string) bool { return strings.HasPrefix(metric, "pg_settings_") }
