package detect

import (
	"regexp"
	"strings"
)

// host is a host name as an object claims it.
type host struct {
	// name is a name, "*.example.com", or "*" for every one; in lower case.
	name string
	// oneLabel: the star stands for one label and not for several.
	oneLabel bool
	// expression is a regular expression instead, and name its text.
	expression *regexp.Regexp
}

// named is a host by its name or with a star.
func named(name string) host { return host{name: strings.ToLower(strings.TrimSuffix(name, "."))} }

// allNamed are hosts by their names.
func allNamed(names []string) []host {
	var hosts []host
	for _, name := range names {
		hosts = append(hosts, named(name))
	}
	return hosts
}

// expressed is a host by a regular expression, which has to fit the whole name.
// One that Go can't read is taken to fit every name.
func expressed(text string) host {
	expression, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		expression = regexp.MustCompile("")
	}
	return host{name: text, expression: expression}
}

// String is the host for people.
func (h host) String() string {
	if h.expression != nil {
		return "hosts like " + h.name
	}
	return h.name
}

// suffix is what follows the star, "" for every host; star is whether there is
// one.
func (h host) suffix() (suffix string, star bool) {
	if h.name == "*" {
		return "", true
	}
	return strings.CutPrefix(h.name, "*")
}

// overlaps reports whether some name is of both. Where one is an expression and
// the other no single name, it may be, and that counts.
func (h host) overlaps(other host) bool {
	mine, star := h.suffix()
	theirs, otherStar := other.suffix()
	switch {
	case h.expression != nil && other.expression != nil:
		return true
	case h.expression != nil:
		return otherStar || h.expression.MatchString(other.name)
	case other.expression != nil:
		return other.overlaps(h)
	case !star && !otherStar:
		return h.name == other.name
	case !star:
		return other.overlaps(h)
	case !otherStar:
		return h.covers(mine, other.name)
	}
	if len(mine) > len(theirs) {
		return other.covers(theirs, "any"+mine)
	}
	return h.covers(mine, "any"+theirs)
}

// covers reports whether what a star stands for completes a suffix to a name.
func (h host) covers(suffix, name string) bool {
	rest, found := strings.CutSuffix(name, suffix)
	return found && (!h.oneLabel || h.name == "*" || !strings.Contains(rest, "."))
}

// exactness orders hosts: a name is more exact than a star, and a star than one
// with a shorter suffix. An expression is as exact as a star.
func (h host) exactness() int {
	if h.expression != nil {
		return 1
	}
	suffix, star := h.suffix()
	if !star {
		return 1 << 10 // a name has at most 253 characters
	}
	return len(suffix)
}

// common is the most exact pair of hosts that two claims have in common; a
// claim without hosts takes every one.
func common(one, other []host) (mine, theirs host, found bool) {
	every := []host{named("*")}
	if len(one) == 0 {
		one = every
	}
	if len(other) == 0 {
		other = every
	}
	best := -1
	for _, a := range one {
		for _, b := range other {
			if exactness := max(a.exactness(), b.exactness()); a.overlaps(b) && exactness > best {
				mine, theirs, found, best = a, b, true, exactness
			}
		}
	}
	return mine, theirs, found
}

// hostsOfService are the names that a Service has inside its cluster, under the
// domain that clusters have unless somebody changes it.
func hostsOfService(service target) []host {
	name := service.name + "." + service.namespace
	return []host{named(name + ".svc.cluster.local"), named(name + ".svc"), named(name)}
}

// cutLabel is the first label of a name and the rest.
func cutLabel(name string) (label, rest string) {
	label, rest, _ = strings.Cut(name, ".")
	return label, rest
}
