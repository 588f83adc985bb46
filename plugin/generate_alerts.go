package plugin

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/alerts"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const generateAlertsLong = `Write the alerting rules that a release wants of its Prometheus: those of its
gate, with its own numbers, for each colour and each database, and one each for
when nothing is scraped of them.

What holds a shift is a warning; what sends it back is critical, and so also
keeps a shift from starting (BG-MON-05). An alert at 80 % of the database's
connections or before is among them, which BG-MON-04 asks for.

The colours are told by the version label that their series carry. Connections
are as postgres_exporter tells of them, of every server that the Prometheus
knows, unless --series says which is a database's.`

const generateAlertsExample = `  # for rule_files of a Prometheus
  kubectl bluegreen generate alerts > alerts.yaml

  # for the Prometheus Operator, which picks rules by a label
  kubectl bluegreen generate alerts --format prometheusrule --label release=monitoring | kubectl apply -f -

  # where the Prometheus knows of several servers
  kubectl bluegreen generate alerts --series 'main=instance="db-1:9187"'`

// The formats of generate alerts.
const (
	formatPrometheus     = "prometheus"
	formatPrometheusRule = "prometheusrule"
)

// alertsFlags are the flags of generate alerts.
type alertsFlags struct {
	format string
	series []string
	labels []string
}

func newGenerateAlerts(call *invocation) *cobra.Command {
	flags := &alertsFlags{}
	command := &cobra.Command{
		Use:     "alerts [svc/NAME]",
		Short:   "Write the alerting rules that the release's gate stands for",
		Long:    generateAlertsLong,
		Example: generateAlertsExample,
		Args:    atMost(1, "at most svc/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call.generateAlerts(cmd, flags, args)
		},
	}
	command.Flags().StringVar(&flags.format, "format", formatPrometheus, "prometheus, a file for rule_files; or prometheusrule, an object of the Prometheus Operator")
	complete(command, "format", formatPrometheus, formatPrometheusRule)
	addSeriesFlag(command, &flags.series)
	command.Flags().StringArrayVar(&flags.labels, "label", nil, "KEY=VALUE, a label of the PrometheusRule; may be repeated")
	return command
}

func (i *invocation) generateAlerts(cmd *cobra.Command, flags *alertsFlags, args []string) error {
	if flags.format != formatPrometheus && flags.format != formatPrometheusRule {
		return release.WithHint(fmt.Errorf("unknown format %q for alerts", flags.format), "one of: prometheus, prometheusrule")
	}
	if len(flags.labels) > 0 && flags.format != formatPrometheusRule {
		return usageError(cmd, "a file of rules has no labels: --label is for --format prometheusrule")
	}
	labels, err := keyValues("label", flags.labels)
	if err != nil {
		return err
	}
	found, err := i.documentOf(cmd, args)
	if err != nil {
		return err
	}
	series, err := i.seriesOf(found.Release, flags.series)
	if err != nil {
		return err
	}
	rules, err := alerts.Rules(found.Release, series)
	if err != nil {
		return err
	}
	metadata := found.Release.Metadata
	about := fmt.Sprintf("The alerts of release %s in namespace %s, by: %s generate alerts", metadata.Name, metadata.Namespace, name)
	text, err := alerts.File(metadata.Namespace+"/"+metadata.Name, rules)
	if flags.format == formatPrometheusRule {
		labels[cluster.LabelRelease] = metadata.Name
		text, err = alerts.Object(journal.Name(metadata.Name), metadata.Namespace, labels, rules)
	}
	if err != nil {
		return err
	}
	return i.streams.printYAML(text, about)
}
