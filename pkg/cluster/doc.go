// Package cluster is the one way in which the tool touches Kubernetes.
//
// A Client is cheap: Connect reads the kubeconfig and nothing else. Discovery
// runs when the first kind must be looked up, a connection is opened by the
// first request, and every request that is not a stream has a time limit.
//
// Writes to objects that a run moves (the production route, the workloads)
// are fenced. A Fence is the epoch and the holder of a run, kept in two
// annotations on the object itself. FencedPatch builds one JSON patch that
// tests the resourceVersion, the epoch and the holder that were read, makes
// the change, and leaves the writer's own stamp: all in one request, so that
// a run which lost its lease can't write after the one that took over has
// stamped the object, however late its request arrives. A refused test is
// ErrFenced.
//
// Reach into pods goes through the API server, since that is the only address
// which a person's laptop is sure to have: PodTransport and ServiceTransport
// are http.RoundTrippers over the API server's proxy, and fall back to a
// port-forward where the API server itself can't reach pods, as on clusters
// whose control plane lives in another network. DialPod is a net.Conn over a
// port-forward, good for a database driver or gRPC.
//
// Readiness is a pure value of an object: done or not, successful or not, and
// one sentence.
//
// Explain turns what client-go returns into one sentence and one remedy for
// people.
package cluster
