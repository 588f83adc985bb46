// Package migration says whether migrations are safe for a blue-green release
// of services that share one database: while both versions run, and after a
// rollback, when the old version runs alone on what the new one has written.
//
// A rule looks at one change and at what is known when it is made: which tables
// the release itself has made, what the transaction holds, which timeouts are
// in force. Its class says how it hurts:
//
//	BI  breaks the old version as soon as it is applied
//	RB  breaks the old version, or a rollback, once the new version has written
//	L   makes either version wait: a lock, a scan or a rewrite under a lock
//	R   cannot be judged by reading: a person has to look
//
// BI and L block, RB and R warn, unless a rule's level says otherwise. What
// can't be read is never taken to be safe.
//
// Everything here is pure; package dialect reads the files.
package migration
