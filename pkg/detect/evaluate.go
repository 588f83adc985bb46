package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// evaluation is one Evaluate under way.
type evaluation struct {
	facts     Facts
	landscape *landscape
	concerns  []*concern
}

// Evaluate says what routes to the subject of facts and what would serve it. It
// is pure.
func Evaluate(facts Facts) *Report {
	land := survey(facts.Objects)
	e := &evaluation{facts: facts, landscape: land, concerns: land.relevant(facts.Subject)}
	e.sort()
	subject := facts.Subject
	report := &Report{
		TypeMeta:   metav1.TypeMeta{APIVersion: release.APIVersion, Kind: KindReport},
		ObjectMeta: metav1.ObjectMeta{Name: cmp.Or(subject.Service, strings.Replace(subject.Host, "*", "any", 1)), Namespace: subject.Namespace},
		Subject:    subject.String(), Findings: []Finding{}, Precedence: map[string]string{},
		Unlisted: slices.Concat(facts.Unlisted, land.unread), Absent: facts.Absent,
	}
	if facts.Release != nil {
		report.Release, report.Origin, report.Discovered = facts.Release.Metadata.Name, facts.Origin, facts.Discovered
	}
	for _, one := range e.concerns {
		report.Findings = append(report.Findings, e.finding(one))
		if subject.Host != "" && one.outer {
			report.Precedence[one.kind.name] = one.kind.order.promised
		}
	}
	beside(report.Findings, e.concerns)
	for _, service := range e.subjectServices() {
		report.Findings = append(report.Findings, e.serviceFinding(&service, report.Findings))
	}
	report.Shadows = land.shadows(e.concerns, subject)
	report.conclude()
	return report
}

// releaseIn is the Release that is about a namespace, nil for none.
func (e *evaluation) releaseIn(namespace string) *release.Release {
	if rel := e.facts.Release; rel != nil && cmp.Or(rel.Metadata.Namespace, namespace) == namespace {
		return rel
	}
	return nil
}

// sort puts the concerns of a kind in the order in which they win for a host.
func (e *evaluation) sort() {
	if e.facts.Subject.Host == "" {
		return
	}
	asked := []host{named(e.facts.Subject.Host)}
	first := func(one *concern) (owned, host) {
		best, fits := claim{}, host{}
		for i, part := range one.claims {
			mine, _, _ := common(part.hosts, asked)
			if i == 0 || wins(owned{one.routing, part}, owned{one.routing, best}, mine, fits) < 0 {
				best, fits = part, mine
			}
		}
		return owned{one.routing, best}, fits
	}
	slices.SortStableFunc(e.concerns, func(a, b *concern) int {
		if a.kind.name != b.kind.name || !a.outer || !b.outer {
			return 0
		}
		one, mine := first(a)
		other, theirs := first(b)
		return wins(one, other, mine, theirs)
	})
}

// subjectServices are the Services that are findings themselves: the one that
// is asked about, or those that a host's requests end at.
func (e *evaluation) subjectServices() []corev1.Service {
	ends := []target{serviceIn(e.facts.Subject.Namespace, e.facts.Subject.Service)}
	if e.facts.Subject.Host != "" {
		ends = e.landscape.services(e.concerns)
	}
	var services []corev1.Service
	for _, end := range ends {
		for _, service := range e.facts.Services {
			if serviceIn(service.Namespace, service.Name) == end {
				services = append(services, service)
			}
		}
	}
	return services
}

// finding is what a concern is for a release.
func (e *evaluation) finding(one *concern) Finding {
	finding := Finding{Object: one.self().String(), Namespace: one.object.GetNamespace(), Notes: slices.Clone(one.reading.notes)}
	for _, other := range e.concerns {
		if other.routing != one.routing && e.landscape.passes(other, one.self()) {
			finding.By = append(finding.By, other.self().String())
		}
	}
	for _, part := range one.claims {
		finding.Ways = append(finding.Ways, wayOf(part, finding.Namespace))
	}
	for _, missing := range e.landscape.services([]*concern{one}) {
		if slices.Contains(e.facts.Missing, missing.namespace+"/"+missing.name) {
			finding.Notes = append(finding.Notes, fmt.Sprintf("%s, to which it leads, does not exist in namespace %s", missing, missing.namespace))
		}
	}
	if preview := traffic.PreviewOf(one.object); preview != nil {
		finding.Notes = append(finding.Notes, fmt.Sprintf("a run of kubectl bluegreen leads %s, by rules that go with its next step, or with its way back", *preview))
	}
	e.serve(one, &finding)
	return finding
}

// wayOf is a claim for people, of an object in a namespace.
func wayOf(part claim, own string) Way {
	way := Way{Place: part.place, Match: part.match.String(), Backends: []Backend{}}
	for _, one := range part.hosts {
		way.Hosts = append(way.Hosts, one.String())
	}
	for _, one := range part.leads {
		backend := Backend{To: one.to.String(), Subset: one.subset, Weight: one.weight}
		if one.to.namespace != own {
			backend.Namespace = one.to.namespace
		}
		way.Backends = append(way.Backends, backend)
	}
	return way
}

// beside notes at every route that leads to the same pair as another one that
// a release moves those that it names.
func beside(findings []Finding, concerns []*concern) {
	for i, one := range concerns {
		if findings[i].Driver == nil {
			continue
		}
		var same []string
		for at, other := range concerns {
			if at == i || findings[at].Driver == nil || one.object.GetNamespace() != other.object.GetNamespace() {
				continue
			}
			pairs := shared(other.reading.lists).pairs
			if slices.ContainsFunc(shared(one.reading.lists).pairs, func(pair []string) bool {
				return slices.ContainsFunc(pairs, func(known []string) bool { return sameSet(known, pair) })
			}) {
				same = append(same, other.self().String())
			}
		}
		if len(same) > 0 {
			findings[i].Notes = append(findings[i].Notes, fmt.Sprintf("%s shares requests between the same two: the requests of the one that a release does not name stay; it moves both where one stands under spec.traffic.also", strings.Join(same, ", ")))
		}
	}
}
