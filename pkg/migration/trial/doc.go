// Package trial applies migrations for real, in a scratch database that it makes
// and drops, and tells what PostgreSQL did: which locks it took, which tables it
// wrote anew, what it refused, and which queries of the old version broke.
//
// The SQL may come from anybody. So a role is refused that could reach further
// than a database of its own: a superuser, whoever may run programs, read or write
// files of the server, make roles, or owns another database. Every statement is
// bounded in time, by the server and from here, and the scratch database is
// dropped whatever happens; where that fails, its name is told.
package trial
