package rollout

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

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
	keep := keeping{directory: t.TempDir(), secrets: redaction{Redactor: release.NewRedactor("planted-7f3q")}}
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

// What starts a pod may be what is wrong with it: its log is kept too, and of what
// has never run none is asked for.
func TestTheLogsOfInitContainersAreKept(t *testing.T) {
	planted := pod("green")
	planted.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "migrate", RestartCount: 1}, {Name: "warm", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}}
	planted.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shop"}}
	runner, _, _ := newRunner(t, planted)
	keep := keeping{runner: runner, directory: t.TempDir(), secrets: redaction{Redactor: release.NewRedactor()}}
	if err := keep.logs(t.Context(), *planted); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(keep.directory)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, entry := range entries {
		kept = append(kept, entry.Name())
	}
	want := []string{"shop-green-1.migrate.log", "shop-green-1.migrate.previous.log", "shop-green-1.shop.log"}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Error(diff)
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
	keep := keeping{secrets: runner.redaction(t.Context(), Preserve, []corev1.Pod{*planted})}
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

// What a pod logs of the headers that it was sent is hidden, whole or in part;
// what this process doesn't know is told once.
func TestHeadersThatWereSentAreHidden(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: "shop"}, Data: map[string][]byte{
		"bearer": []byte("Bearer planted-bearer\n"), "basic": []byte("Basic " + base64.StdEncoding.EncodeToString([]byte("ana:planted-basic"))),
	}}
	from := func(key string) release.SecretSource {
		return release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "probe", Key: key}}
	}
	t.Setenv("SHOP_KEY", "planted-variable")
	runner, _, prepend := newRunner(t, secret)
	runner.Release.Spec.Validation = release.Validation{
		Health:    &release.HTTPProbe{HeadersFrom: map[string]release.SecretSource{"Authorization": from("bearer"), "X-Absent": {Env: "SHOP_ABSENT"}}},
		Synthetic: []release.Probe{{HTTP: &release.HTTPProbe{HeadersFrom: map[string]release.SecretSource{"Proxy-Authorization": from("basic"), "X-Key": {Env: "SHOP_KEY"}, "X-Absent": {Env: "SHOP_ABSENT"}}}}},
	}
	failures := 0
	prepend("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		failures++
		return failures == 1, nil, apierrors.NewServiceUnavailable("away")
	})
	var told []string
	runner.Progress = func(event Event) { told = append(told, event.Message) }
	secrets := runner.redaction(t.Context(), CleanLogs, []corev1.Pod{*pod("green")})
	_ = runner.redaction(t.Context(), Preserve, []corev1.Pod{*pod("green")})
	got := secrets.Redact("got planted-bearer, then planted-basic of ana, then planted-variable, to eu-west-1")
	if want := "got ***, then *** of ana, then ***, to eu-west-1"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if want := []string{"header X-Absent can't be read: environment variable SHOP_ABSENT is not set; what pods log that have it is neither repeated nor kept"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// A Secret that a pod has as a file is known like one that it has as a variable,
// whichever container sees it, and so is what stands in such a file.
func TestWhatAPodHasAsAFileIsNotKept(t *testing.T) {
	secret := func(name, value string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}, Data: map[string][]byte{"file": []byte(value)}}
	}
	reference := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	planted := pod("green")
	planted.Spec = corev1.PodSpec{
		InitContainers: []corev1.Container{{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference("init")}}}}},
		Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "volume"}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: reference("projected")}}}}}},
		},
	}
	runner, _, _ := newRunner(t, secret("init", "planted-init"),
		secret("volume", "region: eu-west-1\napi_key: planted-key\ncache: redis://:planted%2Fcache@cache:6379/0\n"),
		secret("projected", "{\"client_secret\":\"planted-json\",\"mode\":\"strict\"}"))
	secrets := runner.redaction(t.Context(), Preserve, []corev1.Pod{*planted})
	got := secrets.Redact("with planted-init, planted-key, planted/cache, planted-json in eu-west-1, strict")
	if want := "with ***, ***, ***, *** in eu-west-1, strict"; got != want || secrets.silences(planted.Name) != "" {
		t.Errorf("kept %q, want %q; silenced for %q", got, want, secrets.silences(planted.Name))
	}
}

// A secret is found however a log writes it.
func TestASecretIsFoundAsItIsWritten(t *testing.T) {
	const secret = `pla"nt<ed words`
	secrets := release.NewRedactor(parts(secret + "\n")...)
	for _, line := range []string{
		secret, `pla\"nt<ed words`, `pla\"nt\u003ced words`, "pla%22nt%3Ced+words", "pla%22nt%3Ced%20words",
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret + "\n")),
	} {
		if got := secrets.Redact("signing with " + line + " now"); got != "signing with *** now" {
			t.Errorf("%q is kept as %q", line, got)
		}
	}
}

// Of a header the credentials are found without their scheme, whatever that is.
func TestCredentialsAreFoundWithoutTheirScheme(t *testing.T) {
	if got := release.NewRedactor(headerParts("ShopKey planted-scheme\n")...).Redact("refused planted-scheme"); got != "refused ***" {
		t.Errorf("kept as %q", got)
	}
}

// YAML breaks and escapes what is long or odd: secrets are found before it does.
func TestASecretIsFoundWhereYAMLBreaksIt(t *testing.T) {
	const secret = `planted words "that stand" alone`
	keep := keeping{directory: t.TempDir(), secrets: redaction{Redactor: release.NewRedactor(secret)}}
	for indent := range 90 {
		event := corev1.Event{Reason: "Unhealthy", Message: strings.Repeat("x ", indent) + secret + " " + strings.Repeat("y ", 20), Count: 1234567}
		if err := keep.yaml("events.yaml", []corev1.Event{event}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(keep.directory, "events.yaml"))
		if err != nil || strings.Contains(string(text), "planted") || strings.Contains(string(text), "alone") || !strings.Contains(string(text), "count: 1234567") {
			t.Errorf("after %d words: %v\n%s", indent, err, text)
		}
	}
}

// unsilenced quotes a line without what looks like a secret.
func unsilenced(text string, pattern *regexp.Regexp) string {
	return redaction{Redactor: release.NewRedactor()}.quote("shop-1", text, pattern)
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
		found, err := firstMatch(strings.NewReader("first\n"+line+"\n"), time.Time{}, patterns, unsilenced)
		if err != nil || (found == line) != want {
			t.Errorf("%q: found %q, %v, want a match: %v", line, found, err, want)
		}
	}
}
