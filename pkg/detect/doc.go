// Package detect finds what routes to a host name or a Service, and says which
// field of spec.traffic would serve it, or why none can.
//
// Between a client and a pod stand objects of many kinds, each with its own way
// to say which requests it takes and where it leads them. A person who comes to
// a strange cluster at night doesn't know which of them counts. This package
// reads them all into one shape: a claim, which is a host, a path and some
// conditions, and the Services that it leads to. Everything after that is the
// same for every kind: what leads where, which claim wins over which, which
// driver has a place for weights there and whether both colours stand in it.
//
// Collect asks the cluster, Evaluate is pure, and a command renders the Report.
// A kind that the cluster does not serve is left out; one that may not be listed
// is named with the right that is missing, since what was not looked at may be
// the very thing that takes the traffic. A kind is one file, with a function
// that reads its objects, and one line in kinds. Where a kind has a driver, its
// lists of backends are read by traffic.Reader, so that detection and shift can't
// disagree about them.
//
// Precedence is told as far as the kinds' own documents promise it: within a
// kind. Between kinds it depends on which proxy serves them, and that is said.
package detect
