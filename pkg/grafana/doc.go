// Package grafana makes a dashboard that shows both colours of a release side by
// side: what its gate looks at, by the same queries, with the gate's own thresholds
// as lines, and the connections of its databases under their limit.
//
// It is JSON that a Grafana imports as it is, by hand, by provisioning or by its
// API; the Prometheus is chosen there, by a variable. The package is pure and asks
// nobody.
package grafana
