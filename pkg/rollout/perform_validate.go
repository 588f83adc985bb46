package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// startupLogBytes bounds what is read of one container, from its start.
const startupLogBytes = int64(1 << 20)

// cleanLogs reads the target's logs since its start for what is forbidden:
// by validation.logs, else what says that a process or a connection failed.
func (r *Runner) cleanLogs(ctx context.Context, state State) Observation {
	patterns, err := r.forbidden()
	if err != nil {
		return failed("%v", err)
	}
	pods, err := r.pods(ctx, state.To)
	if err != nil {
		return hampered(err)
	}
	secrets := r.redaction(ctx, CleanLogs, pods)
	complaints := make([]string, len(pods))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for index, pod := range pods {
		group.Go(func() (err error) {
			complaints[index], err = r.scanLogs(ctx, pod, patterns, secrets)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return unread(err)
	}
	for index, complaint := range complaints {
		if complaint != "" {
			return failed("%s logged at start-up: %s", pods[index].Name, complaint)
		}
	}
	return succeeded("start-up logs of %d pods are clean", len(pods))
}

// forbidden compiles the patterns of the release, or the default: a panic,
// a fatal error, or PostgreSQL refusing a connection (first runbook: "logs show
// clean startup with no connection errors").
func (r *Runner) forbidden() ([]*regexp.Regexp, error) {
	texts := []string{`(?i)(^|[^\w-])(panic|fatal)\b`, `(?i)too many (clients|connections)|\b53300\b`}
	if rule := r.Release.Spec.Validation.Logs; rule != nil {
		texts = rule.Forbid
	}
	var patterns []*regexp.Regexp
	for _, text := range texts {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("read validation.logs.forbid %q: %w", text, err)
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}

// scanLogs returns the first forbidden line of a pod's containers as it may be
// quoted: those that prepared it come first.
func (r *Runner) scanLogs(ctx context.Context, pod corev1.Pod, patterns []*regexp.Regexp, secrets redaction) (string, error) {
	quote := func(text string, pattern *regexp.Regexp) string { return secrets.quote(pod.Name, text, pattern) }
	for _, container := range cluster.ContainersOf(&pod.Spec) {
		limit := startupLogBytes
		stream, err := r.Client.Kubernetes.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
			Container: container.Name, LimitBytes: &limit, Timestamps: true,
		}).Stream(ctx)
		if err != nil {
			return "", fmt.Errorf("read logs of %s/%s: %w", pod.Name, container.Name, err)
		}
		line, err := firstMatch(stream, startedBy(pod), patterns, quote)
		_ = stream.Close()
		if err != nil || line != "" {
			return line, err
		}
	}
	return "", nil
}

// unread judges logs that can't be read: a pod that has gone, or whose container
// has not begun, is looked for again.
func unread(err error) Observation {
	if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) {
		return waiting("%v", err)
	}
	return hampered(err)
}

// startupGrace is how long after a pod became ready its lines still belong to
// its start-up: the condition's time is in whole seconds.
const startupGrace = 2 * time.Second

// startedBy is when a pod's start-up was over: when its readiness probe had found
// it ready. What it has logged since, such as an error while it served, is the
// gate's to judge, and no reason never to shift to that colour again. Zero where
// no probe tells.
func startedBy(pod corev1.Pod) time.Time {
	probed := slices.ContainsFunc(pod.Spec.Containers, func(container corev1.Container) bool { return container.ReadinessProbe != nil })
	for _, condition := range pod.Status.Conditions {
		if probed && condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return condition.LastTransitionTime.Add(startupGrace)
		}
	}
	return time.Time{}
}

// firstMatch returns the first line of a start-up that a pattern matches, as it is
// quoted. Each line begins with its time; those after the end of the start-up, if
// that is known, are not read.
func firstMatch(stream io.Reader, startedBy time.Time, patterns []*regexp.Regexp, quote func(string, *regexp.Regexp) string) (string, error) {
	found := ""
	err := wholeLines(stream, startupLogBytes, func(text string) (more bool, err error) {
		text = strings.TrimRight(text, "\r\n")
		if stamp, rest, stamped := strings.Cut(text, " "); stamped {
			logged, err := time.Parse(time.RFC3339Nano, stamp)
			if err == nil && !startedBy.IsZero() && logged.After(startedBy) {
				return false, nil
			}
			if err == nil {
				text = rest
			}
		}
		for _, pattern := range patterns {
			if pattern.MatchString(text) {
				found = quote(text, pattern)
				return false, nil
			}
		}
		return true, nil
	})
	return found, err
}

// health asks every pod of the target, past the router.
func (r *Runner) health(ctx context.Context, state State) Observation {
	return r.healthOf(ctx, state.To)
}

// recoverOld asks every pod of the old side after a rollback, and wants all
// of them ready.
func (r *Runner) recoverOld(ctx context.Context, state State) Observation {
	if err := r.regrow(ctx, state); err != nil {
		return hampered(err)
	}
	ready, wanted, err := r.readiness(ctx, state.From)
	if err != nil {
		return hampered(err)
	}
	if ready == 0 || ready < wanted {
		return waiting("%d of %d pods of %s are ready", ready, wanted, state.From)
	}
	return r.healthOf(ctx, state.From)
}

// healthOf asks every pod of a colour for its health, in parallel.
func (r *Runner) healthOf(ctx context.Context, color string) Observation {
	pods, err := r.pods(ctx, color)
	if err != nil {
		return hampered(err)
	}
	if len(pods) == 0 {
		return waiting("%s has no pods", color)
	}
	declared := r.Release.Spec.Validation.Health
	probes := healthProbes(declared, pods)
	results := make([]*measure.ProbeResult, len(pods))
	group := errgroup.Group{}
	group.SetLimit(8)
	for index, pod := range pods {
		if probes[index] == nil {
			continue
		}
		group.Go(func() error {
			result := measure.ProbeHTTP(ctx, r.Client, pod.Namespace, pod.Name, *probes[index])
			results[index] = &result
			return nil
		})
	}
	_ = group.Wait()
	asked, path, status := 0, "", ""
	for index, result := range results {
		switch {
		case result == nil:
			continue
		case !result.OK && (declared != nil || !ready(*result)):
			return unhealthy(probes[index].Path+" of "+pods[index].Name, *result)
		}
		asked, path, status = asked+1, probes[index].Path, result.Status
	}
	if asked == 0 {
		return succeeded("not declared: health (validation.health, or a readiness probe over plain HTTP)")
	}
	count := fmt.Sprint(asked)
	if asked < len(pods) {
		count += fmt.Sprintf(" of %d", len(pods))
	}
	return succeeded("%s of %s pods of %s answered %s", path, count, color, status)
}

// healthProbes are, for each pod, how it is asked for its health; nil for one
// that serves no HTTP beside others that do, such as a worker: whether that is
// well the kubelet alone knows, by its readiness.
func healthProbes(declared *release.HTTPProbe, pods []corev1.Pod) []*release.HTTPProbe {
	probes := make([]*release.HTTPProbe, len(pods))
	serving := slices.ContainsFunc(pods, serves)
	for index, pod := range pods {
		if declared == nil || declared.Port != 0 || !serving || serves(pod) {
			probes[index] = healthProbe(declared, pod)
		}
	}
	return probes
}

// serves reports whether a pod says where it can be asked over HTTP.
func serves(pod corev1.Pod) bool {
	_, found := readinessProbe(pod)
	return found || cluster.ServingPort(pod.Spec) != 0
}

// ready takes a redirect for ready, as the kubelet takes every status from 200
// to 399 for its own probes.
func ready(result measure.ProbeResult) bool { return strings.HasPrefix(result.Status, "3") }

// unhealthy waits for what does not answer as it should; what the API server
// refuses to ask, or has no way to ask, is no answer.
func unhealthy(subject string, result measure.ProbeResult) Observation {
	if apierrors.IsForbidden(result.Err) {
		return failed("%s: %v", subject, cluster.Explain(result.Err))
	}
	if unforwarded := (*cluster.ForwardError)(nil); errors.As(result.Err, &unforwarded) && !apierrors.IsNotFound(result.Err) {
		return unseen("%s: %s", subject, result.Message)
	}
	return waiting("%s: %s", subject, result.Message)
}

// healthProbe is the declared health probe, completed from the pod's own
// readiness probe, which also stands in when none is declared.
func healthProbe(declared *release.HTTPProbe, pod corev1.Pod) *release.HTTPProbe {
	probe, found := readinessProbe(pod)
	if declared == nil {
		if !found {
			return nil
		}
		return &probe
	}
	completed := *declared
	if completed.Port == 0 {
		completed.Port = cmp.Or(probe.Port, cluster.ServingPort(pod.Spec), 80)
	}
	return &completed
}

// readinessProbe is the HTTP readiness probe of the first container that has
// one; found is false when none is over plain HTTP. One over HTTPS is asked by
// the kubelet alone, whose answer is the pod's readiness.
func readinessProbe(pod corev1.Pod) (probe release.HTTPProbe, found bool) {
	for _, container := range pod.Spec.Containers {
		if container.ReadinessProbe == nil || container.ReadinessProbe.HTTPGet == nil {
			continue
		}
		get := container.ReadinessProbe.HTTPGet
		if get.Scheme == corev1.URISchemeHTTPS {
			continue
		}
		port := get.Port.IntValue()
		for _, named := range container.Ports {
			if named.Name == get.Port.StrVal && named.Name != "" {
				port = int(named.ContainerPort)
			}
		}
		return release.HTTPProbe{Path: get.Path, Port: port}, true
	}
	return release.HTTPProbe{}, false
}

// validate runs the synthetic transactions and, beside them, finds out how
// the old side's pods end, for the drain depends on it.
func (r *Runner) validate(ctx context.Context, state State) Observation {
	termination := make(chan *traffic.Termination, 1)
	go func() { termination <- r.termination(ctx, state.From, state.Termination) }()
	seen := r.transactions(ctx, state.To)
	learned := <-termination
	seen.Learned = func(s *State) { s.Termination = learned }
	return seen
}

// confirm runs the synthetic transactions again, on the live release.
func (r *Runner) confirm(ctx context.Context, state State) Observation {
	if len(r.Release.Spec.Validation.Synthetic) == 0 {
		return idle("not declared: synthetic transactions (validation.synthetic)") // said before
	}
	return r.transactions(ctx, state.To)
}

// transactions runs every declared synthetic transaction on one pod.
func (r *Runner) transactions(ctx context.Context, color string) Observation {
	probes := r.Release.Spec.Validation.Synthetic
	if len(probes) == 0 {
		return succeeded("not declared: synthetic transactions (validation.synthetic)")
	}
	pods, err := r.pods(ctx, color)
	if err != nil {
		return hampered(err)
	}
	if len(pods) == 0 {
		return waiting("%s has no pods", color)
	}
	pod := pods[0]
	for _, probe := range probes {
		var result measure.ProbeResult
		if probe.HTTP != nil {
			result = measure.ProbeHTTP(ctx, r.Client, pod.Namespace, pod.Name, *healthProbe(probe.HTTP, pod))
		} else {
			result = measure.ProbeGRPC(ctx, r.Client, pod.Namespace, pod.Name, *probe.GRPC)
		}
		if !result.OK {
			return unhealthy(fmt.Sprintf("synthetic transaction %s on %s", probe.Name, pod.Name), result)
		}
	}
	return succeeded("%d synthetic transactions passed on %s", len(probes), pod.Name)
}

// termination finds out whether the pods of a colour end gracefully, unless
// it is known or nothing would be done with the answer. They do when those of
// each workload do that can be asked; workloads that serve no HTTP have no
// client that would notice.
func (r *Runner) termination(ctx context.Context, color string, known *traffic.Termination) *traffic.Termination {
	if known != nil || r.Release.Spec.Traffic.Drain == release.DrainNone {
		return known
	}
	workloads, err := r.workloads(ctx, color)
	if err != nil {
		return nil
	}
	var found *traffic.Termination
	for _, workload := range workloads {
		proof, tried := r.terminationOf(ctx, workload)
		if !tried {
			continue
		}
		r.tell(Synthetic, Info, "%s", proof.Message)
		if found = &proof; !proof.Graceful {
			break
		}
	}
	if found == nil && len(workloads) > 0 {
		found = &traffic.Termination{Message: "graceful termination is not proven: no HTTP path is known to ask"}
	}
	return found
}

// terminationOf tries the termination of one workload's pods; it is not tried
// where no pod says how it can be asked.
func (r *Runner) terminationOf(ctx context.Context, workload *cluster.Workload) (proof traffic.Termination, tried bool) {
	pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
	if err != nil || len(pods) == 0 {
		return proof, false
	}
	probe := healthProbes(r.Release.Spec.Validation.Health, pods)[0]
	if probe == nil {
		return proof, false
	}
	r.sweepBefore(ctx, workload.Ref)
	err = r.intend(ctx, "trial", workload.Ref.String(), map[string]string{"creates": "one spare pod, and deletes it"}, func() (err error) {
		proof, err = traffic.ProveTermination(ctx, r.Client, r.Release.Metadata.Namespace, workload, *probe, r.Clock)
		return err
	})
	if err != nil {
		return traffic.Termination{Message: "graceful termination is not proven: " + err.Error()}, true
	}
	return proof, true
}
