// Package dialect reads migrations as the tools that apply them would: which
// files there are, in which order, which part of a file goes up and which down,
// and what runs in one transaction.
//
// It reads files and, for Changed, runs git; it connects to nothing. Files may
// come from anybody, so their size is bounded and links are not followed.
package dialect
