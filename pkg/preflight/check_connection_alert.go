package preflight

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// ConnectionAlert is the share of the connections at which an alert must fire
// (first runbook, Pre-Deployment Checklist: pool usage > 80 %).
const ConnectionAlert = 0.8

func connectionAlert() Check {
	return Check{
		ID: "BG-MON-04", Title: "an alert fires at 80 % of the database's connections or before", Area: AreaMonitoring,
		Stages:   []Stage{StageDeploy},
		Why:      "The incident was detected too late because nothing watched the connections. An alert over a recording rule, or over a plain number of connections, may do so: at which share of them it fires can't be read from it, so it is told as unknown.",
		Remedy:   "add an alerting rule such as: sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8; kubectl bluegreen generate alerts writes it",
		Source:   "first runbook, Pre-Deployment Checklist, Monitoring & Alerts (set up alert thresholds for connection pool usage > 80 %); Common Pitfalls, No early warning",
		Evaluate: evaluateConnectionAlert,
	}
}

func evaluateConnectionAlert(facts *Facts) []Finding {
	const subject = "alert rules"
	switch {
	case len(facts.Release.Spec.Databases) == 0:
		return []Finding{undeclared("database")}
	case !facts.Monitoring.Declared:
		return []Finding{undeclared("prometheus")}
	case !facts.Monitoring.Alerts.Known:
		return facts.Monitoring.Alerts.unknown(subject)
	}
	var late, broken, unread []string
	for _, rule := range facts.Monitoring.Alerts.Value {
		ratio, found := connectionThreshold(rule.Query)
		switch {
		case !found:
			if mentionsConnections(rule) {
				unread = append(unread, rule.Name)
			}
		case ratio > ConnectionAlert:
			late = append(late, rule.Name)
		case rule.Health != "ok":
			broken = append(broken, rule.Name)
		default:
			return []Finding{pass(subject, "%s fires at %.0f %%", rule.Name, ratio*100).with("query", rule.Query)}
		}
	}
	switch {
	case len(unread) > 0:
		return []Finding{unknown(subject, "at which share of the connections %s fires can't be read from its expression", strings.Join(unread, ", ")).
			fix("see that it fires at 80 %% or before, or write it as: sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8")}
	case len(broken) > 0:
		return []Finding{fail(subject, "%s is not evaluated: its health is not ok", strings.Join(broken, ", "))}
	case len(late) > 0:
		return []Finding{fail(subject, "%s fires only above 80 %%", strings.Join(late, ", "))}
	default:
		return []Finding{fail(subject, "none of %d is about the database's connections", len(facts.Monitoring.Alerts.Value))}
	}
}

var (
	connectionMetric = regexp.MustCompile(`\b(pg_stat_database_numbackends|pg_stat_activity_count|db_pool_acquired_connections|pgxpool_acquired_conns|hikaricp_connections_active|pgbouncer_pools_server_active_connections)\b`)
	maximumMetric    = regexp.MustCompile(`\b(pg_settings_max_connections|db_pool_max_connections|pgxpool_max_conns|hikaricp_connections_max|pg_database_connection_limit|pg_roles_connection_limit)\b`)
	comparedNumber   = regexp.MustCompile(`>=?\s*(?:bool\s+)?\(?\s*(\d+(?:\.\d+)?)`)
	divisorGuard     = regexp.MustCompile(`>\s*0\s*\)`)
	connectionWord   = regexp.MustCompile(`(?i)connection|numbackends|pg_stat_activity`)
	percentage       = regexp.MustCompile(`[*/]\s*100\b|\b100\s*\*`)
	scaledNumber     = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*\*|\*\s*(\d+(?:\.\d+)?)`)
)

// mentionsConnections reports whether a rule may well be about connections, by
// its name or by what it asks for. How many there may be at most is not what
// an alert about them watches.
func mentionsConnections(rule measure.AlertRule) bool {
	return connectionWord.MatchString(rule.Name) || connectionWord.MatchString(maximumMetric.ReplaceAllString(rule.Query, ""))
}

// connectionThreshold reads the share of the maximum at which an expression
// fires. It knows the two shapes that are written: used / maximum > 0.8 (or
// × 100 > 80), and used > 0.8 × maximum. Anything else is not taken for a
// connection alert. A share that is held against 80 as it is never gets there.
// That a maximum is more than 0 is no threshold, but keeps from dividing by it.
func connectionThreshold(expression string) (ratio float64, found bool) {
	if !connectionMetric.MatchString(expression) || !maximumMetric.MatchString(expression) {
		return 0, false
	}
	expression = divisorGuard.ReplaceAllString(expression, ")")
	left, right, compared := strings.Cut(expression, ">")
	if !compared {
		return 0, false
	}
	if maximumMetric.MatchString(left) {
		match := comparedNumber.FindStringSubmatch(">" + right)
		if match == nil {
			return 0, false
		}
		value, err := strconv.ParseFloat(match[1], 64)
		if value > 1 && percentage.MatchString(expression) {
			value /= 100
		}
		return value, err == nil
	}
	match := scaledNumber.FindStringSubmatch(right)
	if match == nil {
		return 1, connectionMetric.MatchString(left)
	}
	value, err := strconv.ParseFloat(match[1]+match[2], 64)
	return value, err == nil
}
