// Package preflight verifies, before anything is changed, what the runbooks
// ask a person to verify.
//
// It works in three steps. Collect reads everything that any check may need,
// in parallel, each collector under a deadline of its own, into Facts: plain
// data. A collector that fails leaves its error in its fact; it never stops
// the others, and never looks like an empty answer. Evaluate runs checks over
// Facts: no I/O, no clock, the same report for the same facts. A Report is
// what faces print.
//
// A check is one function in one file, named in one line of Catalogue, with
// an id that is stable for ever. It says why it exists, where that is written
// and what to do about a finding; its documentation page is generated from
// that. Its outcomes are
//
//	pass     seen to be as it should
//	warn     works today, hurts some day
//	fail     must be changed first
//	skip     does not apply, or what it needs is not declared; with the reason
//	unknown  could not be found out; never the same as pass
//
// A fail blocks, and so does an unknown of a critical check. Under
// require: production nothing may be left out: any unknown blocks, and so
// does a skip because something is not declared.
package preflight
