package preflight

import (
	"regexp"
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

var connectionWord = regexp.MustCompile(`(?i)connection|numbackends|pg_stat_activity`)

// mentionsConnections reports whether a rule may well be about connections, by
// its name or by what it asks for. How many there may be at most is not what
// an alert about them watches.
func mentionsConnections(rule measure.AlertRule) bool {
	query := rule.Query
	_, maximum, _ := measure.ConnectionMetrics()
	for _, metric := range maximum {
		query = strings.ReplaceAll(query, metric, "")
	}
	return connectionWord.MatchString(rule.Name) || connectionWord.MatchString(query)
}
