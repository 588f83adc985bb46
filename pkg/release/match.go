package release

import (
	"fmt"
	"slices"
	"strings"
)

// The words of a step's requests.
const (
	RequestsOptional = "optional"
	RequestsRequired = "required"
)

// String is a match for people: header X-Version: next, or cookie version=next.
func (m Match) String() string {
	switch {
	case m.Header != nil:
		return fmt.Sprintf("header %s: %s", m.Header.Name, m.Header.Value)
	case m.Cookie != nil:
		return fmt.Sprintf("cookie %s=%s", m.Cookie.Name, m.Cookie.Value)
	}
	return "nothing"
}

// Equal reports whether both want the same. The case of a header's name means
// nothing (RFC 9110, section 5.1).
func (m Match) Equal(other Match) bool {
	same := func(one, other *NamedValue, name func(a, b string) bool) bool {
		if one == nil || other == nil {
			return one == other
		}
		return name(one.Name, other.Name) && one.Value == other.Value
	}
	return same(m.Header, other.Header, strings.EqualFold) && same(m.Cookie, other.Cookie, func(a, b string) bool { return a == b })
}

// Previews says by what a kind of route can lead requests to one colour.
type Previews struct {
	Header, Cookie bool
}

// Can reports whether it can do so by a match.
func (p Previews) Can(match Match) bool {
	return (match.Header == nil || p.Header) && (match.Cookie == nil || p.Cookie)
}

// previews are the kinds of route that can, by their fields. Those of the Gateway
// API have no match for a cookie but a regular expression on the whole header,
// which no implementation has to know.
func previews() map[string]Previews {
	return map[string]Previews{
		"httpRoute":      {Header: true},
		"grpcRoute":      {Header: true},
		"virtualService": {Header: true, Cookie: true},
	}
}

// Previews says by what the route can lead requests to one colour.
func (r DeclaredRoute) Previews() Previews { return previews()[r.Field] }

// unpreviewed is why the route can't lead requests to one colour by a match, as
// the rest of a sentence, "" where that is no more than that nobody has written it.
func (r DeclaredRoute) unpreviewed() string {
	switch r.Field {
	case "httpRoute", "grpcRoute":
		return ", for the Gateway API matches none"
	case "service", "tcpRoute", "tlsRoute":
		return ", for it shares connections and sees no request"
	case "traefikService":
		return ", for it has no rules, only those have that lead to it"
	case "ingressRoute":
		return ", for Traefik has the longest rule win: a longer copy of one would take the requests of others"
	case "custom":
		return ", for of its kind only the places of the weights are known"
	case "workers":
		return ", for its jobs are no requests"
	}
	return ""
}

// previewing are the fields of the kinds of route that can lead requests by a
// match, sorted.
func previewing(match Match) []string {
	var fields []string
	for field, previews := range previews() {
		if previews.Can(match) {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}
