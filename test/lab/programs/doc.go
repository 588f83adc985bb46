// Package programs sees to it that the programs a lab runs are on this
// machine: those that Debian packages, and those that are built from source.
//
// What is built is described by the Go modules in the folders beside this
// file. Their go.mod and go.sum pin every version, so a folder's content and
// the build flags say what the result will be; their hash names the folder in
// the cache that holds it. A result that is there is complete, since it is
// moved into place as a whole, and it is never changed, so a running lab keeps
// its programs while another one builds newer ones.
package programs
