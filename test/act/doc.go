// Package act runs whole workflows of GitHub Actions on this machine, as they are
// written: https://github.com/nektos/act plays the runner, without a container engine.
//
// What a workflow uses stands in folders, for there is no GitHub to fetch from. The
// Action is the real one: action.yml, the entry, and a pin of the engine under test,
// which the entry fetches as an archive and verifies. What others wrote is played:
// upload-artifact and upload-sarif keep what they are given, and act itself does the
// checkout. GitHub's API is played too, by a server on loopback that hears what the
// Action asks for ([GitHub]).
//
// act differs from a runner: steps have a terminal, secrets are the same in all
// environments, nobody approves, and a cancel is a kill. [runner] plays the latter.
//
// [runner]: https://pkg.go.dev/github.com/bluegreen-dev/kubectl-bluegreen/test/runner
package act
