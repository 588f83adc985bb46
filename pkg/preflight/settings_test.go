package preflight

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Data: data}
}

func secret(name string, data map[string]string) *corev1.Secret {
	found := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		found.Data[key] = []byte(value)
	}
	return found
}

func keyOf(name, object, key string) corev1.EnvVar {
	reference := corev1.LocalObjectReference{Name: object}
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: reference, Key: key}}}
}

func allOf(object string) corev1.EnvFromSource {
	return corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: object}}}
}

// compared is what BG-COL-14 says of values, where each colour's container is
// changed and the cluster holds objects.
func compared(t *testing.T, change func(color string, pod *corev1.PodSpec), prepare func(*fake.Clientset), objects ...runtime.Object) ([]Finding, *Facts) {
	t.Helper()
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		for _, object := range objects {
			if err := client.Tracker().Add(object); err != nil {
				t.Fatal(err)
			}
		}
		if prepare != nil {
			prepare(client)
		}
	})
	facts := healthy()
	facts.Release = in.Release
	for _, color := range []string{"blue", "green"} {
		facts.workload(color, func(workload *cluster.Workload) { change(color, &workload.Template.Spec) })
	}
	facts.Settings = settings(t.Context(), in, facts)
	assertReplayed(t, facts)
	findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-14")
	return slices.DeleteFunc(findings, func(finding Finding) bool { return finding.Subject == "blue and green" }), facts
}

func TestValuesAreCompared(t *testing.T) {
	env := func(variables ...string) func(string, *corev1.PodSpec) {
		return func(color string, pod *corev1.PodSpec) {
			version := map[string]string{"blue": "v2.4.0", "green": "v2.5.0"}[color]
			pod.Containers[0].Image = "registry.example:5000/shop:" + version
			for _, pair := range variables {
				name, value, _ := strings.Cut(strings.NewReplacer("COLOR", color, "VERSION", version).Replace(pair), "=")
				if value == "own" {
					value = map[string]string{"blue": "first", "green": "second"}[color]
				}
				pod.Containers[0].Env = append(pod.Containers[0].Env, corev1.EnvVar{Name: name, Value: value})
			}
		}
	}
	mount := func(color string, pod *corev1.PodSpec) {
		pod.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop-" + color}}}}}
		pod.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "config", MountPath: "/etc/shop"}}
	}
	per := func(add func(container *corev1.Container, color string)) func(string, *corev1.PodSpec) {
		return func(color string, pod *corev1.PodSpec) { add(&pod.Containers[0], color) }
	}
	url := per(func(container *corev1.Container, color string) {
		container.Env = append(container.Env, keyOf("DATABASE_URL", "shop-"+color, "url"))
	})
	for _, test := range []struct {
		name    string
		change  func(string, *corev1.PodSpec)
		objects []runtime.Object
		want    Outcome
		says    string
	}{
		{"alike", env("LOG=debug"), nil, Pass, "no value differs (2 compared)"},
		{"a version in a value of both", env("API=http://pay/v2.4.0/x", "THEME=blue"), nil, Pass, "no value differs (3 compared)"},
		{"a tag of digits", func(color string, pod *corev1.PodSpec) {
			env("BUILD_NAME=shop-"+map[string]string{"blue": "1432", "green": "1433"}[color])(color, pod)
			pod.Containers[0].Image = "shop:" + map[string]string{"blue": "1432", "green": "1433"}[color]
		}, nil, Pass, ""},
		{"what names a build", env("GIT_SHA=own", "BUILD_DATE=own", "APP_GIT_COMMIT=own", "REVISION=own"), nil, Pass, ""},
		{"what only looks so", env("AUTO_COMMIT=own"), nil, Warn, "the values differ of env AUTO_COMMIT"},
		{"a sidecar in one", func(color string, pod *corev1.PodSpec) {
			env("MODE=own")(color, pod)
			if color == "green" {
				pod.Containers = append(pod.Containers, corev1.Container{Name: "proxy"})
			}
		}, nil, Warn, "the values differ of containers[app] env MODE"},
		{"nothing to compare", func(_ string, pod *corev1.PodSpec) { pod.Containers[0].Env = nil }, nil, Skip, "no value that could be compared"},
		{"the colour and the version", env("NAME=COLOR", "APP_VERSION=VERSION", "HOST=db-COLOR.shop", "BUILD=shop/VERSION-1"), nil, Pass, ""},
		{"a longer word", func(color string, pod *corev1.PodSpec) {
			env("SHADE="+map[string]string{"blue": "blueish", "green": "greenish"}[color])(color, pod)
		}, nil, Warn, "the values differ of env SHADE"},
		{"a number that is an image's tag", func(color string, pod *corev1.PodSpec) {
			size := map[string]string{"blue": "5", "green": "6"}[color]
			pod.Containers[0].Image, pod.Containers[0].Env[0].Value = "shop:"+size, size
		}, nil, Warn, "the values differ of env DB_POOL_SIZE"},
		{"two Secrets that hold the same", url, []runtime.Object{secret("shop-blue", map[string]string{"url": "one"}), secret("shop-green", map[string]string{"url": "one"})}, Pass, ""},
		{"two Secrets that differ", url, []runtime.Object{secret("shop-blue", map[string]string{"url": canary("v1")}), secret("shop-green", map[string]string{"url": canary("v2")})}, Warn, "the values differ of env DATABASE_URL"},
		{"a Secret without the key", url, []runtime.Object{secret("shop-blue", map[string]string{"url": "one"}), secret("shop-green", nil)}, Unknown, "secret/shop-green has no key url"},
		{"all of two ConfigMaps", per(func(container *corev1.Container, color string) {
			container.EnvFrom = []corev1.EnvFromSource{allOf("shop-" + color)}
		}),
			[]runtime.Object{configMap("shop-blue", map[string]string{"LOG": "info", "MODE": "a", "OLD": "x"}), configMap("shop-green", map[string]string{"LOG": "info", "MODE": "b"})},
			Warn, "the values differ of env MODE; only blue has env OLD"},
		{"one ConfigMap, which nobody reads", per(func(container *corev1.Container, _ string) {
			container.EnvFrom = []corev1.EnvFromSource{allOf("missing")}
		}), nil, Pass, "no value differs (1 compared)"},
		{"files that differ", mount, []runtime.Object{configMap("shop-blue", map[string]string{"a.yaml": "1", "b.yaml": "2"}), configMap("shop-green", map[string]string{"a.yaml": "1", "b.yaml": "3"})},
			Warn, "the values differ of file /etc/shop/b.yaml"},
		{"an optional one that is not there", per(func(container *corev1.Container, color string) {
			from := allOf("shop-" + color)
			from.ConfigMapRef.Optional = ptr.To(true)
			container.EnvFrom = []corev1.EnvFromSource{from}
		}), []runtime.Object{configMap("shop-blue", map[string]string{"LOG": "info"})}, Warn, "only blue has env LOG"},
	} {
		findings, facts := compared(t, test.change, nil, test.objects...)
		if len(findings) != 1 || findings[0].Outcome != test.want || !strings.Contains(findings[0].Cause, test.says) {
			t.Errorf("%s: %+v, want %s with %q", test.name, findings, test.want, test.says)
		}
		if text := string(saved(t, facts)); strings.Contains(text, canaryMark) {
			t.Errorf("%s: a value is in the facts", test.name)
		}
	}
}

// Equal values have another hash in another run, and where they stand is told.
func TestHashesAreOfOneRun(t *testing.T) {
	change := func(color string, pod *corev1.PodSpec) {
		pod.Containers[0].Env = append(pod.Containers[0].Env, keyOf("PIN", "shop-"+color, "pin"))
	}
	objects := []runtime.Object{secret("shop-blue", map[string]string{"pin": "1234"}), secret("shop-green", map[string]string{"pin": "4321"})}
	findings, one := compared(t, change, nil, objects...)
	_, other := compared(t, change, nil, objects...)
	if hash := one.Settings["blue"][0]["env PIN"].Hash; hash == "" || hash == other.Settings["blue"][0]["env PIN"].Hash {
		t.Errorf("the hash %q is the same in two runs", hash)
	}
	if got := findings[0].Evidence["env PIN"]; got != "secret/shop-blue key pin | secret/shop-green key pin" {
		t.Errorf("evidence = %q", got)
	}
}

// What may not be read is not known, and is not taken for a difference.
func TestValuesThatMayNotBeRead(t *testing.T) {
	refuse := func(client *fake.Clientset) {
		client.PrependReactor("get", "secrets", func(kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("no"))
		})
	}
	findings, _ := compared(t, func(color string, pod *corev1.PodSpec) {
		pod.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop-" + color}}}}
	}, refuse)
	if len(findings) != 1 || findings[0].Outcome != Unknown || findings[0].Blocks || !strings.Contains(findings[0].Cause, "secret/shop-blue: ") || !strings.Contains(findings[0].Remedy, "generate rbac") {
		t.Errorf("%+v", findings)
	}
	keyless := func(color string, pod *corev1.PodSpec) {
		pod.Containers[0].Env = append(pod.Containers[0].Env, keyOf("PIN", "shop-"+color, "pin"))
	}
	findings, _ = compared(t, keyless, nil, secret("shop-blue", map[string]string{"pin": "1"}), secret("shop-green", nil))
	if len(findings) != 1 || findings[0].Outcome != Unknown || strings.Contains(findings[0].Remedy, "grant") {
		t.Errorf("of a key that is not there: %+v", findings)
	}
	facts := healthy()
	facts.Settings = nil
	if finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-14")[1]; finding.Outcome != Unknown {
		t.Errorf("facts of before: %+v", finding)
	}
}

// A pull request is judged by what its manifests hold, and a shift by what the
// target's manifests will make.
func TestValuesInManifests(t *testing.T) {
	file := func(color, mode string) string {
		path := filepath.Join(t.TempDir(), color+".yaml")
		manifest := strings.NewReplacer("COLOR", color, "MODE", mode).Replace(`apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-COLOR}
spec:
  selector: {matchLabels: {version: COLOR}}
  template:
    metadata: {labels: {version: COLOR}}
    spec: {containers: [{name: app, image: shop, envFrom: [{configMapRef: {name: shop-COLOR}}, {secretRef: {name: shop-COLOR}}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-COLOR}
data: {WHICH: MODE}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-COLOR}
stringData: {PIN: MODE}
`)
		if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for green, want := range map[string]string{"a": "no value differs (2 compared)", "b": "the values differ of env PIN, env WHICH"} {
		in := inputs(t, "", "3", nil)
		in.Stage, in.Target = StagePR, "green"
		in.Manifests = map[string][]string{"blue": {file("blue", "a")}, "green": {file("green", green)}}
		findings := findingsOf(Evaluate(Collect(t.Context(), in), Catalogue(), StagePR), "BG-COL-14")
		if len(findings) != 2 || findings[1].Cause != want {
			t.Errorf("green has %s: %+v, want %q", green, findings, want)
		}
		facts := &Facts{Stage: StageDeploy, Target: "green"}
		in.Stage = StageDeploy
		held, err := readOnce(t.Context(), in, facts, "green")("configmap/shop-green")
		if err != nil || held.text["WHICH"] != green {
			t.Errorf("of the target: %+v, %v", held, err)
		}
		if _, err := readOnce(t.Context(), in, facts, "blue")("configmap/shop-blue"); !apierrors.IsNotFound(err) {
			t.Errorf("of the live colour its manifests are read: %v", err)
		}
	}
}

// What no manifest holds is no pass without a word: a pull request's finding has it
// as evidence.
func TestValuesThatNoManifestHolds(t *testing.T) {
	compared := comparedSettings{colors: healthy().colors()}
	unread := map[string]Setting{"env PIN": {From: "secret/x key pin", Unread: "it is in no manifest"}}
	compared.compare(unread, unread)
	findings := compared.findings(StagePR)
	if len(findings) != 1 || findings[0].Outcome != Skip || !strings.Contains(findings[0].Evidence["not compared"], "env PIN: secret/x key pin") {
		t.Errorf("%+v", findings)
	}
}
