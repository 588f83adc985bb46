package crash

import (
	"fmt"
	"strings"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
)

// Ledger reads what the program writes about one release, and knows the record
// that landed last. Several proxies before one cluster share one.
type Ledger struct {
	namespace, release string

	mutex sync.Mutex
	// record is the one that landed last, nil while none is known.
	record *journal.Run
	// since is the number of the last entry that was there when the epoch of
	// the record was taken: what is announced must be announced after it.
	since int
	// lease is the one that landed last.
	lease *coordinationv1.Lease
	// points are those of the writes that are not answered yet.
	points map[*interpose.Exchange]Point
	// unannounced are the writes without an intent.
	unannounced []string
}

// NewLedger knows nothing yet.
func NewLedger(namespace, release string) *Ledger {
	return &Ledger{namespace: namespace, release: release, points: map[*interpose.Exchange]Point{}}
}

// name is the name of the lease and of the current record.
func (l *Ledger) name() string { return "bluegreen-" + l.release }

// Unannounced returns, and forgets, the writes for which the record that landed
// last held no open intent when they arrived.
func (l *Ledger) Unannounced() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found := l.unannounced
	l.unannounced = nil
	return found
}

// See looks at one stage of an exchange, and says which point of a run it is;
// known is false for what is none. A hook must call it for every exchange, at
// both stages.
func (l *Ledger) See(exchange *interpose.Exchange) (point Point, known bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if exchange.Stage == interpose.Arriving {
		if point, known = l.read(exchange); known {
			l.points[exchange] = point
		}
		return point, known
	}
	point, known = l.points[exchange]
	delete(l.points, exchange)
	l.learn(exchange)
	return point, known
}

// read says which point of a run a request is.
func (l *Ledger) read(exchange *interpose.Exchange) (Point, bool) {
	if !exchange.Writes() {
		return Point{}, false
	}
	name := nameOf(exchange)
	switch {
	case exchange.Resource == "configmaps" && name == l.name():
		if next := runOf(exchange.Body); next != nil {
			return pointOf(l.record, next), true
		}
		return Point{Kind: Archive, What: exchange.Verb + " the record"}, true
	case exchange.Resource == "configmaps" && strings.HasPrefix(name, l.name()+"-"):
		return Point{Kind: Archive, What: exchange.Verb}, true
	case exchange.Resource == "leases" && name == l.name():
		return l.readLease(exchange)
	case stops(exchange):
		return Point{Kind: Stop}, true
	}
	return l.readWrite(exchange), true
}

// learn keeps what has landed, or what was read.
func (l *Ledger) learn(exchange *interpose.Exchange) {
	if !exchange.Landed() {
		return
	}
	text := exchange.Answer
	if exchange.Writes() {
		text = exchange.Body
	}
	switch exchange.Resource {
	case "configmaps":
		if nameOf(exchange) == l.name() {
			l.landed(runOf(text))
		}
	case "leases":
		if lease := leaseOf(text); lease != nil && lease.Name == l.name() {
			l.lease = lease
		}
	}
}

// landed knows a record. One of before, which a read that was answered late
// holds, is not gone back to.
func (l *Ledger) landed(run *journal.Run) {
	if run == nil {
		return
	}
	if l.record != nil && l.record.ID == run.ID && (run.Epoch < l.record.Epoch || run.LastSequence < l.record.LastSequence) {
		return
	}
	if l.record == nil || l.record.ID != run.ID || l.record.Epoch != run.Epoch {
		l.since = run.LastSequence
	}
	l.record = run
}

// readLease tells a lease that is taken from one that is given up; one that is
// renewed is no point.
func (l *Ledger) readLease(exchange *interpose.Exchange) (Point, bool) {
	next := leaseOf(exchange.Body)
	switch {
	case next == nil:
		return Point{}, false
	case ptr.Deref(next.Spec.HolderIdentity, "") == "":
		return Point{Kind: Lease, What: "give up"}, true
	case l.lease == nil || l.lease.Annotations[cluster.AnnotationEpoch] != next.Annotations[cluster.AnnotationEpoch]:
		return Point{Kind: Lease, What: "take"}, true
	}
	return Point{}, false
}

// readWrite looks for the intent of a write to anything else.
func (l *Ledger) readWrite(exchange *interpose.Exchange) Point {
	intent, found := l.intent(exchange)
	if !found {
		l.unannounced = append(l.unannounced, l.complaint(exchange))
		return Point{Kind: Write, What: whatIs("unannounced", exchange, "")}
	}
	_, workload, _ := strings.Cut(intent.Object, "/")
	return Point{Kind: Write, What: whatIs(intent.Action, exchange, workload)}
}

// intent is the open intent of the record that landed last, by its present
// holder, that announces a write.
func (l *Ledger) intent(exchange *interpose.Exchange) (journal.Entry, bool) {
	if l.record == nil || exchange.Namespace != l.namespace {
		return journal.Entry{}, false
	}
	for _, intent := range journal.Open(l.record.Entries) {
		if intent.Sequence > l.since && announces(intent, exchange) {
			return intent, true
		}
	}
	return journal.Entry{}, false
}

// complaint says what was written and what had been announced.
func (l *Ledger) complaint(exchange *interpose.Exchange) string {
	var open []string
	if l.record != nil {
		for _, intent := range journal.Open(l.record.Entries) {
			open = append(open, fmt.Sprintf("%d %s %s", intent.Sequence, intent.Action, intent.Object))
		}
	}
	return fmt.Sprintf("%s (%s) in %s without an intent; open since entry %d: %q", exchange.Target, nameOf(exchange), exchange.Namespace, l.since, open)
}
