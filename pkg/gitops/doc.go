// Package gitops makes the rules by which Argo CD and Flux leave alone what a shift
// writes, and nothing else, where they apply the objects of a release from Git.
// Without them the one puts the route back minutes after the switch, in silence.
//
// Which fields those are is the drivers' to say: traffic.Describe for the routes,
// and beside them the replicas of the workloads and the floor of their autoscalers.
// Annotations of the tool's own need no rule, for neither takes away annotations
// that no Git has.
//
// A rule names fields, and not who wrote them last. What owns a field changes: with
// the line that a person types to undo a shift by hand, and with the next apply.
//
// Where weights stand in a list, the whole list is left alone. Kubernetes holds most
// such lists as one value, and a rule for a part of an entry makes Argo CD keep the
// whole entry as it is in the cluster while it tells that it differs
// (https://github.com/argoproj/argo-cd/issues/25284).
//
// Flux has had such rules since 2.9 (kustomize-controller 1.9). It applies what is
// in the cluster in place of what is in Git, where nobody else has applied the
// field server-side, and so a map or a list that is one value stays whole.
//
// The package is pure and asks no cluster.
package gitops
