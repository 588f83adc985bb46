package preflight

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func plantedInLogs() []planted {
	// nothing is a colour of which a Loki has nothing, whose pods wrote a line
	// some time ago; before the beginning is never.
	nothing := func(f *Facts, ago time.Duration) {
		f.logs("green", func(l *measure.Logs) {
			l.Streams = 0
			for i := range l.Followed {
				if l.Followed[i] = (measure.Followed{Pod: l.Followed[i].Pod}); ago >= 0 {
					l.Followed[i].Written = f.Time.Add(-ago)
				}
			}
		})
	}
	return []planted{
		{"BG-LOG-01", "the label was forgotten", func(f *Facts) {
			f.logs("green", func(l *measure.Logs) { l.Streams, l.Strays = 0, []measure.Stray{{Pod: "shop-green-1"}} })
		}, Fail, "that of pod shop-green-1 has no label app_version"},
		{"BG-LOG-01", "the label says another version", func(f *Facts) {
			f.logs("green", func(l *measure.Logs) {
				for _, pod := range []string{"a", "b", "c", "d", "e"} {
					l.Strays = append(l.Strays, measure.Stray{Pod: pod, Value: "v1"})
				}
			})
		}, Fail, `that of pod a has app_version="v1", that of pod b has app_version="v1", that of pod c has app_version="v1", 2 more`},
		{"BG-LOG-01", "both colours say the same", func(f *Facts) {
			f.logs("green", func(l *measure.Logs) { l.Values = []string{"v1"} })
		}, Fail, `the other colour has app_version="v1" too`},
		{"BG-LOG-01", "nothing arrives", func(f *Facts) { nothing(f, time.Hour) }, Fail, "finds nothing, and pod shop-green-0 wrote a line 1h0m0s ago"},
		{"BG-LOG-01", "the pods have just begun", func(f *Facts) { nothing(f, 10*time.Second) }, Unknown, "less than 1m0s ago"},
		{"BG-LOG-01", "the pods write nothing", func(f *Facts) { nothing(f, -1) }, Warn, "its pods have written no line in 24 h"},
		{"BG-LOG-01", "what the pods write can't be read", func(f *Facts) {
			nothing(f, -1)
			f.logs("green", func(l *measure.Logs) { l.Followed[0].Unread = "forbidden" })
		}, Unknown, "whether its pods write anything can't be told: forbidden"},
		{"BG-LOG-01", "down", func(f *Facts) { f.Logs["blue"] = Fact[measure.Logs]{Problem: "loki: no answer in time"} }, Unknown, "no answer in time"},
		{"BG-LOG-01", "no pods", func(f *Facts) { f.logs("green", func(l *measure.Logs) { *l = measure.Logs{} }) }, Skip, "no pods yet"},
		{"BG-LOG-01", "not declared", func(f *Facts) { f.Release.Spec.Logs.Loki = nil }, Skip, "not declared: logs"},
		{"BG-LOG-02", "it is behind", func(f *Facts) {
			f.logs("blue", func(l *measure.Logs) { l.Followed[2].Shipped = f.Time.Add(-7 * time.Minute) })
		}, Fail, "pod shop-blue-2 wrote a line 1m50s ago, and the newest that loki has of it is 7m0s old"},
		{"BG-LOG-02", "it has nothing of one pod", func(f *Facts) {
			f.logs("blue", func(l *measure.Logs) { l.Followed[1].Shipped = time.Time{} })
		}, Fail, "pod shop-blue-1 wrote a line 1m50s ago, and loki has none of it"},
		{"BG-LOG-02", "what the pods write can't be read", func(f *Facts) {
			f.logs("blue", func(l *measure.Logs) { l.Followed[1] = measure.Followed{Unread: "forbidden"} })
		}, Unknown, "what its pods wrote can't be told: forbidden"},
		{"BG-LOG-02", "nothing is due", func(f *Facts) {
			f.logs("blue", func(l *measure.Logs) {
				for i := range l.Followed {
					l.Followed[i].Written = f.Time.Add(-time.Second)
				}
			})
		}, Skip, "should be there by now"},
		{"BG-LOG-02", "down", func(f *Facts) { f.Logs = nil }, Unknown, "it was not looked at"},
	}
}

func plantedInDashboards() []planted {
	one := func(name string) measure.DashboardVariable { return measure.DashboardVariable{Name: name} }
	return []planted{
		{"BG-MON-07", "both colours are added up", func(f *Facts) { f.query(`sum(rate(http_requests_total{app="shop"}[1m]))`) }, Fail, `no query of "shop" tells blue and green from the rest`},
		{"BG-MON-07", "it names the version before", func(f *Facts) { f.query(`rate(http_requests_total{version=~"blue|v0"}[1m])`) }, Fail, "tells green from the rest"},
		{"BG-MON-07", "one at a time", func(f *Facts) { f.query(`rate(x{version="$v"}[1m])`, one("v")) }, Warn, "its variable v takes a single value"},
		{"BG-MON-07", "a variable that there is not", func(f *Facts) { f.query(`rate(x{version="$v"}[1m])`, one("w")) }, Fail, "no query"},
		{"BG-MON-07", "a variable without the new one", func(f *Facts) {
			f.query(`rate(x{version=~"${v}"}[1m])`, measure.DashboardVariable{Name: "v", Values: []string{"v0", "blue"}, Several: true})
		}, Fail, "tells green from the rest"},
		{"BG-MON-07", "grouped by something else", func(f *Facts) { f.query(`sum by (pod_version, app) (x)`) }, Fail, "no query"},
		{"BG-MON-07", "its source is gone", func(f *Facts) { f.Dashboards.Value[0].Sources["prom"] = measure.SourceMissing }, Fail, `panel "Requests" asks prom, a source of data that grafana doesn't have`},
		{"BG-MON-07", "its source may not be seen", func(f *Facts) { f.Dashboards.Value[0].Sources["prom"] = measure.SourceUnseen }, Unknown, "may not be seen"},
		{"BG-MON-07", "its panels are kept elsewhere", func(f *Facts) {
			f.query("up")
			f.Dashboards.Value[0].Libraries = []string{"Errors"}
		}, Unknown, "unless its library panels do, of which the queries are not in it: Errors"},
		{"BG-MON-07", "there is none", func(f *Facts) { f.Dashboards.Value = nil }, Fail, `no dashboard with "shop" in its title`},
		{"BG-MON-07", "there is none with the uid", func(f *Facts) {
			f.Dashboards.Value, f.Release.Spec.Dashboard.Grafana.UID = nil, "other"
		}, Fail, "no dashboard with the uid other"},
		{"BG-MON-07", "down", func(f *Facts) { f.Dashboards = Fact[[]measure.Dashboard]{Problem: "grafana: no answer in time"} }, Unknown, "no answer in time"},
		{"BG-MON-07", "not declared", func(f *Facts) { f.Release.Spec.Dashboard.Grafana = nil }, Skip, "not declared: dashboard"},
	}
}

// Silence is no fault of logs, and a line that is on its way neither.
func TestLogsThatAreAsTheyShouldBe(t *testing.T) {
	for name, change := range map[string]func(*Facts, *measure.Followed){
		"a pod that was silent for an hour": func(f *Facts, p *measure.Followed) {
			p.Written, p.Shipped = f.Time.Add(-time.Hour), f.Time.Add(-time.Hour)
		},
		"a collector that stamps lines itself": func(f *Facts, p *measure.Followed) { p.Shipped = f.Time.Add(time.Second) },
		"a queue of half a minute":             func(_ *Facts, p *measure.Followed) { p.Shipped = p.Written.Add(-30 * time.Second) },
		"a line that was written just now":     func(f *Facts, p *measure.Followed) { p.Written, p.Shipped = f.Time, f.Time.Add(-time.Hour) },
		"a line that is older than the window": func(_ *Facts, p *measure.Followed) {
			p.Written = p.Written.Add(-48 * time.Hour)
			p.Shipped = time.Time{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthy()
			facts.logs("blue", func(l *measure.Logs) { change(facts, &l.Followed[0]) })
			for _, id := range []string{"BG-LOG-01", "BG-LOG-02"} {
				for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), id) {
					if finding.Outcome != Pass {
						t.Errorf("%s: %s: %s", id, finding.Outcome, finding.Cause)
					}
				}
			}
		})
	}
}

// What is planned has no pods, whatever a Loki says of those before.
func TestLogsOfAPlannedColourAreNotLookedFor(t *testing.T) {
	facts := healthy()
	facts.color("green", func(c *Color) { c.Planned = true })
	facts.logs("green", func(l *measure.Logs) { l.Strays = []measure.Stray{{Pod: "shop-green-1"}} })
	for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-LOG-01") {
		if want := map[string]Outcome{"logs of green": Skip, "logs of blue": Pass}[finding.Subject]; finding.Outcome != want {
			t.Errorf("%s: %s, want %s", finding.Subject, finding.Outcome, want)
		}
	}
}

// There are many ways in which a dashboard may show both.
func TestDashboardsThatShowBoth(t *testing.T) {
	several := func(name string, values ...string) measure.DashboardVariable {
		return measure.DashboardVariable{Name: name, Values: values, Several: true}
	}
	for name, change := range map[string]func(*Facts){
		"by both values":             func(f *Facts) { f.query(`rate(x{version=~"blue|green"}[1m])`) },
		"a ratio of the two":         func(f *Facts) { f.query(`rate(x{version="green"}[1m]) / rate(x{version='blue'}[1m])`) },
		"without a third one":        func(f *Facts) { f.query(`rate(x{version!="canary"}[1m])`) },
		"everything, split":          func(f *Facts) { f.query(`sum by (app, version) (rate(x{version=~".+"}[1m]))`) },
		"split behind the operand":   func(f *Facts) { f.query(`sum(rate(x[1m])) by (version)`) },
		"by a variable":              func(f *Facts) { f.query(`rate(x{version=~"$v"}[1m])`, several("v")) },
		"by a variable with braces":  func(f *Facts) { f.query(`rate(x{version=~"${v:regex}"}[1m])`, several("v", "green", "blue")) },
		"by a variable in brackets":  func(f *Facts) { f.query(`rate(x{version=~"[[v]]"}[1m])`, several("v")) },
		"logs, by their own label":   func(f *Facts) { f.query(`{namespace="shop",app_version=~"v1|v2"} |= "error"`) },
		"by labels of the workloads": func(f *Facts) { f.query(`kube_pod_labels{label_version=~"blue|green"}`) },
		"by the workloads":           func(f *Facts) { f.query(`x{destination_workload="shop-blue"} / x{pod=~"shop-green-.*"}`) },
		"in SQL":                     func(f *Facts) { f.query(`SELECT n FROM requests WHERE version = 'blue' OR version = 'green'`) },
		"by two variables": func(f *Facts) {
			f.query(`x{version="$a"}`, measure.DashboardVariable{Name: "a"}, measure.DashboardVariable{Name: "b"})
			f.Dashboards.Value[0].Queries = append(f.Dashboards.Value[0].Queries, measure.PanelQuery{Query: `x{version="$b"}`})
		},
		"in two panels, beside one whose source is gone": func(f *Facts) {
			board := &f.Dashboards.Value[0]
			board.Queries = []measure.PanelQuery{{Query: `x{version="blue"}`}, {Query: `x{version="green"}`}, {Query: `x{version="green"}`, Source: "gone"}}
			board.Sources["gone"] = measure.SourceMissing
		},
		"beside one that doesn't": func(f *Facts) {
			f.Dashboards.Value = append([]measure.Dashboard{{UID: "b", Title: "shop, all"}}, f.Dashboards.Value...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthy()
			change(facts)
			if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-07")[0]; finding.Outcome != Pass {
				t.Errorf("%s: %s", finding.Outcome, finding.Cause)
			}
		})
	}
}

// shop is no name of shop-green: what names the longer one is that colour's.
func TestAWorkloadIsNotTakenForAnother(t *testing.T) {
	facts := healthy()
	blue := facts.Release.Spec.Colors["blue"]
	blue.Workloads = []release.Workload{{Kind: "deployment", Name: "shop"}}
	facts.Release.Spec.Colors["blue"] = blue
	facts.query(`x{deployment="shop-green"}`)
	if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-07")[0]; finding.Outcome != Fail || !strings.Contains(finding.Cause, "tells blue from") {
		t.Errorf("%s: %s, want a fail for blue", finding.Outcome, finding.Cause)
	}
}

// No line of the runbooks marks logs or dashboards as critical: what can't be
// known of them is told, and stops only who asked for everything.
func TestLogsAndDashboardsThatAreNotKnownAreWeighedByRequire(t *testing.T) {
	for require, want := range map[string][]string{release.RequireStarter: nil, release.RequireProduction: {"BG-LOG-01", "BG-LOG-02", "BG-MON-07"}} {
		facts := healthy()
		facts.Release.Spec.Require = require
		facts.Logs, facts.Dashboards = nil, Fact[[]measure.Dashboard]{Problem: "grafana: no answer in time"}
		if report := Evaluate(facts, Catalogue(), StageDeploy); !slices.Equal(report.Blocking, want) || report.Blocked() != (want != nil) {
			t.Errorf("%s: blocked by %v, want %v", require, report.Blocking, want)
		}
	}
}
