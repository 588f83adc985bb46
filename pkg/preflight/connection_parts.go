package preflight

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// The labels of databases, of which a metric has one or both.
const (
	labelDatabase   = "datname"
	labelDatabaseID = "datid"
)

// partsOf are the labels by which a metric counts connections in parts that take
// from one maximum together: only their sum may be held against it.
func partsOf(metric string) []string {
	switch metric {
	case "pg_stat_database_numbackends":
		return []string{labelDatabaseID, labelDatabase}
	case metricActivity:
		return []string{labelDatabase, "state", "usename", "application_name", "backend_type", "wait_event_type", "wait_event"}
	case metricPoolerActive:
		return []string{"database", "user"}
	}
	return nil
}

// limitedBy are the labels of the parts for which a maximum is, none where it is for
// a whole server or pool.
func limitedBy(metric string) []string {
	switch metric {
	case "pg_database_connection_limit":
		return []string{labelDatabaseID, labelDatabase}
	case "pg_roles_connection_limit":
		return []string{"usename"}
	}
	return nil
}

// apart are parts that a selector leaves: of a label with one value there is but one.
func apart(parts []string, selector *parser.VectorSelector) []string {
	one := func(label string) bool {
		return slices.ContainsFunc(selector.LabelMatchers, func(matcher *labels.Matcher) bool {
			return matcher.Name == label && matcher.Type == labels.MatchEqual && matcher.Value != ""
		})
	}
	return slices.DeleteFunc(slices.Clone(parts), func(label string) bool {
		return one(label) || label == labelDatabaseID && one(labelDatabase)
	})
}

// oneDatabase is the one that selectors leave, "" where they leave several.
func oneDatabase(selectors []*parser.VectorSelector) string {
	for _, selector := range selectors {
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name == labelDatabase && matcher.Type == labels.MatchEqual {
				return matcher.Value
			}
		}
	}
	return ""
}

// keptApart are parts that an aggregation leaves.
func keptApart(parts []string, aggregate *parser.AggregateExpr) []string {
	return slices.DeleteFunc(slices.Clone(parts), func(label string) bool {
		return slices.Contains(aggregate.Grouping, label) == aggregate.Without
	})
}

// chooses reports whether an aggregation that is no sum goes by one of several parts.
// A database has its name and its number together.
func chooses(parts []string, aggregate *parser.AggregateExpr) bool {
	kept := keptApart(parts, aggregate)
	return slices.ContainsFunc(parts, func(label string) bool {
		if label == labelDatabase || label == labelDatabaseID {
			return !slices.Contains(kept, labelDatabase) && !slices.Contains(kept, labelDatabaseID)
		}
		return !slices.Contains(kept, label)
	})
}

// acrossServers reports whether an aggregation puts several servers together: it
// keeps no label, or those alone that servers share.
func acrossServers(aggregate *parser.AggregateExpr) bool {
	if aggregate.Without {
		return slices.Contains(aggregate.Grouping, "instance")
	}
	shared := []string{"job", "namespace", "service", "cluster", "container", "endpoint", "env", "environment", "region", "zone", "prometheus"}
	return !slices.ContainsFunc(aggregate.Grouping, func(label string) bool { return !slices.Contains(shared, label) })
}

// longAverage is the longest time of which an average still follows connections that
// run out within minutes.
const longAverage = 10 * time.Minute

// overTime is what speaks against a function over the time of its argument, "" for
// nothing.
func overTime(call *parser.Call) string {
	span := time.Duration(0)
	switch argument := unwrapped(call.Args[0]).(type) {
	case *parser.MatrixSelector:
		span = argument.Range
	case *parser.SubqueryExpr:
		span = argument.Range
	}
	switch {
	case call.Func.Name == "min_over_time":
		return doubtDip
	case call.Func.Name == "avg_over_time" && span > longAverage:
		return doubtLong
	}
	return ""
}

// past reports whether a selector looks at another time than now.
func past(selector *parser.VectorSelector) bool {
	return selector.OriginalOffset != 0 || selector.OriginalOffsetExpr != nil || selector.Timestamp != nil || selector.StartOrEnd != 0
}

// pastSubquery reports whether a subquery does.
func pastSubquery(query *parser.SubqueryExpr) bool {
	return query.OriginalOffset != 0 || query.OriginalOffsetExpr != nil || query.Timestamp != nil || query.StartOrEnd != 0
}
