package shop

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// A namespace that is there already is somebody's: the shop does not open, and
// takes nothing away.
func TestOpenLeavesANamespaceThatIsThere(t *testing.T) {
	place := fakePlace(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}})
	if _, err := place.Open(t.Context(), Options{Namespace: "shop", Folder: t.TempDir()}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("Open = %v, want that the namespace exists", err)
	}
	if _, err := place.Client.Kubernetes.CoreV1().Namespaces().Get(t.Context(), "shop", metav1.GetOptions{}); err != nil {
		t.Errorf("the namespace is gone: %v", err)
	}
}

// A shop whose database can't be made takes away the namespace that it has
// made, which bears its labels until then, and asks PostgreSQL for nothing.
func TestOpenTakesAwayWhatItMade(t *testing.T) {
	place := fakePlace(t)
	client, _ := place.Client.Kubernetes.(*fake.Clientset)
	seen, asked := "", 0
	client.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		asked++
		if found, err := client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("namespaces"), "", "shop"); err == nil {
			namespace, _ := found.(*corev1.Namespace)
			seen = namespace.Labels["whose"]
		}
		return true, nil, errors.New("there is no PostgreSQL")
	})
	_, err := place.Open(t.Context(), Options{Namespace: "shop", Labels: map[string]string{"whose": "ours"}, Folder: t.TempDir()})
	if err == nil || seen != "ours" || asked != 1 {
		t.Errorf("Open = %v after %d questions with label %q; want an error after one with the label", err, asked, seen)
	}
	if _, err := client.CoreV1().Namespaces().Get(context.WithoutCancel(t.Context()), "shop", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace is still there: %v", err)
	}
}

// fakePlace is one on a fake cluster.
func fakePlace(t *testing.T, objects ...runtime.Object) *Place {
	t.Helper()
	source, err := Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &Place{Source: source, Client: &cluster.Client{Kubernetes: fake.NewClientset(objects...)}}
}
