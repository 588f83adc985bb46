package cluster_test

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
)

// doomed is the metadata of an object that is to be deleted.
func doomed(annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: "blue", Namespace: "shop", UID: "seen", Annotations: annotations}
}

// Every kind that a side is made of is deleted, once, by the uid that was seen
// and the version that was read, and to delete it again is no error.
func TestDeleteOfEveryKind(t *testing.T) {
	for kind, object := range map[string]runtime.Object{
		"deployment":              &appsv1.Deployment{ObjectMeta: doomed(nil)},
		"statefulset":             &appsv1.StatefulSet{ObjectMeta: doomed(nil)},
		"service":                 &corev1.Service{ObjectMeta: doomed(nil)},
		"poddisruptionbudget":     &policyv1.PodDisruptionBudget{ObjectMeta: doomed(nil)},
		"horizontalpodautoscaler": &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: doomed(nil)},
	} {
		client, clientset := clustertest.New(object)
		deletion := cluster.Deletion{Kind: kind, Name: "blue", UID: "seen"}
		for range 2 {
			if err := client.Delete(t.Context(), "shop", deletion, cluster.Fence{Epoch: 3, Holder: "ann"}); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		deletions := 0
		for _, action := range clientset.Actions() {
			deletion, is := action.(clienttesting.DeleteActionImpl)
			if !is {
				continue
			}
			deletions++
			must := deletion.DeleteOptions.Preconditions
			if must == nil || *must.UID != "seen" || *must.ResourceVersion != "1" || *deletion.DeleteOptions.PropagationPolicy != metav1.DeletePropagationBackground {
				t.Errorf("%s: options = %+v", kind, deletion.DeleteOptions)
			}
		}
		if deletions != 1 {
			t.Errorf("%s: %d deletions", kind, deletions)
		}
	}
	client, _ := clustertest.New()
	if err := client.Delete(t.Context(), "shop", cluster.Deletion{Kind: "secret", Name: "blue"}, cluster.Fence{}); err == nil {
		t.Error("a secret is deleted")
	}
}

// Another object of the name, and one that somebody with a newer right has
// stamped, stay.
func TestDeleteLeavesWhatIsNotMeant(t *testing.T) {
	newer := map[string]string{cluster.AnnotationEpoch: "4", cluster.AnnotationHolder: "bob"}
	for name, test := range map[string]struct {
		object metav1.ObjectMeta
		uid    types.UID
		want   error
	}{
		"replaced since":          {doomed(nil), "another", cluster.ErrReplaced},
		"stamped by a newer run":  {doomed(newer), "seen", cluster.ErrFenced},
		"the same epoch of bob's": {doomed(map[string]string{cluster.AnnotationEpoch: "3", cluster.AnnotationHolder: "bob"}), "seen", cluster.ErrFenced},
	} {
		t.Run(name, func(t *testing.T) {
			client, clientset := clustertest.New(&appsv1.Deployment{ObjectMeta: test.object})
			deletion := cluster.Deletion{Kind: "deployment", Name: "blue", UID: test.uid}
			err := client.Delete(t.Context(), "shop", deletion, cluster.Fence{Epoch: 3, Holder: "ann"})
			if !errors.Is(err, test.want) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
			if _, err := clientset.AppsV1().Deployments("shop").Get(t.Context(), "blue", metav1.GetOptions{}); err != nil {
				t.Errorf("it is gone: %v", err)
			}
		})
	}
}

// What is written between the read and the deletion is read again; who took
// the release over in between keeps the object.
func TestDeleteReadsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		stamp map[string]string
		gone  bool
	}{
		"its controller wrote": {nil, true},
		"a takeover stamped":   {map[string]string{cluster.AnnotationEpoch: "9", cluster.AnnotationHolder: "bob"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client, clientset := clustertest.New(&appsv1.Deployment{ObjectMeta: doomed(nil)})
			between(t, clientset, test.stamp)
			err := client.Delete(t.Context(), "shop", cluster.Deletion{Kind: "deployment", Name: "blue", UID: "seen"}, cluster.Fence{Epoch: 3, Holder: "ann"})
			_, missing := clientset.AppsV1().Deployments("shop").Get(t.Context(), "blue", metav1.GetOptions{})
			if gone := apierrors.IsNotFound(missing); gone != test.gone || test.gone != (err == nil) {
				t.Errorf("gone %v, %v", gone, err)
			}
		})
	}
}

// between has somebody write to the Deployment before the first deletion of it.
func between(t *testing.T, clientset *fake.Clientset, annotations map[string]string) {
	t.Helper()
	written := false
	clientset.PrependReactor("delete", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if written {
			return false, nil, nil
		}
		written = true
		changed := &appsv1.Deployment{ObjectMeta: doomed(annotations)}
		changed.ResourceVersion = "2"
		if err := clientset.Tracker().Update(action.GetResource(), changed, "shop"); err != nil {
			t.Error(err)
		}
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), "blue", cluster.ErrFenced)
	})
}
