package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// Whichever of its namespaces is somebody else's, the demo leaves all of them
// as they are and says which one is in its way.
func TestClaimLeavesWhatIsSomebodyElses(t *testing.T) {
	for _, theirs := range ownNamespaces() {
		t.Run(theirs, func(t *testing.T) {
			objects := []runtime.Object{namespaced(theirs, nil)}
			for _, name := range ownNamespaces() {
				if name != theirs {
					objects = append(objects, namespaced(name, ours()))
				}
			}
			client := fakeCluster(t, objects...)
			err := (&belongings{client: client}).claim(t.Context())
			if err == nil || !strings.Contains(err.Error(), "has a namespace "+theirs) {
				t.Errorf("claim = %v, want %s named", err, theirs)
			}
			if left := namespaces(t, client); len(left) != len(ownNamespaces()) {
				t.Errorf("only %v are left", left)
			}
		})
	}
}

// What an earlier demo left is taken away, and nothing else.
func TestClaimTakesAwayWhatAnEarlierDemoLeft(t *testing.T) {
	client := fakeCluster(t,
		namespaced(namespace, ours()), namespaced("monitoring", ours()), namespaced("shop", nil),
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: ownPrefix + "prometheus", Labels: ours()}},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "prometheus"}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: ownPrefix + "prometheus", Labels: ours()}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "prometheus"}},
	)
	if err := (&belongings{client: client}).claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"shop"}, namespaces(t, client)); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	roles, err := client.RbacV1().ClusterRoles().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(roles.Items) != 1 || roles.Items[0].Name != "prometheus" {
		t.Errorf("left of the roles: %+v, %v", roles.Items, err)
	}
	bindings, err := client.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(bindings.Items) != 1 || bindings.Items[0].Name != "prometheus" {
		t.Errorf("left of the bindings: %+v, %v", bindings.Items, err)
	}
}

// Somebody makes a namespace of the demo's name after the demo looked: it is
// theirs at the end, too, and only the very namespace that was seen is removed.
func TestRemoveTakesOnlyItsOwn(t *testing.T) {
	client := fakeCluster(t, namespaced("database", nil), namespaced("monitoring", ours()))
	if err := (&belongings{client: client}).remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"database"}, namespaces(t, client)); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	for _, action := range client.Actions() {
		deletion, ok := action.(clienttesting.DeleteActionImpl)
		if !ok {
			continue
		}
		if preconditions := deletion.DeleteOptions.Preconditions; preconditions == nil || *preconditions.UID != "uid-of-monitoring" {
			t.Errorf("namespace %s is deleted whichever it is: %+v", deletion.Name, preconditions)
		}
	}
}

// An API server that answers no question is no reason to take anything.
func TestClaimNeedsAnAnswer(t *testing.T) {
	client := fakeCluster(t, namespaced("monitoring", ours()))
	client.PrependReactor("get", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("the API server is away")
	})
	if err := (&belongings{client: client}).claim(t.Context()); err == nil || !strings.Contains(err.Error(), "is away") {
		t.Errorf("claim = %v", err)
	}
	if left := namespaces(t, client); len(left) != 1 {
		t.Errorf("only %v are left", left)
	}
}

func ours() map[string]string { return map[string]string{ownLabel: "true"} }

func namespaced(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name), Labels: labels}}
}

// fakeCluster is a fake clientset that can delete the roles of a label, which
// the fake one by itself can't.
func fakeCluster(t *testing.T, objects ...runtime.Object) *fake.Clientset {
	t.Helper()
	client := fake.NewClientset(objects...)
	client.PrependReactor("delete-collection", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		collection, _ := action.(clienttesting.DeleteCollectionActionImpl)
		for _, object := range objects {
			found, err := meta.Accessor(object)
			if err != nil {
				return true, nil, err
			}
			if collection.ListRestrictions.Labels.Matches(labels.Set(found.GetLabels())) {
				// One of another kind is not there, which is no error.
				_ = client.Tracker().Delete(collection.Resource, collection.Namespace, found.GetName())
			}
		}
		return true, nil, nil
	})
	return client
}

func namespaces(t *testing.T, client *fake.Clientset) []string {
	t.Helper()
	list, err := client.CoreV1().Namespaces().List(context.WithoutCancel(t.Context()), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Name)
	}
	slices.Sort(names)
	return names
}
