package alerts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The severities, as an Alertmanager is asked for them.
const (
	Warning  = "warning"
	Critical = "critical"
)

// Rule is one alerting rule.
type Rule struct {
	// Name is what the alert is called, and Expression when it fires, in PromQL.
	Name, Expression string
	// For is how long the expression must hold.
	For time.Duration
	// Labels and Annotations are those of the alert.
	Labels, Annotations map[string]string
	// Source says where the number comes from.
	Source string
}

// Rules are the alerting rules of a release. series are, by database, label
// matchers that tell its server's series from those of others, such as
// instance="db:9187"; a database without any is all that the Prometheus knows.
func Rules(rel *release.Release, series map[string]string) ([]Rule, error) {
	gates, err := gate.Rules(rel.Spec.Gates, rel.Spec.Databases, func(measure.Query) bool { return true })
	if err != nil {
		return nil, err
	}
	maker := maker{release: rel, series: series}
	var rules []Rule
	for _, rule := range gates {
		made, err := maker.of(rule)
		if err != nil {
			return nil, err
		}
		rules = append(rules, made...)
	}
	absent, err := maker.absent()
	return append(rules, absent...), err
}

// maker makes rules for one release.
type maker struct {
	release *release.Release
	series  map[string]string
}

// of are the alerting rules for one rule of the gate; none where a Prometheus is
// not asked for it, or where it compares with what was before a switch.
func (m maker) of(rule gate.Rule) ([]Rule, error) {
	switch {
	case rule.RelativeTo != "":
		return nil, nil
	case rule.Signal == measure.DatabaseConnections && rule.Database != "":
		return m.connections(rule), nil
	case rule.Disabled:
		return nil, nil
	}
	var rules []Rule
	for _, color := range m.release.Spec.ColorNames() {
		ask, err := measure.ExpressionsOf(m.release, color, rule.Window)
		if err != nil {
			return nil, err
		}
		expression := exceeded(ask, rule)
		if expression == "" {
			return nil, nil
		}
		made := m.rule(rule, color, expression)
		made.Labels["color"], made.Labels[ask.Label] = color, ask.Value
		rules = append(rules, made)
	}
	return rules, nil
}

// exceeded holds when a colour has exceeded what a rule allows; "" where a
// Prometheus isn't asked for it.
func exceeded(ask measure.Expressions, rule gate.Rule) string {
	shown := ask.Of(rule.Signal)
	switch rule.Signal {
	case measure.ErrorRatio, measure.LatencyP95:
	case measure.PoolSaturation:
		return shown + limit(rule)
	default:
		return ""
	}
	samples, least := "("+ask.Samples(rule.Signal)+")", number(rule.MinimumSamples)
	switch {
	case rule.MinimumSamples == 0:
		return shown + limit(rule)
	case rule.Signal == measure.ErrorRatio && rule.Purpose == gate.Rollback:
		return fmt.Sprintf("%s * clamp_max(%s / %s, 1)%s", shown, samples, least, limit(rule))
	default:
		return fmt.Sprintf("%s%s and %s >= %s", shown, limit(rule), samples, least)
	}
}

// connections are the rules about one database. An alert there has to be even
// where the gate's rule was switched off or has a higher number: see BG-MON-04.
func (m maker) connections(rule gate.Rule) []Rule {
	late := rule.Purpose == gate.Advance && (rule.Disabled || rule.Threshold > preflight.ConnectionAlert)
	switch {
	case late:
		rule.Threshold = preflight.ConnectionAlert
	case rule.Disabled:
		return nil
	}
	made := m.rule(rule, "database "+rule.Database, measure.ConnectionShare(m.series[rule.Database])+limit(rule))
	if late {
		made.Source = "BG-MON-04: an alert at 80 % or before, whatever the gate lets pass"
	}
	made.Labels["database"] = rule.Database
	return []Rule{made}
}

// rule is what all of them have in common.
func (m maker) rule(rule gate.Rule, subject, expression string) Rule {
	severity, does := Warning, "a shift is held"
	if rule.Purpose == gate.Rollback {
		severity, does = Critical, "a shift goes back"
	}
	shown := "$value | humanizePercentage"
	if rule.Signal == measure.LatencyP95 {
		shown = "$value | humanizeDuration"
	}
	what := fmt.Sprintf("%s: %s of %s is {{ %s }}", m.release.Metadata.Name, words(rule.Signal), subject, shown)
	made := m.bare("Bluegreen"+camel(rule.ID), severity, what, fmt.Sprintf("%s%s: %s.", words(rule.Signal), limitInWords(rule), does))
	made.Expression, made.For = expression, rule.For
	made.Source = fmt.Sprintf("%s %s: %s", rule.Key(), rule.Condition(), m.source(rule))
	return made
}

// source is where the number of a rule comes from.
func (m maker) source(rule gate.Rule) string {
	overrides := func(override release.RuleOverride) bool { return override.ID == rule.ID || override.ID == rule.Key() }
	if slices.ContainsFunc(m.release.Spec.Gates.Rules, overrides) {
		return "spec.gates.rules of the release"
	}
	return rule.Source
}

// bare is a rule without its expression.
func (m maker) bare(name, severity, summary, description string) Rule {
	metadata := m.release.Metadata
	return Rule{Name: name,
		Labels: map[string]string{"severity": severity, "service": metadata.Name, "namespace": metadata.Namespace},
		Annotations: map[string]string{
			"summary":     summary,
			"description": fmt.Sprintf("%s See: kubectl bluegreen -n %s status", strings.ToUpper(description[:1])+description[1:], metadata.Namespace),
		}}
}

// absent are the rules about series that are not there: those of both colours, for
// one of them may have no pods, and those of each database.
func (m maker) absent() ([]Rule, error) {
	var present []string
	for _, color := range m.release.Spec.ColorNames() {
		ask, err := measure.ExpressionsOf(m.release, color, time.Minute)
		if err != nil {
			return nil, err
		}
		present = append(present, ask.Present())
	}
	name := m.release.Metadata.Name
	gone := m.bare("BluegreenTargetsAbsent", Warning, name+": nothing is scraped of either colour", "no alert about it can fire, and a shift is not let on.")
	gone.Expression = "absent(" + strings.Join(present, " or ") + ")"
	rules := []Rule{gone}
	for _, database := range m.release.Spec.Databases {
		gone := m.bare("BluegreenDatabaseAbsent", Warning, name+": nothing is scraped of database "+database.Name, "no alert about its connections can fire.")
		gone.Labels["database"] = database.Name
		gone.Expression = "absent(" + measure.ConnectionsPresent(m.series[database.Name]) + ")"
		rules = append(rules, gone)
	}
	for i := range rules {
		rules[i].For = m.release.Spec.Gates.SourceDown.Deadline.Std()
		rules[i].Source = "spec.gates.sourceDown.deadline: as long as a shift waits for a source that is down"
	}
	return rules, nil
}

// limit is the comparison that says that a rule is broken.
func limit(rule gate.Rule) string {
	return fmt.Sprintf(" %s %s", broken(rule), number(rule.Threshold))
}

// broken is the comparator that holds where a rule doesn't let a shift on, or
// sends it back.
func broken(rule gate.Rule) gate.Comparator {
	if rule.Purpose == gate.Rollback {
		return rule.Comparator
	}
	return map[gate.Comparator]gate.Comparator{
		gate.Less: gate.GreaterOrEqual, gate.LessOrEqual: gate.Greater, gate.Greater: gate.LessOrEqual, gate.GreaterOrEqual: gate.Less,
	}[rule.Comparator]
}

// limitInWords is the comparison for people.
func limitInWords(rule gate.Rule) string {
	rule.Comparator = broken(rule)
	return " " + rule.Condition()
}

// words are what a signal is called.
func words(signal measure.Signal) string {
	switch signal {
	case measure.ErrorRatio:
		return "the share of failed requests"
	case measure.LatencyP95:
		return "the 95th percentile of the latency"
	case measure.PoolSaturation:
		return "the fullest connection pool"
	case measure.DatabaseConnections:
		return "the share of connections taken"
	}
	return string(signal)
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// camel is an id such as rollback-error-ratio as alerts are named.
func camel(id string) string {
	var name strings.Builder
	for part := range strings.SplitSeq(id, "-") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return name.String()
}
