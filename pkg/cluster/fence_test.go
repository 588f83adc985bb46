package cluster_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func stamped(annotations map[string]string) metav1.Object {
	return &metav1.ObjectMeta{Name: "shop", ResourceVersion: "7", Annotations: annotations}
}

func TestFencedPatch(t *testing.T) {
	fence := cluster.Fence{Epoch: 3, Holder: "ann@laptop/12"}
	change := cluster.Operation{Op: "replace", Path: "/spec/selector/version", Value: "green"}
	const stamp = `{"op":"add","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"3"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ann@laptop/12"}]`
	for name, test := range map[string]struct {
		annotations map[string]string
		want        string
		fenced      bool
		fails       bool
	}{
		"never stamped, no annotations": {
			want: `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
				`{"op":"add","path":"/metadata/annotations","value":{}},` +
				`{"op":"replace","path":"/spec/selector/version","value":"green"},` + stamp,
		},
		"never stamped, foreign annotations stay": {
			annotations: map[string]string{"team": "a"},
			want: `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
				`{"op":"replace","path":"/spec/selector/version","value":"green"},` + stamp,
		},
		"stamped by an earlier run": {
			annotations: map[string]string{cluster.AnnotationEpoch: "2", cluster.AnnotationHolder: "bob"},
			want: `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
				`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"2"},` +
				`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1holder","value":"bob"},` +
				`{"op":"replace","path":"/spec/selector/version","value":"green"},` + stamp,
		},
		"stamped by this run": {
			annotations: map[string]string{cluster.AnnotationEpoch: "3", cluster.AnnotationHolder: "ann@laptop/12"},
			want: `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
				`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"3"},` +
				`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ann@laptop/12"},` +
				`{"op":"replace","path":"/spec/selector/version","value":"green"},` + stamp,
		},
		"stamped by a later run": {
			annotations: map[string]string{cluster.AnnotationEpoch: "4", cluster.AnnotationHolder: "bob"}, fenced: true,
		},
		"the same epoch in another hand": {
			annotations: map[string]string{cluster.AnnotationEpoch: "3", cluster.AnnotationHolder: "bob"}, fenced: true,
		},
		"a stamp that is no number": {
			annotations: map[string]string{cluster.AnnotationEpoch: "three"}, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := cluster.FencedPatch(stamped(test.annotations), fence, change)
			if errors.Is(err, cluster.ErrFenced) != test.fenced || (err != nil) != (test.fenced || test.fails) {
				t.Fatalf("err = %v, want fenced %v, fails %v", err, test.fenced, test.fails)
			}
			if diff := cmp.Diff(test.want, string(patch)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What somebody has made unreadable is stamped anew, on the version that was read
// alone; a stamp that can be read is held against as ever.
func TestRestampingPatch(t *testing.T) {
	fence := cluster.Fence{Epoch: 3, Holder: "ann@laptop/12"}
	patch, err := cluster.RestampingPatch(stamped(map[string]string{cluster.AnnotationEpoch: "three", cluster.AnnotationHolder: "bob"}), fence)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
		`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"three"},` +
		`{"op":"test","path":"/metadata/annotations/bluegreen.dev~1holder","value":"bob"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"3"},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ann@laptop/12"}]`
	if diff := cmp.Diff(want, string(patch)); diff != "" {
		t.Error(diff)
	}
	if _, err := cluster.RestampingPatch(stamped(map[string]string{cluster.AnnotationEpoch: "4"}), fence); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a later run's stamp: err = %v, want ErrFenced", err)
	}
}
