// Package image makes the one small image in which a run or its guard works
// in a cluster: this very program, and nothing else.
//
// The image has one layer with one file, a static Linux binary, on top of
// nothing: no shell, no package manager, no libraries, no certificates (the
// cluster's authority comes with the service account). It runs as a user that
// is not root. What a release publishes under a digest and what a person makes
// of the binary at hand with `image save` or `image push` are made here in the
// same way, so a cluster that can't pull from the internet runs the same
// thing.
//
// The image's digest depends on the binary alone: every time in it is the
// commit's, or the beginning of Unix time where the binary doesn't know its
// commit, and what it is labelled with is what the Go toolchain stamped on the
// binary. Two people who build the same commit with the same toolchain get the
// same image.
//
// Open judges a binary before anything is made of it: one that isn't for
// Linux, needs a loader that the image doesn't have, or is another program, is
// refused with what to do instead.
package image
