// Package rbac turns the list of rights that a release needs into the objects
// that an administrator applies: Roles, what binds them to somebody, and an
// account to bind them to.
//
// The list itself is preflight.Rights; this package adds nothing to it. It is
// pure, and the same list always gives the same objects. What it promises is
// that no rule grants more than the list says:
//
//   - A rule names the objects that it is for wherever the list does. RBAC
//     can't name what a POST creates, nor what a list returns.
//   - Rights are in one rule only where they are to the same resource, for the
//     same purpose, with the same verbs on each of its names.
//   - A right to one object is left out where another right to any object of
//     its kind covers it, so that every verb of a Role is needed.
//   - What a release can do without is in rules of its own, which may be
//     struck out.
//
// A Role reaches no further than its namespace. Rights in other namespaces, such
// as that to ask a Prometheus, become Roles there, and those to what has no
// namespace a ClusterRole.
package rbac
