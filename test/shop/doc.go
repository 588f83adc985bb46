// Package shop puts the example service on a cluster as its users would, so
// that tests and the demo can release it.
//
// A [Shop] is a namespace with the manifests of examples/recommendation in it,
// a database and a role of its own in the PostgreSQL of the namespace
// database, the Secrets that both need, and a folder with a bluegreen.yaml and
// the manifests of both colours. Blue serves production when [Open] returns;
// green's manifests lie in the folder for a shift to apply.
//
// What is changed about the manifests (replicas, environment, version) is
// said by [Options]. The Release in the folder is that of the example with
// times short enough to sit through: [QuickRelease].
//
// The program under test runs as a process in that folder ([Shop.Run],
// [Shop.Start]), as a person would run it. A shop works on any cluster that
// its kubeconfig reaches: pods and PostgreSQL are reached through the API
// server, and only production traffic needs a network of its own.
package shop
