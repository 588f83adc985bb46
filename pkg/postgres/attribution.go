package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// Identity is what is known of one colour from the cluster.
type Identity struct {
	Color string
	// Names are the colour's own names: its workloads and its pods.
	Names []string
	// Addresses are the IP addresses of its pods.
	Addresses []string
}

// Evidence is why a session was given to a colour.
type Evidence string

// The evidence, the strongest first. An address is a fact of the network, but
// a pooler or a masquerading node hides it; a name is what the application
// says of itself; a role is shared by everything that logs in with it.
const (
	ByAddress     Evidence = "client_addr"
	ByApplication Evidence = "application_name"
	ByRole        Evidence = "role"
)

// Attribution is which session belongs to which colour.
type Attribution struct {
	// Sessions holds each colour's sessions.
	Sessions map[string][]Session
	// Unknown are client sessions that no evidence gives to a colour, the
	// observer's own not among them.
	Unknown []Session
	// Evidence counts, for each colour, its sessions by evidence.
	Evidence map[string]map[Evidence]int
}

// Attribute gives client sessions to colours. A session that the evidence
// gives to two colours is given to neither. It is pure.
func Attribute(snapshot Snapshot, identities []Identity) Attribution {
	result := Attribution{Sessions: map[string][]Session{}, Evidence: map[string]map[Evidence]int{}}
	for _, session := range snapshot.ClientSessions() {
		if session.Own {
			continue
		}
		color, evidence := colorOf(session, identities)
		if color == "" {
			result.Unknown = append(result.Unknown, session)
			continue
		}
		result.Sessions[color] = append(result.Sessions[color], session)
		if result.Evidence[color] == nil {
			result.Evidence[color] = map[Evidence]int{}
		}
		result.Evidence[color][evidence]++
	}
	return result
}

// Trust says for people by what a colour's sessions were told, such as
// "3 by application_name, 1 by client_addr".
func (a Attribution) Trust(color string) string {
	var parts []string
	for _, evidence := range []Evidence{ByAddress, ByApplication, ByRole} {
		if count := a.Evidence[color][evidence]; count > 0 {
			parts = append(parts, fmt.Sprintf("%d by %s", count, evidence))
		}
	}
	if len(parts) == 0 {
		return "no session was attributed"
	}
	return strings.Join(parts, ", ")
}

// Roles are the roles under which the sessions of a colour logged in, sorted.
func (a Attribution) Roles(color string) []string {
	return distinct(a.Sessions[color], func(s Session) string { return s.Role })
}

// Databases are the databases that the sessions of a colour use, sorted.
func (a Attribution) Databases(color string) []string {
	return distinct(a.Sessions[color], func(s Session) string { return s.Database })
}

func distinct(sessions []Session, of func(Session) string) []string {
	var values []string
	for _, session := range sessions {
		values = append(values, of(session))
	}
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(value string) bool { return value == "" })
}

func colorOf(session Session, identities []Identity) (string, Evidence) {
	for _, test := range []struct {
		evidence Evidence
		matches  func(Identity) bool
	}{
		{ByAddress, func(i Identity) bool { return slices.Contains(i.Addresses, session.Address) }},
		{ByApplication, func(i Identity) bool { return i.isNamedBy(session.Application) }},
		{ByRole, func(i Identity) bool { return i.isNamedBy(session.Role) }},
	} {
		var colors []string
		for _, identity := range identities {
			if test.matches(identity) {
				colors = append(colors, identity.Color)
			}
		}
		switch len(colors) {
		case 0:
			continue
		case 1:
			return colors[0], test.evidence
		default:
			return "", ""
		}
	}
	return "", ""
}

// isNamedBy reports whether a text is one of the colour's names or holds the
// colour's name as a word: shop-green, green.shop, shop_green_reader.
// PostgreSQL cuts application_name at 63 bytes, so a pod's name counts cut
// too.
func (i Identity) isNamedBy(text string) bool {
	if text == "" {
		return false
	}
	text = strings.ToLower(text)
	for _, name := range i.Names {
		name = strings.ToLower(name)
		if text == name || len(text) == 63 && strings.HasPrefix(name, text) {
			return true
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return slices.Contains(words, strings.ToLower(i.Color))
}
