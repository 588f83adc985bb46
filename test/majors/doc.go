// Package majors has PostgreSQL of every major version that the product knows, for
// tests that hold what it says of each against the server itself. Debian has one of
// them; the others are the builds that the npm registry has for embedding, pinned
// by their hashes.
package majors
