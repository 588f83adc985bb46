package release

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// checkMetrics checks where signals come from.
func (c *checker) checkMetrics() {
	metrics := c.document.Spec.Metrics
	if server := metrics.Prometheus; server != nil {
		c.checkServer("spec.metrics.prometheus", server.URL, server.Service)
	}
	c.oneOf("spec.metrics.provider", metrics.Provider, ProviderHTTP, ProviderOTel)
	c.named("spec.metrics.versionLabel", metrics.VersionLabel, validation.IsQualifiedName(metrics.VersionLabel))
	if metrics.Path != "" && !validPath(metrics.Path) {
		c.report("spec.metrics.path", shown(metrics.Path)+" is not a path", "such as /metrics")
	}
	c.between("spec.metrics.port", metrics.Port, 1, 65535)
	if strings.Contains(metrics.Alertmanager, "://") {
		c.webAddress("spec.metrics.alertmanager", metrics.Alertmanager)
	} else {
		c.inClusterAddress("spec.metrics.alertmanager", metrics.Alertmanager)
	}
}
