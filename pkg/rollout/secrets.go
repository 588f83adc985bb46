package rollout

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// secretAttempts bounds how often a Secret is asked for again that the API
// server did not answer for.
const secretAttempts = 8

// redaction takes the secrets out of what pods say: what they log, and what
// others repeat of it.
type redaction struct {
	release.Redactor
	// unread is, by a pod's name, why not all is known that it must not repeat.
	unread map[string][]string
}

// silences is why nothing that a pod says is repeated or kept: a secret that it
// has can't be read, so nobody could find it there. It is "" where all of them
// are known.
func (r redaction) silences(pod string) string { return strings.Join(r.unread[pod], "; ") }

// quote is a line of a pod's log for people: without its secrets, at most 200
// characters of it; or, of a pod that is silenced, what is known of it.
func (r redaction) quote(pod, text string, pattern *regexp.Regexp) string {
	if reason := r.silences(pod); reason != "" {
		return fmt.Sprintf("a line that matches %s; the line is left out: %s", pattern, reason)
	}
	line := []rune(r.Redact(text))
	return string(line[:min(len(line), 200)])
}

// redaction hides, in what pods log and say of themselves, the values of every
// Secret that they are given, of their environment, and of the headers that are
// sent to them. A pod that has one which can't be read is silenced, and that is
// told.
func (r *Runner) redaction(ctx context.Context, phase Phase, pods []corev1.Pod) redaction {
	values, unsent := r.headerSecrets(ctx)
	found := redaction{unread: map[string][]string{}}
	read := map[cluster.PodSecret]string{}
	for index := range pods {
		pod := &pods[index]
		unread := slices.Clone(unsent)
		for _, given := range cluster.SecretsOf(&pod.Spec) {
			reason, known := read[given]
			if !known {
				var data []string
				data, reason = r.podSecret(ctx, pod.Namespace, given)
				read[given] = reason
				values = append(values, data...)
			}
			if reason != "" {
				unread = append(unread, reason)
			}
		}
		if len(unread) > 0 {
			found.unread[pod.Name] = unread
		}
		values = append(values, environment(pod)...)
	}
	r.tellUnread(phase, found.unread)
	found.Redactor = release.NewRedactor(values...)
	return found
}

// environment are the values of a pod's variables that are called secrets.
func environment(pod *corev1.Pod) []string {
	var values []string
	for _, container := range cluster.ContainersOf(&pod.Spec) {
		for _, variable := range container.Env {
			if release.Redacted(variable.Name+"="+variable.Value) != variable.Name+"="+variable.Value {
				values = append(values, parts(variable.Value)...)
			}
		}
	}
	return values
}

// podSecret are the values of a Secret that pods are given, or why they can't be
// known. One that pods may go without, and that is not there, they went without.
func (r *Runner) podSecret(ctx context.Context, namespace string, given cluster.PodSecret) (values []string, unread string) {
	secret, err := r.secret(ctx, namespace, given.Name)
	switch {
	case given.Optional && apierrors.IsNotFound(err):
		return nil, ""
	case err != nil:
		return nil, fmt.Sprintf("secret/%s can't be read: %v", given.Name, cluster.Explain(err))
	}
	for _, value := range secret.Data {
		values = append(values, parts(string(value))...)
	}
	return values, ""
}

// headerSecrets are the values that the release's requests get by headersFrom,
// for a pod may log what it was sent, and why others can't be known.
func (r *Runner) headerSecrets(ctx context.Context) (values, unread []string) {
	for _, probe := range r.Release.Spec.Validation.HTTPProbes() {
		for name, source := range probe.HeadersFrom {
			value, err := r.headerSecret(ctx, source)
			if err == nil {
				values = append(values, headerParts(value)...)
				continue
			}
			if reason := fmt.Sprintf("header %s can't be read: %v", name, cluster.Explain(err)); !slices.Contains(unread, reason) {
				unread = append(unread, reason)
			}
		}
	}
	slices.Sort(unread)
	return values, unread
}

// tellUnread says, once a run, what keeps pods from being quoted.
func (r *Runner) tellUnread(phase Phase, unread map[string][]string) {
	var reasons []string
	for _, of := range unread {
		reasons = append(reasons, of...)
	}
	slices.Sort(reasons)
	for _, reason := range slices.Compact(reasons) {
		if slices.Contains(r.unread, reason) {
			continue
		}
		r.unread = append(r.unread, reason)
		r.tell(phase, Warning, "%s; what pods log that have it is neither repeated nor kept", reason)
	}
}

// headerSecret is the value of one header.
func (r *Runner) headerSecret(ctx context.Context, source release.SecretSource) (value string, err error) {
	err = r.patiently(ctx, func() (err error) {
		value, err = cluster.SecretValue(ctx, r.Client.Kubernetes, r.Release.Metadata.Namespace, source, os.Getenv)
		return err
	})
	return value, err
}

// secret reads a Secret.
func (r *Runner) secret(ctx context.Context, namespace, name string) (secret *corev1.Secret, err error) {
	err = r.patiently(ctx, func() (err error) {
		secret, err = r.Client.Kubernetes.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		return err
	})
	return secret, err
}

// patiently asks, and again while the API server does not answer.
func (r *Runner) patiently(ctx context.Context, ask func() error) (err error) {
	for range secretAttempts {
		err = ask()
		if !cluster.Transient(err) || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-r.Clock.After(proofInterval):
		}
	}
	return err
}

// headerParts are a header's value, what stands in it after its scheme, and the
// password of a Basic one (RFC 9110, section 11.4; RFC 7617).
func headerParts(value string) []string {
	found := parts(value)
	if _, credentials, schemed := strings.Cut(strings.TrimSpace(value), " "); schemed {
		found = append(found, spellings(credentials)...)
	}
	request := http.Request{Header: http.Header{"Authorization": {strings.TrimSpace(value)}}}
	if _, password, basic := request.BasicAuth(); basic {
		found = append(found, spellings(password)...)
	}
	return found
}
