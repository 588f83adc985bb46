package traffic

import "strings"

// Subset is a part of a Service's pods that a DestinationRule of Istio names. Where a
// route tells the colours apart by those, a backend is called after one.
type Subset struct{ Name, Service string }

const subsetPrefix, subsetOf = "subset ", " of "

// String is what a backend is called, such as "subset v1 of shop". No Service is called
// so.
func (s Subset) String() string { return subsetPrefix + s.Name + subsetOf + s.Service }

// ParseSubset is the Subset that a backend is called after, and whether it is one.
func ParseSubset(backend string) (Subset, bool) {
	rest, prefixed := strings.CutPrefix(backend, subsetPrefix)
	name, service, parted := strings.Cut(rest, subsetOf)
	return Subset{Name: name, Service: service}, prefixed && parted
}
