// Package postgres looks into the PostgreSQL that both colours of a release
// share, and does the arithmetic of its connections.
//
// During a blue-green release a database serves two versions at once. Each
// pod of each colour opens a pool of its own, and a rolling update adds surge
// pods on top; what fitted in steady state no longer does, and PostgreSQL
// answers with SQLSTATE 53300 in the middle of the shift. That incident is
// why this package exists. It has four ideas:
//
// A Target is where and how the database is observed. Its connection string
// is resolved in memory and appears nowhere else: not in an error, not in
// String, not in a format verb.
//
// An Observer keeps one read-only session open from before the baseline on,
// so that it can still look when nobody else gets in, and takes Snapshots:
// limits, sessions, transactions, locks. An observer without pg_read_all_stats
// sees too few sessions, and a Snapshot says so instead of counting low.
//
// Attribute says which session belongs to which colour, by what evidence.
//
// DiscoverPool finds out how many connections a pod may open and where that
// number is set; Plan (pure) adds them up against the limits of the cluster,
// the database and the role, and says the pool size that fits.
//
// What PostgreSQL does at its limits was established against real servers;
// the tests repeat it.
package postgres
