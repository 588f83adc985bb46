// Package action is the face of the product in a workflow of GitHub: the engine
// behind action.yml.
//
// It runs the commands of package plugin in its own process and turns what they
// come to (see [plugin.Observer]) into what a workflow shows and goes on with:
// annotations, the summary of the step, a comment on the pull request, a
// deployment, outputs, and a folder of files. It decides nothing about a release,
// and its exit code is the command's, but for a shift that a person has sent back
// (see exitOf).
//
// # What it trusts
//
// Names of objects, messages of servers, lines of logs and SQL are written by
// others, at stage pr by whoever opened the pull request. None of it becomes a
// command of the runner (see log), another output (see fileCommand), markup (see
// report.MarkdownText) or a request. Values that are secret are masked before
// anything else is written, and taken out of everything that is.
//
// # What it goes without
//
// Whatever a runner may leave out is done without: a variable that is not set, a
// token that may not write, a server that does not answer. That is said once, as a
// notice, and never changes the exit code.
package action
