package measure

import (
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Expressions are what a Prometheus is asked about one colour, in PromQL, for
// what others ask it: alerts, dashboards. A [Prometheus] looks which labels tell
// a colour's series; here nobody is asked, and they are told by the release's
// version label, as far as they have them in its namespace and from its pods.
type Expressions struct {
	formulas
	// Label is the version label as Prometheus spells it, and Value the colour's.
	Label, Value string
}

// ExpressionsOf are those of a colour over a window. It is an error that no label
// tells the colour.
func ExpressionsOf(rel *release.Release, color string, window time.Duration) (Expressions, error) {
	names, err := dialectOf(rel.Spec.Metrics.Provider)
	if err != nil {
		return Expressions{}, err
	}
	label := rel.Spec.Metrics.VersionLabel
	value := rel.Spec.Colors[color].Selector[label]
	if label == "" || value == "" {
		return Expressions{}, release.WithHint(fmt.Errorf("read spec.metrics.versionLabel %q: the selector of %s has no such label, so nothing tells its series", label, color),
			fmt.Sprintf("name a label in spec.metrics.versionLabel that is in spec.colors.%s.selector", color))
	}
	all := Expressions{formulas: formulas{names: names, window: window}, Label: PrometheusLabel(label), Value: value}
	// A label that is not there is empty: what is scraped from outside the
	// cluster has neither, and another service's pods are never taken.
	colour := matcher(fmt.Sprintf(`namespace=~"|%s"`, rel.Metadata.Namespace))
	if pods := (&colors{spec: rel.Spec}).podNames(color); pods != "" {
		colour = colour.and(fmt.Sprintf(`pod=~"|%s"`, pods))
	}
	all.colour = colour.and(fmt.Sprintf("%s=%q", all.Label, value))
	return all, nil
}

// Of is the query for a signal, "" when Prometheus can't be asked for it.
func (e Expressions) Of(signal Signal) string { return e.of(signal) }

// Samples is how many requests a signal rests on.
func (e Expressions) Samples(signal Signal) string { return e.samples(signal) }

// Present is how many series of the request counter there are, nothing where
// there is none.
func (e Expressions) Present() string { return e.present() }

// Up is how many of its pods are scraped.
func (e Expressions) Up() string { return fmt.Sprintf("sum(up{%s})", e.colour) }

// The queries about the connections of PostgreSQL servers, as postgres_exporter
// tells of them. Each has an answer for every server, by the label instance;
// matchers, such as instance="db:9187", choose among them, "" for all.

// Connections is how many there are.
func Connections(matchers string) string { return byServer("sum", metricBackends, matchers) }

// ConnectionLimit is how many there may be without a right to the reserved ones.
// Older exporters don't tell of all reserved ones.
func ConnectionLimit(matchers string) string {
	limit := byServer("max", metricLimit, matchers)
	reserved := func(metric string) string {
		return fmt.Sprintf("(%s or 0 * %s)", byServer("max", metric, matchers), limit)
	}
	return fmt.Sprintf("(%s - %s - %s)", limit, reserved(metricSuperuser), reserved(metricReserved))
}

// ConnectionShare is the part of the limit that is taken, 0 to 1.
func ConnectionShare(matchers string) string {
	return Connections(matchers) + " / " + ConnectionLimit(matchers)
}

// ConnectionsPresent is how many series of connections there are, nothing where
// there is none.
func ConnectionsPresent(matchers string) string {
	return "count(" + selected(metricBackends, matchers) + ")"
}

func byServer(sum, metric, matchers string) string {
	return fmt.Sprintf("%s by (instance) (%s)", sum, selected(metric, matchers))
}

// selected is a metric with matchers, if there are any.
func selected(metric, matchers string) string {
	if matchers == "" {
		return metric
	}
	return metric + "{" + matchers + "}"
}
