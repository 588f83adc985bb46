// Package postgrestest gives a test a real PostgreSQL server of its own.
//
// What this project claims about PostgreSQL is about what PostgreSQL really
// does: that it refuses the connection past max_connections with SQLSTATE
// 53300, that a session shows up in pg_stat_activity under its
// application_name, that a waiter waits for the holder of a lock. A fake would
// only repeat what its author believes, so the tests run against the server
// itself, and a machine without it fails them instead of skipping them.
//
// Every server is private to one test: a fresh data directory, a port of its
// own on loopback, a Unix socket inside the directory, and an end with the
// test. PostgreSQL refuses to run as root; under root the server
// runs as the user postgres, or nobody where that one does not exist.
package postgrestest
