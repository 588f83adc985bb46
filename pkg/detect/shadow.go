package detect

import (
	"fmt"
	"slices"
)

// shadows are the requests of the concerns that another object takes and leads
// elsewhere. For a host only claims of that host are looked at.
func (l *landscape) shadows(concerns []*concern, subject Subject) []Shadow {
	var shadows []Shadow
	rivals := l.rivals(concerns, subject)
	for _, one := range concerns {
		if !one.outer {
			continue
		}
		for _, part := range one.claims {
			mine := owned{one.routing, part}
			for _, other := range rivals {
				shadow, found := l.shadow(mine, other, subject)
				if found && !slices.ContainsFunc(shadows, shadow.same) {
					shadows = append(shadows, shadow)
				}
			}
		}
	}
	return shadows
}

// rivals are the claims that may take requests.
func (l *landscape) rivals(concerns []*concern, subject Subject) []owned {
	var rivals []owned
	if subject.Host != "" {
		for _, one := range concerns {
			for _, part := range one.claims {
				if one.outer {
					rivals = append(rivals, owned{one.routing, part})
				}
			}
		}
		return rivals
	}
	for _, one := range l.objects {
		for _, part := range one.reading.claims {
			if !one.reading.inner {
				rivals = append(rivals, owned{one, part})
			}
		}
	}
	return rivals
}

// shadow is what a rival takes of a claim, and whether it takes anything. Where
// nothing says who wins, that is told once, of the first of the two.
func (l *landscape) shadow(mine, rival owned, subject Subject) (Shadow, bool) {
	if mine.routing == rival.routing {
		return Shadow{}, false
	}
	ours, theirs, shared := meeting(mine.claim, rival.claim, subject)
	taken, overlap := mine.claim.match.both(rival.claim.match)
	elsewhere := l.elsewhere(mine.claim, rival.claim)
	if !shared || !overlap || len(elsewhere) == 0 {
		return Shadow{}, false
	}
	decided := wins(rival, mine, theirs, ours)
	if decided > 0 || decided == 0 && subject.Host != "" && older(mine, rival) > 0 {
		return Shadow{}, false
	}
	shadow := Shadow{
		Object: mine.self().String(), Namespace: mine.object.GetNamespace(), Place: mine.claim.place,
		By: rival.self().String(), ByNamespace: rival.object.GetNamespace(), ByPlace: rival.claim.place,
		Hosts: narrower(ours, theirs, subject), Taken: taken.String(), To: elsewhere,
		Certain: decided < 0 && mine.kind.name == rival.kind.name,
	}
	switch {
	case mine.kind.name != rival.kind.name && decided == 0:
		shadow.Why = fmt.Sprintf("where one proxy serves %s and %s, nothing says which of the two wins", mine.kind.name, rival.kind.name)
	case mine.kind.name != rival.kind.name:
		shadow.Why = fmt.Sprintf("where one proxy serves %s and %s, the more exact of the two wins", mine.kind.name, rival.kind.name)
	default:
		shadow.Why = mine.kind.order.promised
	}
	return shadow, true
}

// meeting are the hosts by which two claims take the same requests: those that
// fit the host that is asked about, or the most exact pair.
func meeting(mine, rival claim, subject Subject) (ours, theirs host, shared bool) {
	if subject.Host == "" {
		return common(mine.hosts, rival.hosts)
	}
	asked := []host{named(subject.Host)}
	ours, _, both := common(mine.hosts, asked)
	theirs, _, also := common(rival.hosts, asked)
	return ours, theirs, both && also
}

// narrower is the host that two claims have in common, for people.
func narrower(ours, theirs host, subject Subject) string {
	switch {
	case subject.Host != "":
		return subject.Host
	case ours.exactness() > theirs.exactness():
		return ours.String()
	}
	return theirs.String()
}

// same reports whether two shadows tell the same.
func (s Shadow) same(other Shadow) bool {
	return s.Object == other.Object && s.Namespace == other.Namespace && s.ByNamespace == other.ByNamespace && s.Place == other.Place && s.By == other.By && s.ByPlace == other.ByPlace && s.Hosts == other.Hosts && s.Taken == other.Taken
}

// elsewhere are the ends of a rival that are no ends of a claim.
func (l *landscape) elsewhere(mine, rival claim) []string {
	ends := l.ends(mine.leads)
	var elsewhere []string
	for _, end := range l.ends(rival.leads) {
		if !slices.Contains(ends, end) {
			elsewhere = append(elsewhere, end.String())
		}
	}
	return elsewhere
}
