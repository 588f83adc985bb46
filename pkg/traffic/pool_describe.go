package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// An admission policy reads the split of a route in CEL, as colorServices.split
// does in Go. What the kinds differ in is, here too, where their lists stand; the
// rest is the same for all. Functions are those of CEL itself, and of the
// libraries that every API server with admission policies has.

// listed says in CEL where lists of backends stand in an object.
type listed struct {
	// holders is a list of what holds a list of backends each, one of which is r.
	holders string
	// backends is the list of r, one of which is b.
	backends string
	// chosen: a request gets to r only by asking for it; "" for never.
	chosen string
	// ours: b leads to what a colour is called in the route.
	ours func(called string) string
	// weight of b.
	weight string
}

// pairs is an expression for one entry per list: what it gives the one colour,
// what it gives the other, each as often as that stands there, and 1 where
// requests choose it.
func (l listed) pairs(one, other string) string {
	weights := func(called string) string {
		return fmt.Sprintf("%s.filter(b, %s).map(b, %s)", l.backends, l.ours(called), l.weight)
	}
	chosen := "false"
	if l.chosen != "" {
		chosen = l.chosen
	}
	return fmt.Sprintf("%s.map(r, [%s, %s, %s ? [1] : [0]])", l.holders, weights(one), weights(other), chosen)
}

// splitOfLists is an expression for the split that lists of backends have: a
// string as Split.String writes it, "" where it is not clear.
func splitOfLists(colors colorServices, lists ...listed) string {
	one, other := pairOf(colors)
	var pairs []string
	for _, list := range lists {
		pairs = append(pairs, list.pairs(colors[one], colors[other]))
	}
	return splitOfPairs(one, other, strings.Join(pairs, "\n+ "))
}

// pairOf are the two colours, in the order in which a Split is written.
func pairOf(colors colorServices) (one, other string) {
	names := slices.Sorted(maps.Keys(colors))
	return names[0], names[1]
}

// splitOfPairs is an expression for the split of what listed.pairs lists.
func splitOfPairs(one, other, pairs string) string {
	// A list of one colour alone is clear only where requests choose it, and one
	// in which a colour stands twice never.
	clear := fmt.Sprintf("l.all(p, p[0].size() < 2 && p[1].size() < 2 && (p[0].size() == p[1].size() || p[2][0] == 1) && (p[0] + p[1]).all(w, w >= 0 && w <= %d))", heaviest)
	const both = "l.filter(p, p[0].size() == 1 && p[1].size() == 1)"
	// The share of the first colour as percent says it, -1 where nobody has any.
	const share = "map(p, p[0][0] + p[1][0] == 0 ? -1 : p[0][0] == 0 ? 0 : p[1][0] == 0 ? 100" +
		" : [(200 * p[0][0] + p[0][0] + p[1][0]) / (2 * (p[0][0] + p[1][0]))].map(s, s < 1 ? 1 : s > 99 ? 99 : s)[0])"
	said := fmt.Sprintf("s.size() == 0 || s[0] < 0 || s.exists(x, x != s[0]) ? \"\" : s[0] == 0 ? %s : s[0] == 100 ? %s : %s + string(s[0]) + %s + string(100 - s[0])",
		strconv.Quote(Whole(other).String()), strconv.Quote(Whole(one).String()), strconv.Quote(one+"="), strconv.Quote(","+other+"="))
	return fmt.Sprintf("[%s].map(l, %s ? [%s.%s].map(s, %s)[0] : \"\")[0]", pairs, clear, both, share, said)
}

// held is an expression for a list at a path of an object in a variable, empty
// where something on the way is not there.
func held(variable string, path ...string) string {
	var there []string
	at := variable
	for _, field := range path {
		at += "." + field
		there = append(there, "has("+at+")")
	}
	return fmt.Sprintf("(%s ? %s : [])", strings.Join(there, " && "), at)
}

// among is a condition that a field of a variable is not there, or one of some
// texts.
func among(field string, texts ...string) string {
	var quoted []string
	for _, text := range texts {
		quoted = append(quoted, strconv.Quote(text))
	}
	return fmt.Sprintf("(!has(%[1]s) || %[1]s in [%s])", field, strings.Join(quoted, ", "))
}

// ownNamespace is a condition that a field of a backend names no other namespace
// than that of the object in a variable.
func ownNamespace(field, variable string) string {
	return fmt.Sprintf(`(!has(%[1]s) || %[1]s == "" || %[1]s == %[2]s.metadata.namespace)`, field, variable)
}

// weightOr is an expression for the weight of b, by the default where it is not
// there. It has a type: an API server wants all entries of a list to be of one.
func weightOr(otherwise string) string {
	return fmt.Sprintf("int(has(b.weight) ? b.weight : %s)", otherwise)
}
