package traffic

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// A route with weights holds lists of backends, and gives each backend of a
// list the share of requests that its weight has of the list's sum. What the
// kinds of route differ in is where those lists stand; how a Split is read out
// of them and put into them is the same for all, and is here. All of it is
// pure.

// backend is one entry of such a list.
type backend struct {
	// service is the Service of the route's namespace that it leads to, or
	// whatever else the route tells the colours apart by; "" where that is
	// nothing of ours.
	service string
	weight  int64
	// pointer is the JSON pointer to the weight, "" where it has no place of
	// its own. stands is whether something is there, and not the default.
	pointer string
	stands  bool
	// identity is a test that the entry is still the one that was read; its
	// Op is "" where there is none.
	identity cluster.Operation
}

// pool is one list: requests that match the same part of a route.
type pool struct {
	// name says for people which one: rule 1, route "reviews".
	name     string
	backends []backend
	// chosen: a request gets here only by asking for it, with a header, a
	// cookie or a parameter, as one does to see a colour before anybody else.
	chosen bool
	// tied: a Service has one weight in all lists, so what multiplies some
	// multiplies all.
	tied bool
}

// colorServices are the Services of the colours, by colour, or whatever else a
// route with weights tells the colours apart by.
type colorServices map[string]string

// colorOf is the colour that a backend leads to, "" for none.
func (c colorServices) colorOf(one backend) string {
	for color, service := range c {
		if service != "" && service == one.service {
			return color
		}
	}
	return ""
}

// entries are the positions of the colours' backends in a list. Two entries of
// one colour are an error: which of them is meant, nobody could tell.
func (c colorServices) entries(of pool) (map[string]int, error) {
	found := map[string]int{}
	for i, one := range of.backends {
		color := c.colorOf(one)
		if color == "" {
			continue
		}
		if _, twice := found[color]; twice {
			return nil, fmt.Errorf("%s stands twice in %s: %w", called(one.service), of.name, ErrNoColor)
		}
		found[color] = i
	}
	return found, nil
}

// missingError is a list that one colour is missing from: whatever is written,
// its requests would stay where they are.
type missingError struct {
	pool           pool
	color, service string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("%s has no backend for %s (%s), so its requests would never move", e.pool.name, e.color, called(e.service))
}
func (e *missingError) Unwrap() error { return ErrNoColor }

// shared are the lists that both colours stand in, and that a switch writes.
// Lists without any colour are somebody else's. One that holds a single
// colour is left alone where requests choose it, and an error otherwise.
func (c colorServices) shared(pools []pool) ([]pool, error) {
	var shared []pool
	for _, one := range pools {
		entries, err := c.entries(one)
		if err != nil {
			return nil, err
		}
		switch {
		case len(entries) == len(c):
			shared = append(shared, one)
		case len(entries) > 0 && !one.chosen:
			return nil, c.missing(one, entries)
		}
	}
	if len(shared) == 0 {
		return nil, fmt.Errorf("no part of it leads to %s: %w", strings.Join(c.names(), " and to "), ErrNoColor)
	}
	return shared, nil
}

func (c colorServices) missing(one pool, entries map[string]int) error {
	for _, color := range slices.Sorted(maps.Keys(c)) {
		if _, has := entries[color]; !has {
			return &missingError{pool: one, color: color, service: c[color]}
		}
	}
	return errors.New("no colour is missing")
}

// colors are the colours, sorted.
func (c colorServices) colors() []string { return slices.Sorted(maps.Keys(c)) }

// names are the Services, in the order of the colours.
func (c colorServices) names() []string {
	var names []string
	for _, color := range slices.Sorted(maps.Keys(c)) {
		names = append(names, called(c[color]))
	}
	return names
}

// called is what a backend is called for people; a subset says what it is.
func called(backend string) string {
	if _, is := ParseSubset(backend); is {
		return backend
	}
	return "service " + backend
}

// split reads the Split that a route has: the shares that the colours have of
// what they have together, whatever other backends get. Lists that disagree
// are an error.
func (c colorServices) split(pools []pool) (Split, error) {
	shared, err := c.shared(pools)
	if err != nil {
		return nil, err
	}
	var first Split
	for i, one := range shared {
		split, err := c.splitOf(one)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = split
		}
		if !split.Equal(first) {
			return nil, fmt.Errorf("%s is %s and %s is %s: %w", shared[0].name, first, one.name, split, ErrNoColor)
		}
	}
	return first, nil
}

// heaviest is the largest weight that is read as one. A manual of a proxy has none
// beyond a million (Gateway API, BackendRef), and with those beyond this one a share
// could not be computed, here or by an admission policy, whose error would keep
// everybody from every write of the route.
const heaviest = 1_000_000_000_000_000

// splitOf is the Split of one list, in whole percent. What has a weight is
// never read as nothing, and what shares never as everything.
func (c colorServices) splitOf(one pool) (Split, error) {
	entries, err := c.entries(one)
	if err != nil {
		return nil, err
	}
	colors := slices.Sorted(maps.Keys(entries))
	sum := int64(0)
	for _, color := range colors {
		weight := one.backends[entries[color]].weight
		if weight < 0 || weight > heaviest {
			return nil, fmt.Errorf("%s gives %s the weight %d: %w", one.name, color, weight, ErrNoColor)
		}
		sum += weight
	}
	if sum == 0 {
		return nil, fmt.Errorf("%s gives nothing to %s: %w", one.name, strings.Join(colors, " and "), ErrNoColor)
	}
	return Between(colors[0], colors[1], percent(one.backends[entries[colors[0]]].weight, sum)), nil
}

// percent is a share in whole percent, rounded, and 0 or 100 only where it is
// that exactly.
func percent(part, sum int64) int {
	switch part {
	case 0:
		return 0
	case sum:
		return 100
	}
	return int(min(99, max(1, (200*part+sum)/(2*sum))))
}

// weigh gives every list the weights of a Split. What the colours have
// together stays what it is beside the other backends, whose share of requests
// nobody touches. Where that sum can't be divided as the Split wants (half of
// 1), every weight of the list is multiplied, which changes no share; scale is
// by how much that was done before, and the one that is returned by how much
// it is done now. So what was multiplied for a step is as it was once the
// route gives everything to one colour again.
func (c colorServices) weigh(pools []pool, to Split, scale int64) (weighed []pool, factor int64, err error) {
	shared, err := c.shared(pools)
	if err != nil {
		return nil, 0, err
	}
	sums := make([]int64, len(shared))
	whole := scale > 0
	for i, one := range shared {
		sums[i] = max(1, c.sum(one)) // nothing to either is what a person may have to mend
		whole = whole && sums[i]%scale == 0 && c.othersDivisible(one, scale)
	}
	others := c.tied(pools)
	whole = whole && !slices.ContainsFunc(others, func(one pool) bool { return !c.othersDivisible(one, scale) })
	if !whole {
		scale = 1 // somebody has written since: what stands there now is what they want
	}
	factor = 1
	for _, sum := range sums {
		for _, weight := range to {
			need := 100 / gcd(sum/scale*int64(weight), 100)
			factor = factor / gcd(factor, need) * need
		}
	}
	for i, one := range shared {
		weighed = append(weighed, c.with(one, to, sums[i]/scale*factor, scale, factor))
	}
	for _, one := range others {
		weighed = append(weighed, c.with(one, to, 0, scale, factor))
	}
	return weighed, factor, nil
}

// tied are the lists of nobody's colour that are multiplied with those that are.
func (c colorServices) tied(pools []pool) []pool {
	var others []pool
	for _, one := range pools {
		if one.tied && !slices.ContainsFunc(one.backends, func(entry backend) bool { return c.colorOf(entry) != "" }) {
			others = append(others, one)
		}
	}
	return others
}

// with is a list whose colours share a sum by a Split; the others are divided
// by what they were multiplied with, and multiplied anew.
func (c colorServices) with(one pool, to Split, sum, divisor, factor int64) pool {
	one.backends = slices.Clone(one.backends)
	for at := range one.backends {
		entry := &one.backends[at]
		if color := c.colorOf(*entry); color != "" {
			entry.weight = sum * int64(to[color]) / 100
		} else {
			entry.weight = entry.weight / divisor * factor
		}
	}
	return one
}

// sum is what the colours have of a list together.
func (c colorServices) sum(one pool) int64 {
	sum := int64(0)
	for _, entry := range one.backends {
		if c.colorOf(entry) != "" {
			sum += entry.weight
		}
	}
	return sum
}

// othersDivisible reports whether dividing the weights of the other backends
// takes back a multiplication.
func (c colorServices) othersDivisible(one pool, by int64) bool {
	return !slices.ContainsFunc(one.backends, func(entry backend) bool { return c.colorOf(entry) == "" && entry.weight%by != 0 })
}

// gcd is the greatest common divisor of two numbers, of which one is not 0.
func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// unwritten are the lists as if no weight of a colour stood there.
func (c colorServices) unwritten(pools []pool) []pool {
	without := make([]pool, len(pools))
	for i, one := range pools {
		one.backends = slices.Clone(one.backends)
		for at, entry := range one.backends {
			one.backends[at].stands = entry.stands && c.colorOf(entry) == ""
		}
		without[i] = one
	}
	return without
}

// identities are the tests that the colours' entries are where they were.
func (c colorServices) identities(pools []pool) []cluster.Operation {
	var tests []cluster.Operation
	for _, one := range pools {
		for _, entry := range one.backends {
			if c.colorOf(entry) != "" && entry.identity.Op != "" {
				tests = append(tests, entry.identity)
			}
		}
	}
	return tests
}

// writeInPlace are the operations that write weights which have places of
// their own: those that differ from what stands there.
func writeInPlace(before, after []pool) []cluster.Operation {
	now := map[string]backend{}
	for _, one := range before {
		for _, entry := range one.backends {
			now[entry.pointer] = entry
		}
	}
	var operations []cluster.Operation
	for _, one := range after {
		for _, entry := range one.backends {
			if was := now[entry.pointer]; was.weight != entry.weight || !was.stands {
				operations = append(operations, cluster.Operation{Op: "add", Path: entry.pointer, Value: entry.weight})
			}
		}
	}
	return operations
}
