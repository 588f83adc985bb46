// Package traffic moves a production route between two colours and proves
// that it has moved.
//
// A Split is the share of new connections that each colour is given. A Router
// is one kind of route that can be set to a Split: it reads the route, plans
// one patch (pure), writes it (one request, fenced, all or nothing), and
// proves the result against the control plane. There is one file per driver
// and one line for it in NewRouter; the suite in routertest holds them all to
// the same behaviour. What the route says is always read from the cluster: a
// route that does not clearly select exactly one colour is an error that
// stops everything, since whatever follows would rest on a guess.
//
// Moving the route moves new connections only. A client that keeps its
// connection stays where it is, for as long as it likes: over 20 seconds, 388
// of 388 requests stayed on the old side of a Service whose selector had been
// switched. So a switch is finished by ending those connections from the
// other side. Recycle evicts the old side's pods one at a time; a server that
// ends gracefully answers the request under way with `Connection: close`, and
// the client opens its next connection through the route, to the new colour.
// A server that just closes idle connections instead breaks the request that
// crosses with it. Which of the two a workload is, ProveTermination finds out
// on a spare pod that no user can reach.
package traffic
