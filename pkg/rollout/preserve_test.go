package rollout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// No secret of a pod's spec is written to disk, wherever it stands.
func TestKeptSpecHoldsNoSecret(t *testing.T) {
	container := corev1.Container{
		Name: "shop", Image: "shop:v2", Command: []string{"shop", "--key=planted"}, Args: []string{"--dsn=postgres://shop:planted@db"},
		Env:            []corev1.EnvVar{{Name: "TOKEN", Value: "planted"}},
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/health", HTTPHeaders: []corev1.HTTPHeader{{Name: "X-Key", Value: "planted"}}}}},
		LivenessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check", "planted"}}}},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"leave", "planted"}}}},
	}
	pod := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-1", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "planted", "team/note": "the key is planted-7f3q"}},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{*container.DeepCopy()}, Containers: []corev1.Container{container},
			EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Args: []string{"planted"}}}},
		},
	}
	keep := keeping{directory: t.TempDir(), secrets: release.NewRedactor("planted-7f3q")}
	if err := keep.spec(pod); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(keep.directory, "shop-1.yaml"))
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

// The values of the Secrets that a pod is given, and of what its environment
// calls a secret, are known and found wherever the pod repeats them.
func TestWhatAPodIsGivenIsNotKept(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "database", Namespace: "shop"},
		Data: map[string][]byte{"url": []byte("postgres://shop:planted%2Furl@db/shop"), "port": []byte("5432"),
			"file": []byte("planted-line\n"), "key": []byte("-----BEGIN-----\nplanted-key-line\n-----END-----\n"), "dsn": []byte("host=db user=shop password=planted-keyword\n")}}
	planted := pod("green")
	planted.Spec = corev1.PodSpec{
		Containers: []corev1.Container{{
			Env: []corev1.EnvVar{
				{Name: "SIGNING_KEY", Value: "not taken for one"}, {Name: "API_TOKEN", Value: "planted-token"}, {Name: "REGION", Value: "eu-west-1"},
				{Name: "DATABASE_URL", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "database"}, Key: "url"}}},
			},
		}},
	}
	runner, _, _ := newRunner(t, secret)
	keep := keeping{secrets: runner.redactor(t.Context(), Preserve, []corev1.Pod{*planted})}
	text := strings.Builder{}
	lines := "connected as planted/url to port 5432\nsent planted-token to eu-west-1\ndsn postgres://shop:planted%2Furl@db/shop\n" +
		"login with planted-line as shop\nkey planted-key-line\nlogin with planted-keyword"
	if err := keep.copy(&text, strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	want := "connected as *** to port 5432\nsent *** to eu-west-1\ndsn ***\nlogin with *** as shop\nkey ***\nlogin with ***"
	if text.String() != want {
		t.Errorf("kept:\n%s\nwant:\n%s", text.String(), want)
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
		found, err := firstMatch(strings.NewReader("first\n"+line+"\n"), patterns, release.NewRedactor())
		if err != nil || (found == line) != want {
			t.Errorf("%q: found %q, %v, want a match: %v", line, found, err, want)
		}
	}
}
