package traffic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// together is the routes of a set as one. What they have in common is told as
// that of one route; where their splits differ it has none.
func together(members []Route) Route {
	first := members[0]
	route := Route{
		Members: members, Namespace: first.Namespace, UID: first.UID, Split: first.Split,
		// A move begins with the first route and its way back ends there, so
		// while they differ it is the first that knows whence.
		Previous: first.Previous, Origin: first.Origin, Fence: first.Fence, Owners: map[string][]string{},
	}
	var versions []string
	for _, member := range members {
		versions = append(versions, member.ResourceVersion)
		if !member.Split.Equal(first.Split) {
			route.Split = nil
		}
		if member.Fence.Epoch < route.Fence.Epoch {
			route.Fence = member.Fence
		}
		if route.Stop == "" {
			route.Stop = member.Stop
		}
		if route.Preview == nil {
			route.Preview = member.Preview
		}
		if route.Affinity == "" && member.Affinity != "None" {
			route.Affinity = member.Affinity
		}
		for field, owners := range member.Owners {
			route.Owners[member.Object+" "+field] = owners
		}
	}
	route.Object, route.ResourceVersion = strings.Join(route.Objects(), " + "), strings.Join(versions, ",")
	return route
}

// Each are the routes of a set in the order in which they are moved, or the one
// route itself.
func (r Route) Each() []Route {
	if len(r.Members) == 0 {
		return []Route{r}
	}
	return r.Members
}

// Objects are the kind and name of each route.
func (r Route) Objects() []string {
	var objects []string
	for _, member := range r.Each() {
		objects = append(objects, member.Object)
	}
	return objects
}

// Mixed reports whether it is a set whose routes differ, as in the midst of a
// switch, or after an edit of one.
func (r Route) Mixed() bool {
	return slices.ContainsFunc(r.Members, func(member Route) bool { return !member.Has(r.Members[0].Split, r.Members[0].Preview) })
}

// Shares is the split, and a preview beside it, for people; of a set whose routes differ, or of which one is gone, that of each.
func (r Route) Shares() string {
	if !r.Mixed() && len(r.Gone) == 0 {
		return cmp.Or(Shares(r.Split, r.Preview), "no split that can be read")
	}
	var each []string
	for _, member := range r.Members {
		each = append(each, fmt.Sprintf("%s has %s", member.Object, member.Shares()))
	}
	for _, object := range r.Gone {
		each = append(each, object+" is gone")
	}
	return "mixed (" + strings.Join(each, ", ") + ")"
}

// Newest is the highest stamp on any route. A takeover is seen by it before it
// has reached every one.
func (r Route) Newest() cluster.Fence {
	newest := r.Fence
	for _, member := range r.Members {
		if member.Fence.Epoch > newest.Epoch {
			newest = member.Fence
		}
	}
	return newest
}

// Back is the route for whoever plans to give it back. Of a set the last that
// was moved is then the first to be written, and what was given back stays so,
// though another can't be.
func (r Route) Back() Route {
	r.back = true
	return r
}

// Unready is the route for whoever plans to give it back and has waited long
// enough for that side to be ready: of workers the other side is then ended all
// the same.
func (r Route) Unready() Route {
	r.unready = true
	return r
}

// Each are the patches of a set in the order in which they are written, or the
// one patch itself.
func (p Patch) Each() []Patch {
	if p.Members == nil {
		return []Patch{p}
	}
	return p.Members
}

// Ready are those of them that wait for nothing, up to the first that does.
func (p Patch) Ready() []Patch {
	each := p.Each()
	if first := slices.IndexFunc(each, func(one Patch) bool { return one.held }); first >= 0 {
		return each[:first]
	}
	return each
}

// Blocked reports whether nothing of a patch can be written yet.
func (p Patch) Blocked() bool { return len(p.Members) > 0 && p.Members[0].held }

// moves reports whether a patch changes a split or a preview, and not only the
// stamp.
func (p Patch) moves() bool { return !p.From.Equal(p.To) || !samePreview(p.before, p.Preview) }
