// Package planted is a table of faults, at least one for every check of the
// preflight: how each is planted around a shop on a real cluster, which check
// must catch it, and what that must say.
//
// test/e2e plants them one after another and runs the program after each. The
// tests of this package need no cluster: they fail when a check has no fault,
// so that one is not added without being seen to catch something.
package planted
