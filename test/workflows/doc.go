// Package workflows holds every workflow of this repository, its own and those for
// others, against two linters: actionlint, which knows the syntax, and a small one
// of the house rules that actionlint does not know.
package workflows
