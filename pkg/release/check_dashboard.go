package release

import (
	"regexp"
)

// checkDashboard checks where people watch both colours.
func (c *checker) checkDashboard() {
	grafana := c.document.Spec.Dashboard.Grafana
	if grafana == nil {
		return
	}
	const field = "spec.dashboard.grafana"
	c.checkServer(field, grafana.URL, grafana.Service)
	if grafana.UID != "" && !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`).MatchString(grafana.UID) {
		c.report(join(field, "uid"), shown(grafana.UID)+" is not the uid of a dashboard", "it is what follows /d/ in the dashboard's address: letters, digits, - and _, 40 at most")
	}
	c.checkSecret(join(field, "token"), grafana.Token)
}
