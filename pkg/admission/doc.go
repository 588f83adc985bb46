// Package admission writes the ValidatingAdmissionPolicy by which an API
// server itself guards a production route, beside the fence that every write
// of ours carries.
//
// The fence keeps our own writers apart: a patch tests the stamp that was
// read, so a run that was taken over can't write any more. It does nothing
// about who does not look at the stamp: a person with kubectl edit, a script
// with a selector in it, a GitOps engine that applies the colour of last week.
// The policy refuses those too. It compares the route with itself as it was,
// and lets a write pass when
//
//   - the epoch does not go back, is not taken away and stays a number;
//   - an epoch stays with its holder;
//   - the split is what it was, or the write is a switch.
//
// What makes a write a switch is in the patch that a driver plans: it records
// the split before it, in bluegreen.dev/previous, and the resourceVersion onto
// which it was written, in bluegreen.dev/switched. An edit of the selector
// alone leaves there what the last switch has put, which is never the version
// that is being written onto. A route that selects no colour clearly has no
// split to guard, so that it can be mended by anybody.
//
// This guards against mistakes, not against malice: who may patch the route
// may also forge what a switch records, or delete the route and make it anew.
// Members of break-glass groups are not held to any of it, and leave a line in
// the audit log instead.
//
// The expressions are in CEL, the language of admission policies since
// Kubernetes 1.30. The package is pure and asks no cluster.
package admission
