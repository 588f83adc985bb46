package preflight

import (
	"fmt"
	"regexp"
	"slices"
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
		Why:      "The incident was detected too late because nothing watched the connections. An alert over a recording rule, or over a plain number of connections, may do so: at which share of them it fires can't be read from it, so it is told as unknown. One that can't tell may not pass for it: it goes by an average, by one database or state of several, by all servers together, by another time than now, or by series that never come together. Nor may one that finds no series now.",
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
	watching, against := watchingAlerts(facts)
	if len(watching) > 0 {
		unseen := unseenBy(watching, facts)
		if len(unseen) == 0 {
			rule := watching[0]
			return []Finding{pass(subject, "%s fires at %.0f %%", rule.name, rule.threshold.ratio*100).with("query", rule.query)}
		}
		for _, rule := range watching {
			against.add(rule.name, objection{Fail, "", " leaves out " + strings.Join(unseen, ", ")})
		}
	}
	if open := against.said(Unknown); open != "" {
		return []Finding{unknown(subject, "%s", open).
			fix("see that it fires at 80 %% or before, or write it as: sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8")}
	}
	if silent := against.said(Fail); silent != "" {
		return []Finding{fail(subject, "%s", silent)}
	}
	return []Finding{fail(subject, "none of %d is about the database's connections", len(facts.Monitoring.Alerts.Value))}
}

// watchingAlert is an alert that fires in time.
type watchingAlert struct {
	name, query string
	threshold   connectionThreshold
}

// watchingAlerts are those that fire in time, and what speaks against the others
// that are about connections.
func watchingAlerts(facts *Facts) (watching []watchingAlert, against objections) {
	for _, rule := range facts.Monitoring.Alerts.Value {
		threshold, found := readThreshold(rule.Query)
		if !found {
			if mentionsConnections(rule) {
				against.add(rule.Name, objection{Unknown, "at which share of the connections ", " fires can't be read from its expression"})
			}
			continue
		}
		if objection, is := objectionTo(rule, threshold, facts); is {
			against.add(rule.Name, objection)
			continue
		}
		watching = append(watching, watchingAlert{rule.Name, rule.Query, threshold})
	}
	return watching, against
}

// objectionTo is what speaks against an alert whose threshold can be read.
func objectionTo(rule measure.AlertRule, threshold connectionThreshold, facts *Facts) (objection, bool) {
	pairs := facts.Monitoring.pairsOf(rule.Query)
	switch {
	case threshold.ratio > ConnectionAlert:
		return objection{Fail, "", " fires only above 80 %"}, true
	case threshold.doubt != "":
		return objection{Unknown, "", " may not tell: " + threshold.doubt}, true
	case rule.Health != "ok":
		return objection{Fail, "", " is not evaluated: its health is not ok"}, true
	case !pairs.Known:
		return objection{Unknown, "whether ", " has series to compare is not known: " + pairs.Unread().Problem}, true
	case pairs.Value == 0:
		return objection{Fail, "", " never fires: Prometheus finds no series on both sides of its comparison that come together"}, true
	}
	return leavesOut(threshold, facts)
}

// few is the share of a server's connections that others than one database may take
// before an alert on that one fires too late: an exporter or a pooler has a session or
// two in a database of its own.
const few = 0.05

// leavesOut is what speaks against an alert that holds one database against the maximum
// of its server: what others take of it is not counted.
func leavesOut(threshold connectionThreshold, facts *Facts) (objection, bool) {
	if threshold.alone == "" {
		return objection{}, false
	}
	for _, declared := range facts.Release.Spec.Databases {
		if used := facts.usedDatabase(declared.Name); used != "" && used != threshold.alone {
			continue
		}
		seen := facts.Databases[declared.Name].Snapshot
		if !seen.Known {
			return objection{Unknown, "", fmt.Sprintf(" may not tell: it counts database %s alone, and what others take from the same maximum is not known", threshold.alone)}, true
		}
		snapshot, others := seen.Value, 0
		for name, state := range snapshot.Databases {
			if name != threshold.alone {
				others += state.Backends
			}
		}
		most := snapshot.Limits.MaxConnections
		if share := float64(others) / float64(max(most, 1)); share > few && threshold.ratio+share > ConnectionAlert {
			return objection{Fail, "", fmt.Sprintf(" fires only above 80 %%: it counts database %s alone, and others have taken %d of the %d connections that all share", threshold.alone, others, most)}, true
		}
	}
	return objection{}, false
}

// unseenBy are the databases whose connections none of some alerts counts, as far as
// the name that a server has for one tells. Which server an alert is about can't be
// told: what its series are labelled with is up to who scrapes it.
func unseenBy(watching []watchingAlert, facts *Facts) []string {
	var unseen []string
	for _, declared := range facts.Release.Spec.Databases {
		name := facts.usedDatabase(declared.Name)
		if !slices.ContainsFunc(watching, func(rule watchingAlert) bool { return rule.threshold.sees(name) }) {
			unseen = append(unseen, fmt.Sprintf("database %s (datname %s)", declared.Name, name))
		}
	}
	return unseen
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
