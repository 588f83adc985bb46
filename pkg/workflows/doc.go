// Package workflows writes the workflows by which GitHub Actions checks, deploys
// and takes back a release, each a file to keep in .github/workflows.
//
// What they promise is the same for all:
//
//   - Nothing is granted but what a job needs. The workflow itself grants nothing,
//     and each job says what for.
//   - What others wrote is pinned by the digest of a commit, with its version
//     beside it.
//   - No expression stands in a script. What comes from an event reaches a shell
//     as a variable, and an input that anybody types chooses between constants.
//   - A shift is never cancelled for a newer one: it waits for its turn. A rollback
//     waits for nobody.
//   - The check that a branch can require is a job that always runs, for one that
//     is skipped counts as passed.
//
// The package is pure, and the same release always gives the same text.
package workflows
