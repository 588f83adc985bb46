package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/planted"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// sight bounds the time until a fault that is there is seen, or one that is gone is
// seen no longer.
const sight = time.Minute

// Every check passes on a healthy shop, before green is there and with both
// colours; and of every fault of the table, planted one after another, the check
// that it is for says what it should, and all others what they said before.
func TestPlantedFaultsAreCaught(t *testing.T) {
	s := open(t, shop.Options{Release: func(document *release.Release) {
		document.Spec.Metrics.Prometheus = &release.Prometheus{Service: "monitoring/prometheus-faulty:9090"}
		document.Spec.Metrics.Alertmanager = "monitoring/alertmanager:9093"
	}})
	p := &plantation{scenario: s, site: &planted.Site{Shop: s.shop, Lab: lab.Current(t)}}
	prometheus(t, "pass")
	p.quietly(s.url())

	coming := undeclared()
	coming["BG-COL-01"] = "none of green's pods is wanted yet"
	coming["BG-COL-20"] = "nor is one started"
	coming["BG-MON-01"] = "none of green's pods is wanted yet"
	coming["BG-MON-03"] = "green has no histogram yet"
	p.healthy("green is to come", coming)
	p.each(planted.Coming())
	p.healthy("green is to come", coming) // with no policy left that would refuse it

	p.deployGreen()
	p.healthy("both colours run", undeclared())
	p.each(planted.Running())
	p.healthy("both colours run", undeclared())
}

// undeclared are the checks of what this shop does not have, and why; their faults
// are planted elsewhere.
func undeclared() map[string]string {
	return map[string]string{
		"BG-DB-08":  "no migrations are declared",
		"BG-DB-10":  "no number of connections is declared",
		"BG-LOG-01": "no Loki is declared",
		"BG-LOG-02": "no Loki is declared",
		"BG-MON-07": "no Grafana is declared",
		"BG-NET-05": "nobody has signed anything off",
		"BG-TST-01": "nobody has signed anything off",
		"BG-TST-02": "nobody has signed anything off",
	}
}

// plantation is a shop in which faults are planted.
type plantation struct {
	*scenario
	site *planted.Site
	// allowed are what checks say other than that all is well, of the healthy shop.
	allowed troubles
}

// quietly sends as many requests as the rules need, and no more.
func (p *plantation) quietly(url string) {
	p.t.Helper()
	run := startClients(p.t, clients.Options{URL: url, Header: p.shop.Header(), Rate: 20, KeepAlive: 1, Fresh: 1, Timeout: 20 * time.Second})
	p.awaitRequests(run, 100)
}

// deployGreen runs green, and gives it requests of its own.
func (p *plantation) deployGreen() {
	p.t.Helper()
	if err := p.shop.Deploy(p.t.Context(), shop.Green); err != nil {
		p.t.Fatal(err)
	}
	p.await("green is ready", func(ctx context.Context) error { return p.shop.AwaitReady(ctx, shop.Green) })
	url, err := p.shop.ServiceURL(p.t.Context(), "svc-"+shop.Green, path)
	if err != nil {
		p.t.Fatal(err)
	}
	p.quietly(url)
}

// healthy waits until every check passes, but those that may say something else
// for the reason given.
func (p *plantation) healthy(when string, excused map[string]string) {
	p.t.Helper()
	report, err := p.settles(sight, func(report *preflight.Report) string {
		return cmp.Diff(slices.Sorted(maps.Keys(excused)), troublesOf(report).ids())
	})
	if err != nil {
		p.t.Fatalf("%s: %v", when, err)
	}
	p.allowed = troublesOf(report)
	judged := map[string]bool{}
	for _, finding := range report.Findings {
		judged[finding.ID] = true
		if finding.Outcome == preflight.Fail || finding.Blocks {
			p.t.Errorf("%s: a healthy shop is blocked: %+v", when, finding)
		}
	}
	for _, check := range preflight.Catalogue() {
		if slices.Contains(check.Stages, preflight.StageDeploy) && !judged[check.ID] {
			p.t.Errorf("%s: %s says nothing", when, check.ID)
		}
	}
}

// each plants faults one after another.
func (p *plantation) each(faults []planted.Fault) {
	p.t.Helper()
	for _, fault := range faults {
		began := time.Now()
		p.caught(fault)
		p.t.Logf("%s, %s: %s", fault.ID, fault.Name, time.Since(began).Round(100*time.Millisecond))
	}
}

// caught plants one fault, and takes it away however it was seen.
func (p *plantation) caught(fault planted.Fault) {
	p.t.Helper()
	undo, err := fault.Plant(p.t.Context(), p.site)
	if undo != nil {
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), hang)
			defer cancel()
			if err := undo(ctx); err != nil {
				p.t.Fatalf("%s: take away %s: %v", fault.ID, fault.Name, err)
			}
		}()
	}
	if err != nil {
		p.t.Fatalf("%s: plant %s: %v", fault.ID, fault.Name, err)
	}
	want := slices.Sorted(slices.Values(append(slices.Clone(fault.Also), fault.ID)))
	_, err = p.settles(sight+fault.Ripens, func(report *preflight.Report) string {
		seen := troublesOf(report).without(p.allowed)
		if difference := cmp.Diff(want, seen.ids()); difference != "" {
			return difference + fmt.Sprint(seen)
		}
		if !slices.ContainsFunc(report.Findings, func(finding preflight.Finding) bool {
			return finding.ID == fault.ID && finding.Outcome == fault.Outcome && strings.Contains(finding.Cause, fault.Says)
		}) {
			return fmt.Sprintf("%s should say %s with %q: %v", fault.ID, fault.Outcome, fault.Says, seen)
		}
		if fault.Outcome == preflight.Fail && !slices.Contains(report.Blocking, fault.ID) {
			return fmt.Sprintf("%s does not block: %v", fault.ID, report.Blocking)
		}
		return ""
	})
	if err != nil {
		p.t.Errorf("%s, %s: %v", fault.ID, fault.Name, err)
	}
}

// settles runs check until its report differs in nothing from what it should be.
func (p *plantation) settles(within time.Duration, differs func(*preflight.Report) string) (*preflight.Report, error) {
	report, difference := &preflight.Report{}, ""
	err := wait.PollUntilContextTimeout(p.t.Context(), interval, within, true, func(ctx context.Context) (bool, error) {
		result, err := p.shop.Run(ctx, append([]string{"check", "-o", "json"}, p.site.Flags...)...)
		if err != nil {
			return false, err
		}
		report = &preflight.Report{}
		if err := json.Unmarshal([]byte(result.Stdout), report); err != nil {
			return false, fmt.Errorf("read report: %w in %q %s", err, result.Stdout, result.Stderr)
		}
		difference = differs(report)
		return difference == "", nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w; its report differs (-want +got):\n%s", err, difference)
	}
	return report, nil
}

// interval is the time between two looks.
const interval = 500 * time.Millisecond

// troubles are findings other than a pass: the cause, by the check, the subject and
// the outcome.
type troubles map[trouble]string

type trouble struct {
	id, subject string
	outcome     preflight.Outcome
}

func troublesOf(report *preflight.Report) troubles {
	found := troubles{}
	for _, finding := range report.Findings {
		if finding.Outcome != preflight.Pass {
			found[trouble{finding.ID, finding.Subject, finding.Outcome}] = finding.Cause
		}
	}
	return found
}

// without are those that do not stand among others.
func (t troubles) without(others troubles) troubles {
	rest := maps.Clone(t)
	maps.DeleteFunc(rest, func(one trouble, _ string) bool { _, known := others[one]; return known })
	return rest
}

// ids are the checks that have any, sorted.
func (t troubles) ids() []string {
	ids := map[string]bool{}
	for one := range t {
		ids[one.id] = true
	}
	return slices.Sorted(maps.Keys(ids))
}
