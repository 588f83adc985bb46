package rollout

import (
	"context"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// redactor hides, in what pods log and say of themselves, the values of every
// Secret that they are given and of their environment. Who may not read Secrets
// is left with what looks like a secret.
func (r *Runner) redactor(ctx context.Context, pods []corev1.Pod) release.Redactor {
	var values []string
	read := map[string]bool{}
	for index := range pods {
		for _, name := range cluster.SecretsOf(&pods[index].Spec) {
			if read[name] {
				continue
			}
			read[name] = true
			secret, err := r.Client.Kubernetes.CoreV1().Secrets(pods[index].Namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
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

// parts are a secret and, of a connection string, the password in it, as it is
// written there and as it is meant.
func parts(secret string) []string {
	found := []string{secret}
	if address, err := url.Parse(secret); err == nil && address.User != nil {
		if password, set := address.User.Password(); set {
			found = append(found, password, url.QueryEscape(password))
		}
	}
	return found
}
