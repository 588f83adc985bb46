package detect

import "slices"

// concern is an object that a subject is about, and which of its claims are.
type concern struct {
	*routing
	claims []claim
	// outer: it takes requests by itself, and is not only led to.
	outer bool
}

// relevant are the objects that a subject is about: those that lead to a
// Service or take its requests, or those that claim a host; what they lead
// through; and what moves any of them.
func (l *landscape) relevant(subject Subject) []*concern {
	var concerns []*concern
	for _, one := range l.objects {
		claims := l.relevantClaims(one, subject)
		if len(claims) > 0 {
			concerns = append(concerns, &concern{routing: one, claims: claims, outer: !one.reading.inner})
		}
	}
	if subject.Host != "" {
		concerns = l.withInner(concerns)
	}
	return l.withControllers(concerns, subject)
}

func (l *landscape) relevantClaims(one *routing, subject Subject) []claim {
	if subject.Host != "" && one.reading.inner {
		return nil // found by what leads to it
	}
	service := serviceIn(subject.Namespace, subject.Service)
	instead := subject.Host == "" && slices.Contains(one.reading.instead, service)
	var claims []claim
	for _, part := range one.reading.claims {
		_, _, shared := common(part.hosts, []host{named(subject.Host)})
		if subject.Host != "" && shared || subject.Host == "" && (instead || slices.Contains(l.ends(part.leads), service)) {
			claims = append(claims, part)
		}
	}
	return claims
}

// withInner adds the objects that requests are led through.
func (l *landscape) withInner(concerns []*concern) []*concern {
	for _, one := range l.objects {
		if !one.reading.inner || one.reading.controller != "" {
			continue
		}
		if slices.ContainsFunc(concerns, func(by *concern) bool { return l.passes(by, one.self()) }) {
			concerns = append(concerns, &concern{routing: one, claims: one.reading.claims})
		}
	}
	return concerns
}

// passes reports whether a claim of a concern leads through an object.
func (l *landscape) passes(by *concern, through target) bool {
	return slices.ContainsFunc(by.claims, func(part claim) bool { return l.leadsThrough(part.leads, through) })
}

// withControllers adds what moves any of the objects or the Services that they
// lead to.
func (l *landscape) withControllers(concerns []*concern, subject Subject) []*concern {
	moved := []target{serviceIn(subject.Namespace, subject.Service)}
	for _, one := range concerns {
		moved = append(moved, one.self())
		if subject.Host != "" {
			for _, part := range one.claims {
				moved = append(moved, l.ends(part.leads)...)
			}
		}
	}
	for _, one := range l.objects {
		if slices.ContainsFunc(one.reading.moves, func(of target) bool { return slices.Contains(moved, of) }) {
			concerns = append(concerns, &concern{routing: one})
		}
	}
	return concerns
}

// services are the Services that the concerns lead to, each once.
func (l *landscape) services(concerns []*concern) []target {
	var services []target
	for _, one := range concerns {
		for _, part := range one.claims {
			for _, end := range l.ends(part.leads) {
				if end.kind == kindService && !slices.Contains(services, end) {
					services = append(services, end)
				}
			}
		}
	}
	return services
}
