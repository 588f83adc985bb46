// Package manifests holds what runs inside a lab's cluster, as plain YAML.
//
// The images are named as their public builds are, and the lab loads its own
// builds under those names. So the same files serve another cluster, which
// pulls the public ones.
package manifests

import _ "embed"

// ClusterDNS makes the node's CoreDNS reachable as cluster DNS. It belongs to
// the lab's own cluster; any other one has its own.
//
//go:embed cluster-dns.yaml
var ClusterDNS string

// Monitoring is Prometheus and Alertmanager in the namespace monitoring.
//
//go:embed monitoring.yaml
var Monitoring string

// FaultProxy is a faulty way to that Prometheus, as the Service
// prometheus-faulty. Its image is the lab's own on every cluster.
//
//go:embed faultproxy.yaml
var FaultProxy string

// Database is PostgreSQL and its exporter in the namespace database.
//
//go:embed database.yaml
var Database string

// Gateway is Traefik, and a Gateway of it, in the namespace gateway.
//
//go:embed gateway.yaml
var Gateway string

// Skipper is the proxy of that name, in the namespace skipper.
//
//go:embed skipper.yaml
var Skipper string

// Mesh is istiod in the namespace mesh.
//
//go:embed mesh.yaml
var Mesh string
