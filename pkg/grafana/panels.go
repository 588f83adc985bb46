package grafana

import (
	"fmt"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// board is what the panels of one release are made from.
type board struct {
	release *release.Release
	rules   []gate.Rule
	// colors are the queries of each colour, over the window of a signal.
	colors []color
}

type color struct {
	name  string
	asked func(signal measure.Signal) measure.Expressions
}

func panelsOf(rel *release.Release, series map[string]string) ([]panel, error) {
	rules, err := gate.Rules(rel.Spec.Gates, rel.Spec.Databases, func(measure.Query) bool { return true })
	if err != nil {
		return nil, err
	}
	b := board{release: rel, rules: rules}
	for _, name := range rel.Spec.ColorNames() {
		if _, err := measure.ExpressionsOf(rel, name, time.Minute); err != nil {
			return nil, err
		}
		b.colors = append(b.colors, color{name: name, asked: func(signal measure.Signal) measure.Expressions {
			ask, _ := measure.ExpressionsOf(rel, name, b.window(signal)) // it went well above
			return ask
		}})
	}
	panels := []panel{b.requests(), b.share(), b.errors(), b.latency(), b.ready(), b.pools()}
	for _, database := range rel.Spec.Databases {
		panels = append(panels, b.connections(database.Name, series[database.Name]))
	}
	return placed(panels), nil
}

// window is that over which the gate takes a signal.
func (b board) window(signal measure.Signal) time.Duration {
	for _, rule := range b.rules {
		if rule.Signal == signal && rule.Window > 0 {
			return rule.Window
		}
	}
	return time.Minute
}

// limits are what the gate allows of a signal to go on, and until it goes back.
func (b board) limits(signal measure.Signal, database string) []limit {
	var limits []limit
	for _, purpose := range []gate.Purpose{gate.Advance, gate.Rollback} {
		for _, rule := range b.rules {
			if rule.Signal == signal && rule.Purpose == purpose && rule.Database == database && rule.RelativeTo == "" && !rule.Disabled {
				limits = append(limits, limit{value: rule.Threshold, color: map[gate.Purpose]string{gate.Advance: "orange", gate.Rollback: "red"}[purpose]})
			}
		}
	}
	return limits
}

// each shows a query of each colour.
func (b board) each(one panel, expression func(color) string) panel {
	for _, color := range b.colors {
		one.shows(color.name, expression(color))
		one.paints(color.name)
	}
	return one
}

func (b board) requests() panel {
	return b.each(graph("Requests", "Requests per second that each colour answers.", "reqps"), func(c color) string {
		return c.asked(measure.RequestRate).Of(measure.RequestRate)
	})
}

// share is what became of the split: no kind of route has series of its weights.
func (b board) share() panel {
	one := graph("Share of the requests", "The part of the requests that each colour answers: what the split, or the switch, has come to.", "percentunit")
	whole := 1.0
	one.FieldConfig.Defaults.Max = &whole
	one.FieldConfig.Defaults.Custom.Stacking.Mode = "normal"
	one.FieldConfig.Defaults.Custom.FillOpacity = 40
	var all []string
	for _, c := range b.colors {
		all = append(all, fmt.Sprintf("(%s or vector(0))", c.asked(measure.RequestRate).Of(measure.RequestRate)))
	}
	return b.each(one, func(c color) string {
		return fmt.Sprintf("%s / (%s > 0)", c.asked(measure.RequestRate).Of(measure.RequestRate), "("+strings.Join(all, " + ")+")")
	})
}

func (b board) errors() panel {
	return b.each(graph("Failed requests", "The share of each colour's requests that fail. Orange holds a shift, red sends it back.", "percentunit", b.limits(measure.ErrorRatio, "")...), func(c color) string {
		return c.asked(measure.ErrorRatio).Of(measure.ErrorRatio)
	})
}

func (b board) latency() panel {
	return b.each(graph("Latency, p95", "The 95th percentile of each colour's latency. Orange holds a shift, red sends it back.", "s", b.limits(measure.LatencyP95, "")...), func(c color) string {
		return c.asked(measure.LatencyP95).Of(measure.LatencyP95)
	})
}

func (b board) pools() panel {
	return b.each(graph("Connection pools", "The fullest pool of each colour's pods, as far as their libraries tell.", "percentunit", b.limits(measure.PoolSaturation, "")...), func(c color) string {
		return c.asked(measure.PoolSaturation).Of(measure.PoolSaturation)
	})
}

// ready are the ready pods by kube-state-metrics, which does not know the version
// label, and without it those that are scraped.
func (b board) ready() panel {
	one := graph("Ready pods", "By kube-state-metrics; where there is none, the pods that are scraped.", "short")
	return b.each(one, func(c color) string {
		scraped := c.asked(measure.RequestRate).Up()
		names := map[string][]string{}
		for _, ref := range b.release.Spec.Colors[c.name].Workloads {
			names[ref.Kind] = append(names[ref.Kind], ref.Name)
		}
		var ready []string
		for _, kind := range []string{"deployment", "statefulset"} {
			if len(names[kind]) > 0 {
				ready = append(ready, fmt.Sprintf(`sum(kube_%[1]s_status_replicas_ready{namespace=%[2]q,%[1]s=~%[3]q})`, kind, b.release.Metadata.Namespace, strings.Join(names[kind], "|")))
			}
		}
		if len(ready) == 0 {
			return scraped
		}
		return strings.Join(ready, " + ") + " or " + scraped
	})
}

// connections are those of a database under its limit, with lines at the shares
// that the gate knows: 80 and 90 % unless the release says otherwise.
func (b board) connections(name, matchers string) panel {
	one := graph("Connections of database "+name, "By postgres_exporter, and the most that there may be without a right to the reserved ones. Orange holds a shift, red sends it back.", "short")
	one.shows("taken {{instance}}", measure.Connections(matchers))
	one.shows("maximum {{instance}}", measure.ConnectionLimit(matchers))
	for _, share := range b.limits(measure.DatabaseConnections, name) {
		legend := gate.Format(measure.DatabaseConnections, share.value)
		one.shows(legend+" {{instance}}", fmt.Sprintf("%v * %s", share.value, measure.ConnectionLimit(matchers)))
		one.FieldConfig.Overrides = append(one.FieldConfig.Overrides, override{
			Matcher:    matcher{ID: "byRegexp", Options: "/^" + legend + " /"},
			Properties: []property{fixed(share.color), {ID: "custom.lineStyle", Value: map[string]any{"fill": "dash"}}, {ID: "custom.fillOpacity", Value: 0}},
		})
	}
	return one
}
