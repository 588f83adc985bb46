// Package release owns the Release document: the one file that says what a
// blue-green release is made of.
//
// A document is read strictly. Load and Parse walk the YAML against the Go
// types and gather every mistake at once, each with the line and column at
// which it stands and, where one is known, the remedy: a field that doesn't
// exist, a number without a unit, two colours whose selectors overlap, a
// watch that the total deadline has no room for. A document with any problem
// is not used at all. Nothing is guessed, and nothing that could be a
// password is repeated: a connection string that stands in the document is
// refused, and the message says where it stands, never what it says.
//
// What the document leaves out is filled in by ApplyDefaults with the figures
// of the two runbooks that this project turns into software. They are called
// the first runbook (a gradual shift that ran out of database connections) and
// the second runbook (an atomic switch of a Service's selector); each default
// cites the one it comes from.
//
// Without a file there is Discover: from a production Service alone it finds
// the two colours, their workloads, their direct Services and the label that
// tells them apart, and says what it guessed and why. It refuses, in one
// sentence, whatever it would have to guess blindly. Marshal writes a
// discovery as the document that a person would have written.
//
// The types carry the JSON schema too (Schema), so an editor knows the same
// document as the tool.
//
// Hints live here because every other package imports this one: an error that
// knows its remedy carries it as data (WithHint), and a face prints it on a
// line of its own (HintOf).
package release
