package cluster_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// givenDeployment takes variables from a ConfigMap and a Secret, and a file from
// another.
const givenDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - name: app
        envFrom: [{configMapRef: {name: shop}}]
        env: [{name: DSN, valueFrom: {secretKeyRef: {name: database, key: dsn}}}]
      volumes:
      - {name: files, configMap: {name: files}}
`

func parsed(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

// sumOf is what a workload carries, with what is brought beside it and what stands.
func sumOf(t *testing.T, brought []string, standing ...any) string {
	t.Helper()
	set := fake.NewClientset()
	for _, object := range standing {
		var err error
		switch object := object.(type) {
		case *corev1.ConfigMap:
			err = set.Tracker().Add(object)
		case *corev1.Secret:
			err = set.Tracker().Add(object)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	objects := []*unstructured.Unstructured{}
	for _, text := range brought {
		objects = append(objects, parsed(t, text))
	}
	found, err := (&cluster.Client{Kubernetes: set}).WithConfiguration(t.Context(), "ns", objects)
	if err != nil {
		t.Fatal(err)
	}
	if _, changed, _ := unstructured.NestedFieldNoCopy(objects[0].Object, "spec", "template", "metadata"); changed {
		t.Error("what was read is changed")
	}
	sum, _, err := unstructured.NestedString(found[0].Object, "spec", "template", "metadata", "annotations", cluster.AnnotationConfiguration)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// The sum is another one for every change of what pods are given, and of nothing else.
func TestConfigurationSum(t *testing.T) {
	configMap := func(size string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "ns"}, Data: map[string]string{"SIZE": size}}
	}
	stamped := configMap("5")
	stamped.Annotations, stamped.ResourceVersion = map[string]string{cluster.AnnotationEpoch: "7"}, "9"
	secret := func(version string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "database", Namespace: "ns", UID: "one", ResourceVersion: version}}
	}
	brought := `{apiVersion: v1, kind: ConfigMap, metadata: {name: shop}, data: {SIZE: "5"}}`
	file := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "files", Namespace: "ns"}, Data: map[string]string{"a": "b"}}
	own := `{apiVersion: v1, kind: Secret, metadata: {name: database}, stringData: {dsn: canary}}`
	encoded := `{apiVersion: v1, kind: Secret, metadata: {name: database}, data: {dsn: Y2FuYXJ5}}`
	other := `{apiVersion: v1, kind: Secret, metadata: {name: database}, data: {dsn: b3RoZXI=}}`

	same := sumOf(t, []string{givenDeployment}, configMap("5"), secret("3"))
	if len(same) != 8 {
		t.Fatalf("the sum is %q, want 32 bits", same)
	}
	for name, test := range map[string]struct {
		got  string
		same bool
	}{
		"stamped":                {sumOf(t, []string{givenDeployment}, stamped, secret("3")), true},
		"brought as it stands":   {sumOf(t, []string{givenDeployment, brought}, secret("3")), true},
		"a value is another one": {sumOf(t, []string{givenDeployment}, configMap("6"), secret("3")), false},
		"brought with another":   {sumOf(t, []string{givenDeployment, `{apiVersion: v1, kind: ConfigMap, metadata: {name: shop}, data: {SIZE: "6"}}`}, configMap("5"), secret("3")), false},
		"the Secret was written": {sumOf(t, []string{givenDeployment}, configMap("5"), secret("4")), false},
		"the Secret is gone":     {sumOf(t, []string{givenDeployment}, configMap("5")), false},
		"a file is there":        {sumOf(t, []string{givenDeployment}, configMap("5"), secret("3"), file), false},
	} {
		if (test.got == same) != test.same {
			t.Errorf("%s: %s, before %s", name, test.got, same)
		}
	}
	if plain, encoded := sumOf(t, []string{givenDeployment, own}), sumOf(t, []string{givenDeployment, encoded}); plain != encoded {
		t.Errorf("one Secret is %s in plain and %s encoded", plain, encoded)
	}
	if one, another := sumOf(t, []string{givenDeployment, encoded}), sumOf(t, []string{givenDeployment, other}); one == another {
		t.Error("another Secret that is brought makes no difference")
	}
	if sum := sumOf(t, []string{`{apiVersion: apps/v1, kind: Deployment, metadata: {name: shop}, spec: {template: {spec: {containers: [{name: app}]}}}}`}); sum != "" {
		t.Errorf("pods that are given nothing have the sum %s", sum)
	}
}
