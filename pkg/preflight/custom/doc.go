// Package custom makes checks of what a team declares in CEL: in its Release
// (spec.checks.custom) or in files beside it (spec.checks.files).
//
// An expression sees the variables of docs/custom-checks.md, made out of the
// facts of package preflight as they are saved, so without secrets. They are
// typed: Compile refuses a name or a field that there is not, a result of another
// type and an expression that would cost too much, each with its place in the
// file. What is not known is no value: whatever touches it is an error with the
// reason, has() and comparisons too, so that the check is unknown unless the
// rest of the expression decides it.
package custom
