// Package signoff keeps what no machine has seen and a person answers for: that
// both colours were loaded together, that a rollback was rehearsed, that no
// client holds on to the old side by a cache of its own.
//
// A SignOff names who, until which day, and what it was given for, its Binding:
// images for a load, the kind of the route for a rehearsal. It ends with its
// day, and before it where what it was given for has changed. Judge says which;
// it is pure.
//
// They are kept in the ConfigMap bluegreen-<release>-signoffs of the release's
// namespace, labelled bluegreen.dev/release, a key for each. Every write is a
// compare-and-swap on the resourceVersion that changes one key, so that those of
// two people at once both stay. What somebody has written there by hand and
// can't be read is told by its key, and counts as no sign-off.
package signoff
