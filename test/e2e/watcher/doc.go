// Package watcher sees whether a production route ever selected nothing.
//
// A [Route] is a production Service, or an object that shares requests among
// several. A [Watcher] watches it, and the Services, EndpointSlices and pods of
// its namespace, directly at the API server and through no proxy, and asserts
// at every single event that somebody would have answered, wherever a request
// was sent: that the EndpointSlices of every Service which gets a part of them
// hold a ready endpoint, and that one of the pods which its selector matches is
// Ready.
//
// Each kind of object is a stream of its own, and one may be behind another by
// more than the time between a switch and what follows it. So nothing is judged
// as it comes in. The revisions of all objects are those of one etcd and say in
// which order things happened: [Watcher.Check] waits until all streams have
// come as far as the cluster is, then plays the events back in that order and
// looks at the state after each.
package watcher
