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
