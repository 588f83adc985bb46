package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// Identity is what is known of one colour from the cluster.
type Identity struct {
	Color string
	// Release is the name of the release, which all colours share.
	Release string
	// Names are the colour's own names: its workloads and its pods.
	Names []string
	// Addresses are the IP addresses of its pods.
	Addresses []string
	// Masked: its sessions may come from addresses that are not its pods', since a
	// pooler opens them or its pods are in their nodes' network.
	Masked bool
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
// gives to two colours is given to neither.
//
// Once a session is seen that comes from a pod of a colour, addresses arrive here
// unchanged, and one that is nobody's pod is somebody else's session, whatever it
// is called. Where none is, something between hides them (a pooler that nobody
// declared, a node that masquerades), and names are all that there is; so they are
// for a colour that is Masked, and for a session without an address. It is pure.
func Attribute(snapshot Snapshot, identities []Identity) Attribution {
	result := Attribution{Sessions: map[string][]Session{}, Evidence: map[string]map[Evidence]int{}}
	seen := seesPods(snapshot, identities)
	for _, session := range snapshot.ClientSessions() {
		if session.Own {
			continue
		}
		color, evidence := colorOf(session, identities, seen)
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

// seesPods reports whether a session comes from the address of a colour's pod. Jobs
// are told by their addresses alone, and may go past what hides those of others.
func seesPods(snapshot Snapshot, identities []Identity) bool {
	return slices.ContainsFunc(snapshot.ClientSessions(), func(session Session) bool {
		return slices.ContainsFunc(identities, func(i Identity) bool {
			return len(i.Names) > 0 && slices.Contains(i.Addresses, session.Address)
		})
	})
}

func colorOf(session Session, identities []Identity, seen bool) (string, Evidence) {
	named := func(text string) func(Identity) bool {
		return func(i Identity) bool {
			elsewhere := seen && session.Address != "" && !i.Masked
			return !elsewhere && (i.isCalled(text) || i.isNamedIn(text) && colorsIn(text, identities) == 1)
		}
	}
	for _, test := range []struct {
		evidence Evidence
		matches  func(Identity) bool
	}{
		{ByAddress, func(i Identity) bool { return slices.Contains(i.Addresses, session.Address) }},
		{ByApplication, named(session.Application)},
		{ByRole, named(session.Role)},
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

// isCalled reports whether a text is one of the colour's names. PostgreSQL cuts
// application_name at 63 bytes, so a pod's name counts cut too.
func (i Identity) isCalled(text string) bool {
	return text != "" && slices.ContainsFunc(i.Names, func(name string) bool {
		return strings.EqualFold(text, name) || len(text) == 63 && strings.HasPrefix(strings.ToLower(name), strings.ToLower(text))
	})
}

// isNamedIn reports whether a text begins with the name of the release or of a
// workload beside the colour's: shop-green, green.shop, Shop_Green/worker. The
// colour alone is anybody's: cart-green is the colour of another release.
func (i Identity) isNamedIn(text string) bool {
	color, text := spelled(i.Color), spelled(text)
	return slices.ContainsFunc(append(slices.Clone(i.Names), i.Release), func(name string) bool {
		name = spelled(name)
		return name != "" && (strings.HasPrefix(text, name+color) || strings.HasPrefix(text, color+name) ||
			name != color && strings.HasPrefix(text, name) && strings.Contains("-"+name, "-"+color))
	})
}

// colorsIn counts the colours whose names are words of a text.
func colorsIn(text string, identities []Identity) int {
	count := 0
	for _, identity := range identities {
		if strings.Contains("-"+spelled(text), "-"+spelled(identity.Color)) {
			count++
		}
	}
	return count
}

// spelled is the words of a text, each with a dash behind it, "" where it has none.
func spelled(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "-") + "-"
}
