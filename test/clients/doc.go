// Package clients sends the traffic under which releases are tested, and
// counts what was lost.
//
// Two kinds of client run together, because a switch treats them differently.
// Fresh clients open a connection for every request: they follow the route at
// once. Keep-alive clients hold one connection each for as long as the server
// lets them: they stay where they are until something makes them move, and
// they are the ones that lose requests when a server closes idle connections.
//
// Such losses are easily hidden. net/http's transport notices when an idle
// connection was closed and quietly opens another, and it repeats requests
// that broke on a reused connection; other clients do neither. The keep-alive
// client here is the plainest one: a request that is sent on a connection that
// turns out to be closed has failed, is counted, and is never sent again.
//
// gRPC is sent in the same two ways: a client holds on to its connection, or
// makes one for every call, and to the servers behind it where a mesh tells it
// which. It sends a call again only where no server has begun with it, as the
// protocol promises, whatever the mesh says of retries.
//
// Pacing and the attack loop are vegeta's. Every client has the same share of
// the rate, and the keep-alive clients take turns, so that a loss of one is
// not hidden by a lull of all.
package clients
