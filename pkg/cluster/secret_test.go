package cluster_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// inSecret names a key of the Secret of the tests.
func inSecret(key string) release.SecretSource {
	return release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "shop-probe", Key: key}}
}

// TestCompleteProbe: the values that a probe names are among its headers, of
// the copy alone; what can't be one is an error that doesn't repeat it.
func TestCompleteProbe(t *testing.T) {
	t.Setenv("SHOP_KEY", "from the environment")
	client, _ := clustertest.New(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-probe", Namespace: "shop"},
		Data:       map[string][]byte{"header": []byte("Bearer planted\n"), "broken": []byte("planted\nX-Other: yes"), "empty": {}},
	})
	probe := release.HTTPProbe{Path: "/", Headers: map[string]string{"Accept": "*/*"},
		HeadersFrom: map[string]release.SecretSource{"Authorization": inSecret("header"), "X-Key": {Env: "SHOP_KEY"}}}
	completed, err := client.CompleteProbe(t.Context(), "shop", probe)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Accept": "*/*", "Authorization": "Bearer planted", "X-Key": "from the environment"}
	if diff := cmp.Diff(want, completed.Headers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"Accept": "*/*"}, probe.Headers); diff != "" {
		t.Errorf("the document's own probe holds a secret:\n%s", diff)
	}
	for name, test := range map[string]struct {
		source release.SecretSource
		says   string
	}{
		"no Secret":        {release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "gone", Key: "header"}}, "read secret shop/gone: "},
		"no key":           {inSecret("gone"), "read secret shop/shop-probe: it has no key gone"},
		"an empty key":     {inSecret("empty"), "it has no key empty"},
		"no variable":      {release.SecretSource{Env: "SHOP_GONE"}, "environment variable SHOP_GONE is not set"},
		"two header lines": {inSecret("broken"), "its value can't stand in a header"},
	} {
		t.Run(name, func(t *testing.T) {
			probe := release.HTTPProbe{HeadersFrom: map[string]release.SecretSource{"Authorization": test.source}}
			_, err := client.CompleteProbe(t.Context(), "shop", probe)
			if err == nil || !strings.HasPrefix(err.Error(), "make header Authorization of a probe: ") || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "planted") {
				t.Errorf("%v", err)
			}
		})
	}
}
