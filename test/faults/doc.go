// Package faults breaks what a run depends on, one thing at a time, and sees
// whether the run does what the documentation promises.
//
// The promises are the table in docs/faults.md: for each [Fault] and each phase
// of a run, how the program ends, where traffic is then, what it says, and what
// the command that it advises leads to. [ReadTable] reads it, and [Check] fails
// on a fault that the table doesn't know, and on a row about none. Nothing of
// what is expected stands in this package: a document that is untrue is a test
// that fails.
//
// A [Suite] is a shop under load whose program reaches one [Dependency] by ways
// that can be broken while it runs: a toxiproxy in this process for what a
// network does (a connection that is reset, refused, slow or silent), package
// interpose before the API server for what a server answers (409, 429, 500,
// half a body), package faultproxy for a Prometheus that talks nonsense, and an
// impostor for a PostgreSQL that refuses. The way to the API server leads
// through interpose in every suite, for that is how a suite knows in which
// phase the run is: the fault begins when the record says so, before the
// program hears that its record has landed.
//
// End-to-end tests run the cases of [Once]; a soak runs the whole [Matrix].
package faults
