package release

import (
	"regexp"

	"golang.org/x/net/http/httpguts"
	"k8s.io/apimachinery/pkg/util/validation"
)

// checkLogs checks where logs are kept and how the colours are told there.
func (c *checker) checkLogs() {
	loki := c.document.Spec.Logs.Loki
	if loki == nil {
		return
	}
	const field = "spec.logs.loki"
	c.checkServer(field, loki.URL, loki.Service)
	c.named(join(field, "versionLabel"), loki.VersionLabel, validation.IsQualifiedName(loki.VersionLabel))
	if !httpguts.ValidHeaderFieldValue(loki.Tenant) {
		c.report(join(field, "tenant"), shown(loki.Tenant)+" can't stand in a header", "")
	}
	label := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	for name, value := range sortedPairs(loki.Selector) {
		at := join(join(field, "selector"), name)
		switch {
		case !label.MatchString(name):
			c.report(at, shown(name)+" is not a label of Loki", "labels of Loki have letters, digits and underscores only: app.kubernetes.io/name is app_kubernetes_io_name there")
		case value == "":
			c.report(at, "is empty, which selects the streams without the label", "give the label's value, or leave it out")
		}
	}
}
