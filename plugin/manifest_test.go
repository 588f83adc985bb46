package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What looks like another type stays a string, a text of several lines is one
// block, and comments stand above what they are about.
func TestManifestIsYAMLForPeople(t *testing.T) {
	written := manifest{
		object: &corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{"epoch": "7", "on": "yes", "text": "one: 1\ntwo"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "a", Args: []string{"-v", "2"}}, {Name: "b"},
			}},
		},
		about: "a pod",
		notes: map[string][]string{"spec.containers": {"the first\nof two", ""}},
	}
	text, err := written.yaml()
	if err != nil {
		t.Fatal(err)
	}
	want := `# a pod

apiVersion: v1
kind: Pod
metadata:
  annotations:
    epoch: "7"
    "on": "yes"
    text: |-
      one: 1
      two
  name: web
spec:
  containers:
    # the first
    # of two
    - args: [-v, "2"]
      name: a
      resources: {}
    - name: b
      resources: {}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"spec.volumes", "spec", "nothing.there"} {
		written.notes = map[string][]string{path: {"one", "two"}}
		if _, err := written.yaml(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("notes at %s: %v", path, err)
		}
	}
}
