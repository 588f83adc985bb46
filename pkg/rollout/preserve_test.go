package rollout

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// No secret of a pod's spec is written to disk, wherever it stands.
func TestKeptSpecHoldsNoSecret(t *testing.T) {
	container := corev1.Container{
		Name: "shop", Image: "shop:v2", Command: []string{"shop", "--key=planted"}, Args: []string{"--dsn=postgres://shop:planted@db"},
		Env: []corev1.EnvVar{{Name: "TOKEN", Value: "planted"}},
	}
	pod := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-1", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "planted"}},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{*container.DeepCopy()}, Containers: []corev1.Container{container},
			EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Args: []string{"planted"}}}},
		},
	}
	directory, files := t.TempDir(), atomic.Int64{}
	if err := keepSpec(directory, pod, &files); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(directory, "shop-1.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(kept), "planted") || !strings.Contains(string(kept), "image: shop:v2") || !strings.Contains(string(kept), "name: TOKEN") {
		t.Errorf("kept:\n%s", kept)
	}
	if pod.Spec.Containers[0].Args[0] == leftOut {
		t.Error("the pod itself was changed")
	}
}

func TestForbiddenLogLines(t *testing.T) {
	runner, _, _ := newRunner(t)
	patterns, err := runner.forbidden()
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		"panic: runtime error":                  true,
		`{"level":"FATAL","msg":"no database"}`: true,
		"sorry, too many clients already":       true,
		`{"sqlstate":"53300"}`:                  true,
		"a non-fatal warning":                   false,
		"ready to serve":                        false,
	} {
		found, err := firstMatch(strings.NewReader("first\n"+line+"\n"), patterns)
		if err != nil || (found == line) != want {
			t.Errorf("%q: found %q, %v, want a match: %v", line, found, err, want)
		}
	}
}
