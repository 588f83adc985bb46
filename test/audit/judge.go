package audit

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// Release is whose writes are judged.
type Release struct {
	// Name is the release's.
	Name string
	// Route is the production route, as [Write.Object] names it.
	Route string
	// Live are the revisions of the lease, the record and the route as the
	// cluster holds them after the last write, by [Release.Chained].
	Live map[string]int64
	// AtLeast is how many writes must have landed.
	AtLeast int
}

// Lease is the lease, as [Write.Object] names it.
func (r Release) Lease() string { return "leases/" + journal.Name(r.Name) }

// Record is the record of the current run.
func (r Release) Record() string { return "configmaps/" + journal.Name(r.Name) }

// Chained are the objects whose writes must form chains.
func (r Release) Chained() []string { return []string{r.Lease(), r.Record(), r.Route} }

// Verdict is what became of the writes of a release.
type Verdict struct {
	// Landed are the writes that changed something, Refused those that the
	// API server refused because the object had changed, and Stale those of
	// the latter that came from an epoch that somebody had taken over.
	Landed, Refused, Stale int
	// Late are the writes of an epoch that landed after a higher one had been
	// taken, and before that was on the object: they are what the new holder
	// finds.
	Late int
	// Tidied are the spare pods that their own maker has taken away after
	// somebody else had taken over.
	Tidied int
	// Heard are the writes of which nobody was told that they landed: they
	// fill a hole that there would be without them.
	Heard int
	// Created are the objects that a stale writer has created: its request was
	// on its way when it lost the run, and what does not exist carries no stamp.
	// A spare pod is among them only when it is gone in the end.
	Created int
	// Epochs is how many were taken, TakeOvers how many of them from a holder
	// that had not given the lease up.
	Epochs, TakeOvers int
	// Violations are the rules that were broken, each with the write that did.
	Violations []string
}

// Add counts another verdict in.
func (v *Verdict) Add(other Verdict) {
	v.Landed += other.Landed
	v.Refused += other.Refused
	v.Stale += other.Stale
	v.Late += other.Late
	v.Tidied += other.Tidied
	v.Heard += other.Heard
	v.Created += other.Created
	v.Epochs += other.Epochs
	v.TakeOvers += other.TakeOvers
	v.Violations = append(v.Violations, other.Violations...)
}

// Judge holds the writes to the namespace of a release against the rules.
func Judge(writes []Write, release Release) Verdict {
	bench := &bench{release: release, objects: map[string][]Write{}, late: map[int64]bool{}}
	bench.take(writes)
	bench.oneWriter()
	bench.neverBack()
	bench.nothingStale()
	bench.unstamped()
	bench.whole()
	return bench.verdict
}

// bench is where writes are judged.
type bench struct {
	release Release
	// stamped are the writes that landed and must carry an epoch; objects
	// has them by object, in the order of their revisions, with those of an
	// emergency stop and of a status.
	stamped []Write
	objects map[string][]Write
	// bare are those that landed and can carry none.
	bare []Write
	// late has the epochs of which a creation landed after they had been taken
	// over.
	late    map[int64]bool
	verdict Verdict
}

// broken notes a rule that a write broke.
func (b *bench) broken(write Write, format string, args ...any) {
	b.verdict.Violations = append(b.verdict.Violations, fmt.Sprintf(format, args...)+": "+write.String())
}

// take sorts the writes, and counts them.
func (b *bench) take(writes []Write) {
	var unheard []Write
	for _, write := range writes {
		switch {
		case write.Landed():
			b.land(write)
		case b.anybodys(write):
		case write.Refused():
			b.verdict.Refused++
		case write.Unheard():
			unheard = append(unheard, write)
		}
	}
	b.sort()
	for _, name := range b.release.Chained() {
		b.hear(unheard, name)
	}
	b.sort()
	b.leases()
	for _, write := range writes {
		if write.Refused() && write.Epoch > 0 && b.takenAbove(write.Epoch, write.Completed) {
			b.verdict.Stale++
		}
	}
}

// land takes in a write that landed.
func (b *bench) land(write Write) {
	bare := b.bareKind(write)
	if write.Revision > 0 && !bare {
		b.objects[write.Object] = append(b.objects[write.Object], write)
	}
	if b.anybodys(write) {
		return
	}
	b.verdict.Landed++
	if bare {
		b.bare = append(b.bare, write)
	} else {
		b.stamped = append(b.stamped, write)
	}
}

// sort orders the writes of each object by their revisions.
func (b *bench) sort() {
	for _, found := range b.objects {
		slices.SortStableFunc(found, func(a, b Write) int { return cmp.Compare(a.Revision, b.Revision) })
	}
}

// anybodys reports whether a write is one that needs no epoch.
func (b *bench) anybodys(write Write) bool {
	past := strings.HasPrefix(write.Object, b.release.Record()+"-")
	return write.Status || write.Stop && write.Object == b.release.Route || write.Object == "leases/"+journal.VigilName(b.release.Name) || past && write.Verb == "delete"
}

// bareKind reports whether a write can carry no stamp of its own: one about a
// pod, or the archive of a past run, which carries that run's.
func (b *bench) bareKind(write Write) bool {
	return strings.HasPrefix(write.Object, "pods/") || strings.HasPrefix(write.Object, b.release.Record()+"-")
}

// leases counts the epochs that were taken.
func (b *bench) leases() {
	before := Write{}
	for _, write := range b.objects[b.release.Lease()] {
		if write.Epoch > before.Epoch {
			b.verdict.Epochs++
			if before.Holder != "" {
				b.verdict.TakeOvers++
			}
		}
		before = write
	}
}

// takenAbove reports whether an epoch above one had been taken by a time.
func (b *bench) takenAbove(epoch int64, by time.Time) bool {
	return slices.ContainsFunc(b.objects[b.release.Lease()], func(taken Write) bool { return taken.Epoch > epoch && taken.Received.Before(by) })
}

// oneWriter: every write carries an epoch, and no epoch has two writers. A
// lease that is given up names no holder.
func (b *bench) oneWriter() {
	users, holders := map[int64]Write{}, map[int64]Write{}
	for _, write := range b.stamped {
		if write.Epoch == 0 {
			b.broken(write, "a write without an epoch")
			continue
		}
		if first, known := users[write.Epoch]; !known {
			users[write.Epoch] = write
		} else if first.User != write.User {
			b.broken(write, "epoch %d has two writers, %s and %s", write.Epoch, first.User, write.User)
		}
		if write.Holder == "" {
			continue
		}
		if first, known := holders[write.Epoch]; !known {
			holders[write.Epoch] = write
		} else if first.Holder != write.Holder {
			b.broken(write, "epoch %d has two holders, %s and %s", write.Epoch, first.Holder, write.Holder)
		}
	}
}

// neverBack: no object goes back to a lower epoch.
func (b *bench) neverBack() {
	for _, name := range slices.Sorted(maps.Keys(b.objects)) {
		highest := int64(0)
		for _, write := range b.objects[name] {
			if write.Epoch > 0 && write.Epoch < highest {
				b.broken(write, "%s goes back from epoch %d to %d", name, highest, write.Epoch)
			}
			highest = max(highest, write.Epoch)
		}
	}
}

// arrival is when an epoch, or a higher one, was first on an object; zero where
// it never was.
func (b *bench) arrival(object string, epoch int64) time.Time {
	for _, write := range b.objects[object] {
		if write.Epoch >= epoch {
			return write.Completed
		}
	}
	return time.Time{}
}

// over is when a take-over was over: when the route and the workloads carried
// its epoch. Zero where the route never did.
func (b *bench) over(epoch int64) time.Time {
	done := b.arrival(b.release.Route, epoch)
	if done.IsZero() {
		return done
	}
	for name := range b.objects {
		if strings.HasPrefix(name, "deployments/") || strings.HasPrefix(name, "statefulsets/") {
			if at := b.arrival(name, epoch); at.After(done) {
				done = at
			}
		}
	}
	return done
}

// epochs are all that were written, lowest first.
func (b *bench) epochs() []int64 {
	found := map[int64]bool{}
	for _, write := range b.stamped {
		found[write.Epoch] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// nothingStale: after a take-over nothing of a lower epoch lands, but the one
// creation that each former holder may have had on its way.
func (b *bench) nothingStale() {
	epochs, over := b.epochs(), map[int64]time.Time{}
	for _, epoch := range epochs {
		over[epoch] = b.over(epoch)
	}
	for _, write := range b.stamped {
		if write.Epoch > 0 && b.takenAbove(write.Epoch, write.Received) {
			b.verdict.Late++
		}
		for _, epoch := range epochs {
			if at := over[epoch]; epoch > write.Epoch && write.Epoch > 0 && !at.IsZero() && write.Received.After(at) {
				if write.Code == http.StatusCreated && b.onItsWay(write.Epoch) {
					b.verdict.Created++
				} else {
					b.broken(write, "a stale write landed after epoch %d had taken over", epoch)
				}
				break
			}
		}
	}
}

// unstamped: what carries no epoch was sent by who holds the newest that is on
// the route, but the one spare pod that each former holder may have had on its
// way, and that is taken away again.
func (b *bench) unstamped() {
	for _, write := range b.bare {
		own, highest := int64(0), int64(0)
		for _, taken := range b.objects[b.release.Lease()] {
			if taken.User == write.User && taken.Completed.Before(write.Completed) {
				own = max(own, taken.Epoch)
			}
		}
		for _, routed := range b.objects[b.release.Route] {
			if routed.Completed.Before(write.Received) {
				highest = max(highest, routed.Epoch)
			}
		}
		switch {
		case own == 0:
			b.broken(write, "a write by somebody who held no epoch")
		case highest > own && b.ownPod(write):
			b.verdict.Tidied++
		case highest > own && b.takenAway(write) && b.onItsWay(own):
			b.verdict.Created++
		case highest > own:
			b.broken(write, "a write by the holder of epoch %d while the route had epoch %d", own, highest)
		}
	}
}

// ownPod reports whether a write takes away a pod that the same account has
// made. Its name is random and nobody else's, so this takes nothing from the
// new holder, whoever of the two comes first.
func (b *bench) ownPod(write Write) bool {
	return write.Verb == "delete" && slices.ContainsFunc(b.bare, func(made Write) bool {
		return made.Verb == "create" && made.Object == write.Object && made.User == write.User
	})
}

// onItsWay reports whether a creation of an epoch that was taken over is the
// first: a holder has one request on its way when it loses the run.
func (b *bench) onItsWay(epoch int64) bool {
	first := !b.late[epoch]
	b.late[epoch] = true
	return first
}

// takenAway reports whether a write makes a pod that is deleted afterwards.
func (b *bench) takenAway(write Write) bool {
	return write.Verb == "create" && strings.HasPrefix(write.Object, "pods/") && slices.ContainsFunc(b.bare, func(ended Write) bool {
		return ended.Verb == "delete" && ended.Object == write.Object && ended.Received.After(write.Completed)
	})
}

// whole: the log lacks nothing.
func (b *bench) whole() {
	if b.verdict.Landed < b.release.AtLeast {
		b.verdict.Violations = append(b.verdict.Violations, fmt.Sprintf("the log holds %d writes, and there must be %d at least", b.verdict.Landed, b.release.AtLeast))
	}
	for _, name := range b.release.Chained() {
		live, last, held := b.release.Live[name], int64(0), int64(0)
		for _, write := range b.objects[name] {
			if last > 0 && write.Above > 0 && write.Revision > last && write.Above != last {
				b.broken(write, "the log lacks a write of %s between revisions %d and %d", name, last, write.Above)
			}
			// A status may have come after the cluster was looked at.
			if last = write.Revision; !write.Status || last <= live {
				held = last
			}
		}
		if live != held {
			b.verdict.Violations = append(b.verdict.Violations, fmt.Sprintf("the log ends with revision %d of %s, and the cluster holds %d", held, name, live))
		}
	}
}
