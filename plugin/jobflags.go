package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rbac"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// jobFlags are those of a shift that a Job carries or guards.
type jobFlags struct {
	detach, guard bool
	// silence and policy are what a guard is told.
	silence time.Duration
	policy  string
	// image, pullSecret and account are the Job's.
	image, pullSecret, account string
}

func (f *jobFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.detach, "detach", false, "let a Job in the cluster carry the run, and return once it does; status -w follows it")
	flags.BoolVar(&f.guard, "guard", false, "have a Job in the cluster take over when this process falls silent")
	flags.DurationVar(&f.silence, "guard-silence", rollout.DefaultGuardSilence, "how long this process may be silent before its guard takes over")
	flags.StringVar(&f.policy, "guard-policy", string(rollout.GuardRollback), "what the guard does then: rollback gives moved traffic back, hold leaves it to a person, continue goes on")
	flags.StringVar(&f.image, "image", "", "the image of the Job's pod; without it the one that was released with this program")
	flags.StringVar(&f.pullSecret, "image-pull-secret", "", "the Secret that the nodes pull the image with")
	flags.StringVar(&f.account, "service-account", "", "who the Job's pod is; without it "+rbac.AccountName("<release>"))
	var policies []string
	for _, policy := range rollout.GuardPolicies() {
		policies = append(policies, string(policy))
	}
	complete(cmd, "guard-policy", policies...)
}

// inCluster reports whether a Job was asked for.
func (f *jobFlags) inCluster() bool { return f.detach || f.guard }

// validate refuses flags that make no sense together, before anything is
// connected.
func (f *jobFlags) validate(cmd *cobra.Command, lease time.Duration) error {
	for _, test := range []struct {
		flags []string
		need  string
		given bool
	}{
		{[]string{"guard-silence", "guard-policy"}, "--guard", f.guard},
		{[]string{"image", "image-pull-secret", "service-account"}, "--detach or --guard", f.inCluster()},
	} {
		for _, name := range test.flags {
			if cmd.Flags().Changed(name) && !test.given {
				return usageError(cmd, fmt.Sprintf("--%s is for a Job: give %s too", name, test.need))
			}
		}
	}
	if f.detach && f.guard {
		return release.WithHint(errors.New("--detach and --guard exclude each other"), "a detached run needs no guard: its Job makes another pod where one is lost")
	}
	if _, err := rollout.ParseGuardPolicy(f.policy); err != nil {
		return err
	}
	if f.guard && f.silence < lease {
		return release.WithHint(fmt.Errorf("a guard can't tell silence in %s (--guard-silence)", f.silence),
			fmt.Sprintf("at least the %s for which a lease lasts (--lease-duration)", lease))
	}
	return nil
}

// shiftWithJob is a shift that a Job carries or guards.
func (i *invocation) shiftWithJob(ctx context.Context, flags *shiftFlags, service string) error {
	if flags.dryRun != dryRunNone {
		return release.WithHint(errors.New("--dry-run shows what a shift would write, whoever drives it"), "leave --detach and --guard out")
	}
	if flags.aside {
		return release.WithHint(fmt.Errorf("--%s is for a person who stays and looks", setRecordAside), "leave --detach and --guard out")
	}
	if _, err := i.jobImage(&flags.jobs); err != nil {
		return err
	}
	if flags.jobs.detach {
		return i.detach(ctx, flags, service)
	}
	return i.guarded(ctx, flags, service)
}

// jobImage is the image of the Job's pod.
func (i *invocation) jobImage(flags *jobFlags) (string, error) {
	if found := cmp.Or(flags.image, i.environment.Image); found != "" {
		return found, nil
	}
	return "", release.WithHint(errors.New("the Job needs an image of this program, and this build of it was not released with one"),
		"make one: "+name+" image push REPOSITORY:TAG, or "+name+" image save for nodes that load archives; then give --image REFERENCE")
}

// jobSpec is what a Job of the release is made from. Its files are packed
// where it applies manifests.
func (i *invocation) jobSpec(flags *shiftFlags, found *document, whole bool) (job.Spec, error) {
	if err := provenRoute(found.Release, flags.unproven); err != nil {
		return job.Spec{}, err
	}
	image, err := i.jobImage(&flags.jobs)
	if err != nil {
		return job.Spec{}, err
	}
	metadata := found.Release.Metadata
	spec := job.Spec{
		Namespace: metadata.Namespace, Release: metadata.Name,
		RunID: journal.NewRunID(i.environment.Clock.Now(), rand.String(5)),
		Image: image, PullSecret: flags.jobs.pullSecret,
		ServiceAccount: cmp.Or(flags.jobs.account, rbac.AccountName(metadata.Name)),
		Args:           []string{"--lease-duration", flags.lease.duration.String()},
	}
	if !whole {
		spec.Bundle, err = job.Alone(found.Release, found.Text, found.Directory)
		return spec, err
	}
	if err := outOfReach(found.Release); err != nil {
		return spec, err
	}
	spec.Bundle, err = job.Pack(found.Release, found.Text, found.Directory)
	return spec, err
}

// outOfReach refuses what this process can use and a pod can't.
func outOfReach(rel *release.Release) error {
	for _, database := range rel.Spec.Databases {
		if variable := database.Observe.DSN.Env; variable != "" {
			return release.WithHint(
				fmt.Errorf("database %s: observe.dsn.env names %s, a variable of this process, which a Job's pod does not have", database.Name, variable),
				"put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}")
		}
	}
	for _, probe := range rel.Spec.Validation.HTTPProbes() {
		for _, header := range slices.Sorted(maps.Keys(probe.HeadersFrom)) {
			if variable := probe.HeadersFrom[header].Env; variable != "" {
				return release.WithHint(
					fmt.Errorf("probe of %s: headersFrom.%s.env names %s, a variable of this process, which a Job's pod does not have", probe.Path, header, variable),
					"put it in a Secret and name that: headersFrom: {"+header+": {secretKeyRef: {name: NAME, key: KEY}}}")
			}
		}
	}
	if grafana := rel.Spec.Dashboard.Grafana; grafana != nil && grafana.Token.Env != "" {
		return release.WithHint(
			fmt.Errorf("dashboard.grafana: token.env names %s, a variable of this process, which a Job's pod does not have", grafana.Token.Env),
			"put it in a Secret and name that: token: {secretKeyRef: {name: NAME, key: KEY}}")
	}
	return addressesOutOfReach(rel.Spec)
}

// addressesOutOfReach refuses servers on this machine.
func addressesOutOfReach(spec release.Spec) error {
	addresses := map[string]string{"metrics.alertmanager": spec.Metrics.Alertmanager}
	if prometheus := spec.Metrics.Prometheus; prometheus != nil {
		addresses["metrics.prometheus.url"] = prometheus.URL
	}
	if loki := spec.Logs.Loki; loki != nil {
		addresses["logs.loki.url"] = loki.URL
	}
	if grafana := spec.Dashboard.Grafana; grafana != nil {
		addresses["dashboard.grafana.url"] = grafana.URL
	}
	for field, address := range addresses {
		if onThisMachine(address) {
			return release.WithHint(fmt.Errorf("%s is on this machine, where a Job's pod is not", field), "name its Service: NAMESPACE/SERVICE:PORT")
		}
	}
	return nil
}

// onThisMachine reports whether a URL is of a loopback address.
func onThisMachine(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil || !strings.Contains(address, "://") {
		return false
	}
	ip := net.ParseIP(parsed.Hostname())
	return parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// launcher starts Jobs and tells what it waits for.
func (i *invocation) launcher(opened *work) *job.Launcher {
	return &job.Launcher{Client: opened.client, Clock: i.environment.Clock, Tell: func(message string) { i.note("waiting: %s", message) }}
}

// recorded is the run of an id, nil when it never began.
func recorded(ctx context.Context, record *journal.Journal, id string) (*journal.Run, error) {
	run, err := record.Get(ctx, id)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return run, err
}
