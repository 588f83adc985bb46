// Package crash kills the program under test at every point of a run, and sees
// whether what it leaves behind can be brought to an end without a hand edit.
//
// The program is driven through a proxy before the API server (package
// interpose), which reads what it writes there. A [Ledger] says which [Point]
// of a run each write is: the record's own, such as a transition between two
// phases, an intent or a result, and every write to anything else. At a chosen
// point the program is killed, either before the write lands or after it has
// and before the program hears of it. A [Case] is a list of commands each of
// which but the last is killed at a point of its own; after the last, the
// production route must serve one colour whole, the record must be finished
// with nothing left open, and no client may have noticed.
//
// Beside the kills three things are asserted in every case: no write without
// an intent in the record that landed before it ([Ledger.Unannounced]), no
// event after which the production route sends requests to nobody (package watcher),
// and no lost request ([Lost]).
//
// What is driven is a [Driver]: a kind of route that later ones only add
// themselves to. End-to-end tests run the cases of [Once], in which every
// transition is killed once; a soak runs the whole [Matrix].
package crash
