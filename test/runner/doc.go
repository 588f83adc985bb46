// Package runner plays what a runner of GitHub does with one step of the Action:
// it starts the Action's entry with its inputs and the files that a step writes to,
// cancels it as the runner does, and starts the post part with what main left to it.
//
// The sequence of a cancel is the runner's own: SIGINT to the entry's process, SIGTERM
// 7.5 s later, and SIGKILL after 2.5 s more. The post part runs in any case.
package runner
