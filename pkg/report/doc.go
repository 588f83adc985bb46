// Package report writes what the checks found for readers other than a person
// at a terminal: CI servers (JUnit), code scanning (SARIF), and pull requests
// (Markdown).
//
// A format is one file with a function, and one line in Formats. All of them say
// the same: what blocks is an error or a failure everywhere, and what does not is
// none. They write texts that others had a hand in, such as names of objects
// and messages of servers, and let none of them become markup or a command.
package report
