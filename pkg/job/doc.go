// Package job makes the Jobs in which a release moves without the process that
// asked for it, and sees them start.
//
// There are two. Detached carries a whole run: the shift that a laptop need
// not stay awake for. Guard watches a run that goes on elsewhere and takes
// over when its holder falls silent. Both are one pod of the same image with
// the same arguments that a person would type, and beside it one ConfigMap
// with the Release document and the manifests that the run applies (Pack). No
// Secret goes into it.
//
// Detached and Guard are pure: a Spec in, objects out. The pod meets the
// restricted Pod Security standard, has no shell, no root and a file system
// that can't be written to but for one empty directory.
//
// A Job completes when the run has ended, however it ended: that a release was
// rolled back is a result, and a pod that were started again for it would
// shift again. How it ended is in the run's record, and in the pod's
// termination message (Report). A pod fails only where the program could not
// do its work, or was told to go away before it was done, and then the next
// one goes on with the same run. This needs nothing of the Job API that
// Kubernetes 1.25 does not have; podFailurePolicy, which has exit codes, would
// keep the pod of a lost node from being replaced before that node is gone for
// good.
//
// Launch creates the objects and waits until the pod has said that it works.
// A pod that can't is a *StartError with the reason and the remedy, and what
// was created is taken away again: no release was touched by then.
package job
