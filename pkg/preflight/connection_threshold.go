package preflight

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// connectionThreshold is what an alert on connections does, as its expression says.
type connectionThreshold struct {
	// ratio is the share of the maximum above which it fires.
	ratio float64
	// doubt is why it may be silent there, or is about something else; "" for
	// nothing.
	doubt string
	// compared asks for the series that are on both sides and come together:
	// without any it never fires.
	compared string
	// connections are the selectors of those that are taken.
	connections []*parser.VectorSelector
	// alone is the one database whose connections it holds against a maximum that all
	// of its server share, by the name that the server has for it; "" for none.
	alone string
}

// The doubts.
const (
	doubtLeast  = "it goes by the least or the average of several, which is low while one of them is full"
	doubtStates = "it counts connections in some states alone"
	doubtUnlike = "it holds series against others of unlike labels, so it never fires"
	doubtBool   = "with bool it fires always"
	// Those of what is full when none of what is looked at looks so.
	doubtParts   = "it goes by one database, state, role or application, while the connections of all take from the maximum together"
	doubtServers = "it holds the connections of all servers or pools against what all may have, which is low while one of them is full"
	doubtDip     = "it goes by the least over a time, which one moment with few connections keeps low"
	doubtLong    = "it goes by the average over a long time, which is low until long after connections ran out"
	doubtPast    = "it goes by another time than now"
)

// readThreshold reads the share of the maximum above which an expression of an
// alert fires: 0.8 of used / maximum > 0.8, of used / maximum * 100 > 80,
// of used > 0.8 * maximum and of 0.8 * maximum < used. Nothing is found in what is
// no such comparison, or has conditions beside it. A share that is held against 80
// as it is never gets there, and is told as 80.
func readThreshold(expression string) (threshold connectionThreshold, found bool) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return threshold, false
	}
	comparison, is := unwrapped(parsed).(*parser.BinaryExpr)
	if !is {
		return threshold, false
	}
	above, below := comparison.LHS, comparison.RHS
	switch comparison.Op {
	case parser.GTR, parser.GTE:
	case parser.LSS, parser.LTE:
		above, below = below, above
	default:
		return threshold, false
	}
	known := connectionQuantities()
	share := known.of(above).over(known.of(below))
	if !share.known || share.used != 1 || share.maximum != -1 {
		return threshold, false
	}
	if len(share.parts) > 0 {
		share = share.doubted(doubtParts)
	}
	threshold = connectionThreshold{ratio: 1 / share.factor, doubt: share.doubt, compared: difference(comparison), connections: known.taken(comparison)}
	if !slices.Contains(share.limited, labelDatabase) {
		threshold.alone = oneDatabase(threshold.connections)
	}
	switch {
	case comparison.ReturnBool:
		threshold.doubt = doubtBool
	case unlike(comparison):
		threshold.doubt = doubtUnlike
	}
	return threshold, threshold.ratio > 0 && !math.IsInf(threshold.ratio, 0)
}

// difference is what a comparison compares: a number for each pair of series that
// comes together.
func difference(comparison *parser.BinaryExpr) string {
	return (&parser.BinaryExpr{Op: parser.SUB, LHS: &parser.ParenExpr{Expr: comparison.LHS}, RHS: &parser.ParenExpr{Expr: comparison.RHS},
		VectorMatching: comparison.VectorMatching}).String()
}

// early: it fires in time, and nothing that can be read speaks against it.
func (t connectionThreshold) early() bool { return t.doubt == "" && t.ratio <= ConnectionAlert }

// sees reports whether it may count connections to a database, by the name that the
// server has for it, "" where that is not known.
func (t connectionThreshold) sees(database string) bool {
	return database == "" || slices.ContainsFunc(t.connections, func(selector *parser.VectorSelector) bool {
		return selects(selector, "datname", database)
	})
}

// selects reports whether a selector leaves in a value of a label.
func selects(selector *parser.VectorSelector, label, value string) bool {
	return !slices.ContainsFunc(selector.LabelMatchers, func(matcher *labels.Matcher) bool {
		return matcher.Name == label && !matcher.Matches(value)
	})
}

// quantity is a number of connections, a share of them, or a plain number: the
// factor times powers of those that are taken and of those that there may be.
type quantity struct {
	known         bool
	factor        float64
	used, maximum int
	// reserved: it is a part of the maximum, which may only be taken from it.
	reserved bool
	// parts are the labels by which what is taken is counted apart, limited those by
	// which there is a maximum for each.
	parts, limited []string
	// doubt is why it may not be what an alert has to go by.
	doubt string
}

func (q quantity) times(other quantity) quantity {
	known := q.known && other.known && !q.reserved && !other.reserved
	return quantity{known: known, factor: q.factor * other.factor, used: q.used + other.used, maximum: q.maximum + other.maximum, doubt: cmp.Or(q.doubt, other.doubt),
		parts: slices.Concat(q.parts, other.parts), limited: slices.Concat(q.limited, other.limited)}
}

func (q quantity) over(other quantity) quantity {
	q.parts = slices.DeleteFunc(slices.Clone(q.parts), func(label string) bool { return slices.Contains(other.limited, label) })
	return q.times(quantity{known: other.known, factor: 1 / other.factor, used: -other.used, maximum: -other.maximum, reserved: other.reserved, doubt: other.doubt,
		parts: other.parts, limited: other.limited})
}

// alike: both count the same.
func (q quantity) alike(other quantity) bool {
	return q.known == other.known && q.factor == other.factor && q.used == other.used && q.maximum == other.maximum && q.reserved == other.reserved &&
		q.doubt == other.doubt && slices.Equal(q.parts, other.parts) && slices.Equal(q.limited, other.limited)
}

// doubted is one that a doubt is about too, unless there is another.
func (q quantity) doubted(doubt string) quantity {
	q.doubt = cmp.Or(q.doubt, doubt)
	return q
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
	case q.alike(other), other.known && other.factor == 0 && q.used == other.used && q.maximum == other.maximum:
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

// metricActivity counts sessions by what they do, metricPoolerActive those that a
// pooler has lent to clients.
const (
	metricActivity     = "pg_stat_activity_count"
	metricPoolerActive = "pgbouncer_pools_server_active_connections"
)

// connectionQuantities are those of connections: of the metrics that are read, and
// of two more that teams have alerts on.
func connectionQuantities() quantities {
	known := quantities{}
	used, maximum, reserved := measure.ConnectionMetrics()
	for _, name := range append(used, metricActivity, metricPoolerActive) {
		known[name] = quantity{known: true, factor: 1, used: 1, parts: partsOf(name)}
	}
	for _, name := range maximum {
		known[name] = quantity{known: true, factor: 1, maximum: 1, limited: limitedBy(name)}
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
		return q.ofSelector(expression)
	case *parser.MatrixSelector:
		return q.of(expression.VectorSelector)
	case *parser.SubqueryExpr:
		return q.ofSubquery(expression)
	case *parser.AggregateExpr:
		if slices.Contains([]parser.ItemType{parser.SUM, parser.MAX, parser.MIN, parser.AVG}, expression.Op) {
			return q.ofAggregate(expression)
		}
	case *parser.Call:
		if slices.Contains([]string{"max_over_time", "min_over_time", "avg_over_time", "last_over_time", "scalar", "vector"}, expression.Func.Name) {
			return q.ofCall(expression)
		}
	case *parser.BinaryExpr:
		return q.ofBinary(expression)
	}
	return quantity{}
}

// ofSelector is that of a metric. A connection is taken in whatever state a session
// is; a pool tells of those that are used by that state.
func (q quantities) ofSelector(selector *parser.VectorSelector) quantity {
	found, states := q[selector.Name], []string{"used"}
	if selector.Name == metricActivity {
		states = []string{"active", "idle", "idle in transaction"}
	}
	for _, state := range states {
		if !selects(selector, "state", state) {
			found = found.doubted(doubtStates)
		}
	}
	if found.used > 0 && past(selector) {
		found = found.doubted(doubtPast)
	}
	found.parts = apart(found.parts, selector)
	return found
}

// ofSubquery is that of what it asks for.
func (q quantities) ofSubquery(query *parser.SubqueryExpr) quantity {
	found := q.of(query.Expr)
	if found.used > 0 && pastSubquery(query) {
		return found.doubted(doubtPast)
	}
	return found
}

// ofCall is that of what a function is given. Of the maximum any moment will do.
func (q quantities) ofCall(call *parser.Call) quantity {
	found := q.of(call.Args[0])
	if found.used > 0 {
		return found.doubted(overTime(call))
	}
	return found
}

// ofAggregate is that of what it is made of. The least or the average of what is
// taken hides the one that is full, as does the sum of what several may have.
func (q quantities) ofAggregate(aggregate *parser.AggregateExpr) quantity {
	found := q.of(aggregate.Expr)
	sum := aggregate.Op == parser.SUM
	switch {
	case found.used > 0 && (aggregate.Op == parser.MIN || aggregate.Op == parser.AVG):
		found = found.doubted(doubtLeast)
	case !sum && chooses(found.parts, aggregate):
		found = found.doubted(doubtParts)
	case sum && found.used == 0 && found.maximum > 0 && !found.reserved && acrossServers(aggregate):
		found = found.doubted(doubtServers)
	}
	found.parts = keptApart(found.parts, aggregate)
	return found
}

// taken are the selectors of connections that are taken.
func (q quantities) taken(expression parser.Expr) []*parser.VectorSelector {
	var found []*parser.VectorSelector
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is && q[selector.Name].used > 0 {
			found = append(found, selector)
		}
		return nil
	})
	return found
}

// ofBinary is that of two sides whose series can come together.
func (q quantities) ofBinary(expression *parser.BinaryExpr) quantity {
	found := q.ofOperation(expression)
	if found.known && unlike(expression) {
		return found.doubted(doubtUnlike)
	}
	return found
}

// ofOperation is that of a product, of a quotient, of a sum of what is
// counted alike, of what is left of a maximum, of one or the other, or of what is
// more than 0: that is no threshold, and keeps from dividing by it.
func (q quantities) ofOperation(expression *parser.BinaryExpr) quantity {
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
		if left.alike(right) {
			return left
		}
	case parser.GTR, parser.NEQ:
		if right.alike(quantity{known: true}) && !expression.ReturnBool {
			return left
		}
	}
	return quantity{}
}
