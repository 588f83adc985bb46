// Package watcher sees whether a production Service ever selected nothing.
//
// A [Watcher] watches the Service, its EndpointSlices and the pods of the
// namespace, directly at the API server and through no proxy, and asserts at
// every single event that somebody would have answered: that the EndpointSlices
// of the Service hold a ready endpoint, and that one of the pods which its
// selector matches is Ready.
//
// The three watches are three streams, and one may be behind another by more
// than the time between a switch and what follows it. So nothing is judged as
// it comes in. The revisions of all objects are those of one etcd and say in
// which order things happened: [Watcher.Check] waits until all streams have
// come as far as the cluster is, then plays the events back in that order and
// looks at the state after each.
package watcher
