// Package programs sees to it that the programs a lab runs are on this
// machine: those that Debian packages, and those that are built from source.
//
// What is built is described by the Go modules in the folders beside this
// file. Their go.mod and go.sum pin every version, so a folder's content and
// the build flags say what the result will be; their hash names the folder in
// the cache that holds it. A result that is there is complete, since it is
// moved into place as a whole, and it is never changed, so a running lab keeps
// its programs while another one builds newer ones. What else such a module
// holds that goes with a program, as the definitions of the kinds it serves, is
// copied there beside it, so that both are always of one version.
package programs
