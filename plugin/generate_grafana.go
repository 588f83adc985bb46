package plugin

import (
	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/grafana"
)

const generateGrafanaLong = `Write a dashboard for Grafana, as JSON, that shows both colours side by side:
requests and how they are shared, failures, latency, ready pods, connection
pools, and the connections of each database under its limit. What the release's
gate thinks of it is in the panels as lines.

It is imported as it is, and the Prometheus is chosen there. Annotations are off
until they are switched on. The colours are told by the version label that their
series carry; ready pods are by kube-state-metrics, connections by
postgres_exporter.`

const generateGrafanaExample = `  # for Dashboards, New, Import, or for provisioning
  kubectl bluegreen generate grafana > dashboard.json

  # by Grafana's API
  kubectl bluegreen generate grafana | jq '{dashboard: ., overwrite: true}' |
    curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d @- https://grafana.example.com/api/dashboards/db`

func newGenerateGrafana(call *invocation) *cobra.Command {
	var series []string
	command := &cobra.Command{
		Use:     "grafana [svc/NAME]",
		Short:   "Write a dashboard that shows both colours side by side",
		Long:    generateGrafanaLong,
		Example: generateGrafanaExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := call.documentOf(cmd, args)
			if err != nil {
				return err
			}
			matchers, err := call.seriesOf(found.Release, series)
			if err != nil {
				return err
			}
			text, err := grafana.Dashboard(found.Release, matchers)
			if err != nil {
				return err
			}
			return call.streams.write(text)
		},
	}
	addSeriesFlag(command, &series)
	return command
}
