package lab

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/image"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// Monitoring is Prometheus, a faulty way to it, and Alertmanager.
const Monitoring Addon = "monitoring"

// monitoring is what it is made of.
func monitoring() parts {
	return parts{
		addon:     Monitoring,
		standard:  true,
		manifests: []string{manifests.Monitoring, manifests.FaultProxy},
		images: map[string]imageBuilder{
			"docker.io/prom/prometheus:v2.42.0":   packaged("/usr/bin/prometheus", "/bin/prometheus"),
			"docker.io/prom/alertmanager:v0.25.0": packaged("/usr/bin/prometheus-alertmanager", "/bin/alertmanager", "/usr/share/prometheus/alertmanager"),
			"bluegreen.dev/discovery:lab":         compiled("discovery", image.Static),
			"bluegreen.dev/faultproxy:lab":        compiled("faultproxy", image.Static),
		},
	}
}
