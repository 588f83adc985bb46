package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var shopBlue = release.Workload{Kind: "deployment", Name: "shop-blue"}

func shopDeployment(annotations map[string]string) *appsv1.Deployment {
	labels := map[string]string{"app": "shop", "version": "blue"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-blue", Namespace: "shop", Annotations: annotations},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](6),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
		},
	}
}

func readDeployment(t *testing.T, clientset *fake.Clientset) *appsv1.Deployment {
	t.Helper()
	deployment, err := clientset.AppsV1().Deployments("shop").Get(context.Background(), "shop-blue", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return deployment
}

func TestScaleIsFenced(t *testing.T) {
	client, clientset := clustertest.New(shopDeployment(map[string]string{"team": "a"}))
	fence := cluster.Fence{Epoch: 2, Holder: "ann"}
	err := client.Scale(context.Background(), "shop", shopBlue, 0, fence, cluster.Annotate("bluegreen.dev/replicas", "6"))
	if err != nil {
		t.Fatal(err)
	}
	deployment := readDeployment(t, clientset)
	want := map[string]string{"team": "a", "bluegreen.dev/replicas": "6", cluster.AnnotationEpoch: "2", cluster.AnnotationHolder: "ann"}
	if diff := cmp.Diff(want, deployment.Annotations); diff != "" || *deployment.Spec.Replicas != 0 {
		t.Errorf("replicas %d, annotations: %s", *deployment.Spec.Replicas, diff)
	}

	err = client.Scale(context.Background(), "shop", shopBlue, 6, cluster.Fence{Epoch: 1, Holder: "bob"})
	if !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a run of an earlier epoch: err = %v, want ErrFenced", err)
	}
	if replicas := *readDeployment(t, clientset).Spec.Replicas; replicas != 0 {
		t.Errorf("a run of an earlier epoch scaled to %d", replicas)
	}
}

// TestStampTriesAgain lets the workload's controller write between the read
// and the patch; the stamp must get through, and the controller's write stay.
func TestStampTriesAgain(t *testing.T) {
	client, clientset := clustertest.New(shopDeployment(nil))
	interferences := 3
	clientset.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if interferences > 0 {
			interferences--
			interfere(t, clientset, func(deployment *appsv1.Deployment) { deployment.Status.ReadyReplicas++ })
		}
		return false, nil, nil
	})
	if err := client.Stamp(context.Background(), "shop", shopBlue, cluster.Fence{Epoch: 5, Holder: "ann"}); err != nil {
		t.Fatal(err)
	}
	deployment := readDeployment(t, clientset)
	if deployment.Annotations[cluster.AnnotationEpoch] != "5" || deployment.Status.ReadyReplicas != 3 {
		t.Errorf("annotations %v, ready %d", deployment.Annotations, deployment.Status.ReadyReplicas)
	}
}

// TestStampLosesToATakeover lets a later run stamp between the read and the
// patch: trying again must find that out.
func TestStampLosesToATakeover(t *testing.T) {
	client, clientset := clustertest.New(shopDeployment(nil))
	once := true
	clientset.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if once {
			once = false
			interfere(t, clientset, func(deployment *appsv1.Deployment) {
				deployment.Annotations = map[string]string{cluster.AnnotationEpoch: "9", cluster.AnnotationHolder: "bob"}
			})
		}
		return false, nil, nil
	})
	err := client.Stamp(context.Background(), "shop", shopBlue, cluster.Fence{Epoch: 8, Holder: "ann"})
	if !errors.Is(err, cluster.ErrFenced) {
		t.Fatalf("err = %v, want ErrFenced", err)
	}
	if holder := readDeployment(t, clientset).Annotations[cluster.AnnotationHolder]; holder != "bob" {
		t.Errorf("holder = %s", holder)
	}
}

// interfere writes past the clientset, which holds a lock while a reactor
// runs.
func interfere(t *testing.T, clientset *fake.Clientset, change func(*appsv1.Deployment)) {
	t.Helper()
	resource := appsv1.SchemeGroupVersion.WithResource("deployments")
	object, err := clientset.Tracker().Get(resource, "shop", "shop-blue")
	if err != nil {
		t.Error(err)
		return
	}
	deployment := object.(*appsv1.Deployment).DeepCopy()
	change(deployment)
	deployment.ResourceVersion += "0"
	if err := clientset.Tracker().Update(resource, deployment, "shop"); err != nil {
		t.Error(err)
	}
}

func TestAsFenced(t *testing.T) {
	services := schema.GroupResource{Resource: "services"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":             {nil, false},
		"conflict":            {apierrors.NewConflict(services, "svc", errors.New("the object has been modified")), true},
		"a failed patch test": {apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", "testing value failed", 0, false), true},
		"a failed validation": {apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "svc", field.ErrorList{field.Required(field.NewPath("spec"), "")}), false},
		"forbidden":           {apierrors.NewForbidden(services, "svc", errors.New("no")), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := errors.Is(cluster.AsFenced(test.err), cluster.ErrFenced); got != test.want {
				t.Errorf("AsFenced(%v) is ErrFenced: %v, want %v", test.err, got, test.want)
			}
		})
	}
}
