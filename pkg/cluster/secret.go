package cluster

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// SecretValue is the value that a document names and never holds: that of a
// Secret's key in a namespace, or of an environment variable by getenv. It is
// for using, not for showing or keeping; no error holds it.
func SecretValue(ctx context.Context, client kubernetes.Interface, namespace string, source release.SecretSource, getenv func(string) string) (string, error) {
	ref := source.SecretKeyRef
	switch {
	case ref == nil && (getenv == nil || getenv(source.Env) == ""):
		return "", fmt.Errorf("environment variable %s is not set", source.Env)
	case ref == nil:
		return getenv(source.Env), nil
	case client == nil:
		return "", fmt.Errorf("read secret %s/%s: no cluster", namespace, ref.Name)
	}
	secret, err := client.CoreV1().Secrets(namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("read secret %s/%s: %w", namespace, ref.Name, err)
	}
	value, found := secret.Data[ref.Key]
	if !found || len(value) == 0 {
		return "", fmt.Errorf("read secret %s/%s: it has no key %s", namespace, ref.Name, ref.Key)
	}
	return string(value), nil
}

// CompleteProbe is a probe with its headersFrom among its headers, the values
// read from the Secrets and the environment that they name. Like those, it is
// for using, not for showing or keeping. A line break at the end of a value,
// which a Secret made from a file has, is left out.
func (c *Client) CompleteProbe(ctx context.Context, namespace string, probe release.HTTPProbe) (release.HTTPProbe, error) {
	if len(probe.HeadersFrom) == 0 {
		return probe, nil
	}
	headers := maps.Clone(probe.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	for name, source := range probe.HeadersFrom {
		value, err := SecretValue(ctx, c.Kubernetes, namespace, source, os.Getenv)
		if err != nil {
			return release.HTTPProbe{}, fmt.Errorf("make header %s of a probe: %w", name, err)
		}
		value = strings.TrimRight(value, "\r\n")
		if !httpguts.ValidHeaderFieldValue(value) {
			return release.HTTPProbe{}, fmt.Errorf("make header %s of a probe: its value can't stand in a header", name)
		}
		headers[name] = value
	}
	probe.Headers, probe.HeadersFrom = headers, nil
	return probe, nil
}
