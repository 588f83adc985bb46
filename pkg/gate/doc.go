// Package gate decides, from readings alone, whether a shift may advance,
// must be rolled back, or waits.
//
// A gate is a list of rules. What it takes to advance and what it takes to
// roll back are different rules with different numbers: a release that is
// not good enough to go on is not yet bad enough to go back. A rule compares
// one signal with a threshold; a rollback rule fails only once its comparison
// has held for a time, so that a single bad reading moves nothing.
//
// Every rule ends in one of four verdicts. Pass and fail speak about the
// release. No-data and source-down speak about the measuring, and are never
// held against the release: no-data never advances, source-down holds, and
// neither rolls back. The one exception is PostgreSQL's refusal of a
// connection, SQLSTATE 53300. It looks like a source that is down and is the
// incident itself, so the database source reads it as every connection
// taken, and that fails at once.
//
// Some rules compare the target with the old colour; what is certain of that is
// the matter of package relative, and Compare makes verdicts of it.
//
// The package is pure. Evaluate takes the state that the last evaluation
// left, the readings and the time, and returns the next state and a result
// for each rule; Decide sums the results up. Both can be replayed from a
// journal and say the same again.
package gate
