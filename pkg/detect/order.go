package detect

import "cmp"

// order is how claims of one kind win over each other.
type order struct {
	// promised says for people what the kind's documents promise.
	promised string
	// compare is below 0 where the first claim wins for the hosts that they
	// have in common, and 0 where nothing is promised.
	compare func(a, b owned, mine, theirs host) int
	// oldest: between equals the older object wins, then the first by name.
	oldest bool
}

// moreExact prefers the more exact host, then the more exact path, then more
// conditions, as the Gateway API says
// (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule).
func moreExact(a, b owned, mine, theirs host) int {
	return cmp.Or(
		-cmp.Compare(mine.exactness(), theirs.exactness()),
		-cmp.Compare(a.claim.match.rank(), b.claim.match.rank()),
		-cmp.Compare(len(a.claim.match.conditions), len(b.claim.match.conditions)),
	)
}

// moreExactHost prefers the more exact host and promises no more.
func moreExactHost(_, _ owned, mine, theirs host) int {
	return -cmp.Compare(mine.exactness(), theirs.exactness())
}

// higherPriority prefers the greater number.
func higherPriority(a, b owned, _, _ host) int {
	return -cmp.Compare(a.claim.priority, b.claim.priority)
}

// wins is below 0 where a claim wins over another for what they have in common,
// and 0 where that is not known. Claims of two kinds are compared by how exact
// they are: that counts where one proxy serves both.
func wins(a, b owned, mine, theirs host) int {
	if a.kind.name != b.kind.name {
		return moreExact(a, b, mine, theirs)
	}
	if decided := a.kind.order.compare(a, b, mine, theirs); decided != 0 || !a.kind.order.oldest {
		return decided
	}
	return older(a, b)
}

// older is below 0 where the object of a claim is the older one, or the first
// by its name.
func older(a, b owned) int {
	made, other := a.object.GetCreationTimestamp(), b.object.GetCreationTimestamp()
	return cmp.Or(made.Compare(other.Time), cmp.Compare(a.object.GetNamespace(), b.object.GetNamespace()), cmp.Compare(a.object.GetName(), b.object.GetName()))
}
