package rollout

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// secretAttempts bounds how often a Secret is asked for again that the API
// server did not answer for.
const secretAttempts = 8

// redactor hides, in what pods log and say of themselves, the values of every
// Secret that they are given and of their environment. Of a Secret that can't
// be read only what looks like a secret is hidden, and that is told.
func (r *Runner) redactor(ctx context.Context, phase Phase, pods []corev1.Pod) release.Redactor {
	var values []string
	read := map[string]bool{}
	for index := range pods {
		for _, name := range cluster.SecretsOf(&pods[index].Spec) {
			if read[name] {
				continue
			}
			read[name] = true
			secret, err := r.secret(ctx, pods[index].Namespace, name)
			if err != nil {
				r.tell(phase, Warning, "secret/%s can't be read, so its values are hidden only where they look like secrets: %v", name, cluster.Explain(err))
				continue
			}
			for _, value := range secret.Data {
				values = append(values, parts(string(value))...)
			}
		}
		for _, container := range cluster.ContainersOf(&pods[index].Spec) {
			for _, variable := range container.Env {
				if release.Redacted(variable.Name+"="+variable.Value) != variable.Name+"="+variable.Value {
					values = append(values, parts(variable.Value)...)
				}
			}
		}
	}
	return release.NewRedactor(values...)
}

// secret reads a Secret, and again while the API server does not answer.
func (r *Runner) secret(ctx context.Context, namespace, name string) (secret *corev1.Secret, err error) {
	for range secretAttempts {
		secret, err = r.Client.Kubernetes.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		if !cluster.Transient(err) || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-r.Clock.After(proofInterval):
		}
	}
	return secret, err
}

// parts are a secret, each of its lines, for texts are searched line by line,
// and, of a connection string, the password in it, as it is written there and
// as it is meant.
func parts(secret string) []string {
	// In a connection string of keywords (PostgreSQL, "Keyword/Value Connection
	// Strings"): host=db password=secret, or password='two words'.
	keyword := regexp.MustCompile(`(?i)\bpassword\s*=\s*(?:'([^']*)'|(\S+))`)
	var found []string
	for line := range strings.Lines(secret) {
		line = strings.TrimSpace(line)
		found = append(found, line)
		if address, err := url.Parse(line); err == nil && address.User != nil {
			if password, set := address.User.Password(); set {
				found = append(found, password, url.QueryEscape(password))
			}
		}
		for _, match := range keyword.FindAllStringSubmatch(line, -1) {
			found = append(found, match[1]+match[2])
		}
	}
	return found
}
