// Package alerts makes the alerting rules that a release wants of a Prometheus
// out of the rules of its own gate, so that whoever is on call hears of what would
// hold a shift, and of what would send it back, also while no shift is under way.
//
// Every number is the gate's: its thresholds, how long they must be exceeded, the
// window and the requests that a figure has to rest on, with the release's own
// overrides. What holds a shift is of severity warning, and what sends it back
// critical, which is also what an Alertmanager is asked for by a shift
// (BG-MON-05, rollback-critical-alerts). Each rule stands for each colour, or for
// each database; which colour is live no rule has to know.
//
// Where the gate sends a shift back for failed requests, their share counts for
// less the fewer requests there were, as it does to the gate: among few a single
// failure is no alarm, and when all fail it is one. All else needs the requests
// that the gate needs. That there are no series at all is a warning, and never critical:
// a monitoring that is down must not send a good release back.
//
// The package is pure and asks no cluster.
package alerts
