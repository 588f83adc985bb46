package detect

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// landscape is everything that was read, and what leads where in it.
type landscape struct {
	objects []*routing
	named   map[target]*routing
	// unread are objects that can't be read, each a sentence.
	unread []Unlisted
}

// routing is one object and what it says.
type routing struct {
	kind    kind
	object  *unstructured.Unstructured
	reading reading
}

// owned is a claim and whose it is.
type owned struct {
	*routing
	claim claim
}

// self is the object as others refer to it.
func (r *routing) self() target {
	return target{kind: r.kind.name, namespace: r.object.GetNamespace(), name: r.object.GetName()}
}

// survey reads every object. One that can't be read is told, and the others
// are read all the same.
func survey(objects map[string][]*unstructured.Unstructured) *landscape {
	found := &landscape{named: map[target]*routing{}}
	for _, kind := range kinds() {
		listed := slices.Clone(objects[kind.name])
		slices.SortFunc(listed, func(a, b *unstructured.Unstructured) int {
			return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
		})
		for _, object := range listed {
			one := &routing{kind: kind, object: object}
			var err error
			if one.reading, err = kind.read(object); err != nil {
				found.unread = append(found.unread, Unlisted{
					Resource: kind.name + "/" + object.GetName(),
					Why:      fmt.Sprintf("%s in namespace %s can't be read: %v", one.self(), object.GetNamespace(), err),
				})
				continue
			}
			found.objects = append(found.objects, one)
			found.named[one.self()] = one
		}
	}
	found.pairCanaries()
	return found
}

// ends are where leads go in the end, in the order in which they are met: what
// they lead to, or, where that leads on, what that does.
func (l *landscape) ends(leads []lead) []target {
	var ends []target
	seen := map[target]bool{}
	var follow func(leads []lead)
	follow = func(leads []lead) {
		for _, one := range leads {
			if seen[one.to] {
				continue
			}
			seen[one.to] = true
			next, found := l.named[one.to]
			if !found {
				ends = append(ends, one.to)
				continue
			}
			for _, part := range next.reading.claims {
				follow(part.leads)
			}
		}
	}
	follow(leads)
	return ends
}

// leadsThrough reports whether leads pass an object on their way.
func (l *landscape) leadsThrough(leads []lead, through target) bool {
	seen := map[target]bool{}
	var passes func(leads []lead) bool
	passes = func(leads []lead) bool {
		return slices.ContainsFunc(leads, func(one lead) bool {
			if one.to == through {
				return true
			}
			next, found := l.named[one.to]
			if !found || seen[one.to] {
				return false
			}
			seen[one.to] = true
			return slices.ContainsFunc(next.reading.claims, func(part claim) bool { return passes(part.leads) })
		})
	}
	return passes(leads)
}

// controllers are the objects that move a target.
func (l *landscape) controllers(of target) []*routing {
	var controllers []*routing
	for _, one := range l.objects {
		if slices.Contains(one.reading.moves, of) {
			controllers = append(controllers, one)
		}
	}
	return controllers
}
