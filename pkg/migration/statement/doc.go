// Package statement reads SQL as PostgreSQL 12 to 18 would, as far as a
// migration's safety depends on it: it splits a file into statements and says
// which changes each of them makes.
//
// It is a reader of definitions (DDL), transactions and settings, not of
// queries: expressions are kept as the tokens that they are. What it does not
// know it says (Statement.Unread), for that statement alone; a statement is
// never half understood in silence, because every reader must arrive at the
// statement's end.
//
// Everything here is pure.
package statement
