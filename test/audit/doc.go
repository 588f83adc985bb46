// Package audit reads the API server's audit log and says whether a release
// ever had two writers.
//
// Processes of the program that work on one release are kept apart by epochs:
// whoever takes a release over takes a higher one, and puts it on every object
// that it writes to. What a process says of that proves nothing. The API
// server knows what was written, in which order, and by whom, as long as every
// process logs in as somebody else; a [Write] is one request as it tells it.
// Order is that of resourceVersions, which are the revisions of the store, and
// times, where they are needed, are those of one machine's clock.
//
// [Judge] holds the writes against these rules:
//
//   - every write that landed carries an epoch, or is one that can carry none
//     (an eviction, a spare pod, the archive of a past run) and was sent by the
//     holder of the newest epoch that is on the route;
//   - no epoch has two writers, neither two accounts nor two holders;
//   - no object ever goes back to a lower epoch;
//   - once the route and the workloads carry an epoch, nothing of a lower one
//     lands, on whatever object.
//
// What anybody may write is left out: the annotation that asks for an
// emergency stop, what a gateway says of a route in its status, the guard's own
// sign of life, and the deletion of archives beyond those that are kept. So is a spare pod that its own maker takes away
// after it has lost the run: it is counted, and takes nothing from anybody.
//
// A log that lacks something would pass all of them. So the writes of the
// lease, the record and the route must form chains, each made on top of the one
// before it, that end with what the cluster holds; and there must be as many
// writes as a run can't do without. A write whose answer is an error of the
// server's may have landed; it did when a hole of such a chain is its size.
package audit
