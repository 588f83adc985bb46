package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

func dashboardShows() Check {
	return Check{
		ID: "BG-MON-07", Title: "a dashboard shows both colours", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy},
		Why: "Whoever watches a release compares the two versions side by side. A dashboard that adds both colours up, that names the version before, " +
			"or whose panels ask a source of data that is gone, shows nothing of it.",
		Remedy:   "let queries of the dashboard split by the version label, choose it by a variable that may have several values, or name both colours",
		Source:   "second runbook, Pre-Deployment Checklist, Monitoring & Observability (Grafana dashboard loaded with real-time view of both blue and green services); Deployment Procedure, step 5 (compare v1 vs v2); first runbook, Monitoring & Alerts (end-to-end metrics pipeline, Prometheus/Grafana)",
		Evaluate: evaluateDashboards,
	}
}

// evaluateDashboards is content with one dashboard that shows both colours; of
// those that don't it tells the best.
func evaluateDashboards(facts *Facts) []Finding {
	const subject = "dashboard"
	declared := facts.Release.Spec.Dashboard.Grafana
	switch {
	case declared == nil:
		return []Finding{undeclared(subject)}
	case !facts.Dashboards.Known:
		return facts.Dashboards.unknown(subject)
	case len(facts.Dashboards.Value) == 0 && declared.UID != "":
		return []Finding{fail(subject, "grafana has no dashboard with the uid %s", declared.UID).fix("correct spec.dashboard.grafana.uid, or import the dashboard")}
	case len(facts.Dashboards.Value) == 0:
		return []Finding{fail(subject, "grafana has no dashboard with %q in its title", facts.Release.Metadata.Name).fix("name one in spec.dashboard.grafana.uid")}
	}
	var best Finding
	for _, dashboard := range facts.Dashboards.Value {
		if finding := judgeDashboard(subject, telling(facts), dashboard); best.Cause == "" || severity(finding) < severity(best) {
			best = finding.at("spec.dashboard.grafana").with("uid", dashboard.UID).with("queries", len(dashboard.Queries))
		}
	}
	return []Finding{best}
}

func judgeDashboard(subject string, tells colorsTold, dashboard measure.Dashboard) Finding {
	shown, singles := map[string]bool{}, map[string]bool{}
	var missing []string
	unseen := false
	for _, query := range dashboard.Queries {
		colors, variable := tells.shownBy(query.Query, dashboard.Variables)
		state := dashboard.Sources[query.Source]
		switch {
		case len(colors) == 0:
			continue
		case state == measure.SourceMissing:
			missing = append(missing, fmt.Sprintf("panel %q asks %s", query.Panel, query.Source))
			continue
		case variable != "":
			singles[variable] = true
			continue
		}
		unseen = unseen || state == measure.SourceUnseen
		for _, color := range colors {
			shown[color] = true
		}
	}
	title := fmt.Sprintf("%q", dashboard.Title)
	absent := slices.DeleteFunc(slices.Clone(tells.names), func(color string) bool { return shown[color] })
	switch {
	case len(absent) == 0 && unseen:
		return unknown(subject, "%s has queries for %s; whether their source of data exists may not be seen", title, strings.Join(tells.names, " and ")).
			fix("give the token's service account the permission datasources:read")
	case len(absent) == 0:
		return pass(subject, "%s shows %s", title, strings.Join(tells.names, " and "))
	case len(missing) > 0:
		return fail(subject, "%s doesn't show %s: %s, a source of data that grafana doesn't have", title, strings.Join(absent, " and "), missing[0]).
			fix("choose a source of data that exists in the panels of the dashboard")
	case len(singles) > 1:
		return pass(subject, "%s shows a colour for each of its variables %s", title, strings.Join(slices.Sorted(maps.Keys(singles)), ", "))
	case len(singles) == 1:
		variable := slices.Collect(maps.Keys(singles))[0]
		return warn(subject, "%s shows one colour at a time: its variable %s takes a single value", title, variable).fix("let the variable %s take several values", variable)
	case len(dashboard.Libraries) > 0:
		return unknown(subject, "%s doesn't show %s, unless its library panels do, of which the queries are not in it: %s", title, strings.Join(absent, " and "), strings.Join(dashboard.Libraries, ", "))
	default:
		return fail(subject, "no query of %s tells %s from the rest", title, strings.Join(absent, " and "))
	}
}

// colorsTold is what tells the colours apart in queries.
type colorsTold struct {
	names []string
	// labels may hold any of the values; values are by colour.
	labels []string
	values map[string][]string
	// objects are the names of each colour's workloads and of its Service.
	objects map[string][]string
}

// telling is what tells the colours of a release apart: the version label of its
// metrics, as it is and as kube-state-metrics spells it, and that of its logs.
func telling(facts *Facts) colorsTold {
	spec := facts.Release.Spec
	tells := colorsTold{names: spec.ColorNames(), values: map[string][]string{}, objects: map[string][]string{}}
	label := measure.PrometheusLabel(spec.Metrics.VersionLabel)
	labels := map[string]bool{label: true, "label_" + label: true}
	for name, color := range spec.Colors {
		tells.values[name] = []string{color.Selector[spec.Metrics.VersionLabel]}
		if logs := facts.Logs[name].Value; logs.Label != "" {
			labels[logs.Label] = true
			tells.values[name] = append(tells.values[name], logs.Values...)
		}
		for _, workload := range color.Workloads {
			tells.objects[name] = append(tells.objects[name], workload.Name)
		}
		if color.Service != "" {
			tells.objects[name] = append(tells.objects[name], color.Service)
		}
	}
	tells.labels = slices.Sorted(maps.Keys(labels))
	return tells
}
