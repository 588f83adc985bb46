// Package clustertest makes clients of a cluster that is not there, for
// tests. It is client-go's fake clientset with the one thing that a fenced
// write rests on and the fake leaves out: every object has a resourceVersion
// that grows with each write, an update of an old one is a conflict, and so is
// the deletion of another object than its preconditions name, a JSON patch whose
// test fails is refused as the API server refuses it, and a dry run changes
// nothing.
package clustertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// New returns a client whose cluster holds objects, and the fake clientset
// beneath it, to which a test may prepend its own reactors.
func New(objects ...runtime.Object) (*cluster.Client, *fake.Clientset) {
	for _, object := range objects {
		bump(object)
	}
	clientset := fake.NewClientset(objects...)
	versioned(&clientset.Fake, clientset.Tracker())
	return &cluster.Client{Kubernetes: clientset, Namespace: "default"}, clientset
}

// Dynamic gives a client objects of kinds without a Go type, and returns the
// fake beneath.
func Dynamic(client *cluster.Client, objects ...*unstructured.Unstructured) *dynamicfake.FakeDynamicClient {
	held := make([]runtime.Object, 0, len(objects))
	for _, object := range objects {
		bump(object)
		held = append(held, object)
	}
	dynamic := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme(), held...)
	versioned(&dynamic.Fake, dynamic.Tracker())
	client.Dynamic = dynamic
	return dynamic
}

// versioned makes a fake keep resourceVersions.
func versioned(fake *clienttesting.Fake, tracker clienttesting.ObjectTracker) {
	versions := &versions{tracker: tracker}
	fake.PrependReactor("create", "*", versions.create)
	fake.PrependReactor("update", "*", versions.update)
	fake.PrependReactor("patch", "*", versions.patch)
	fake.PrependReactor("delete", "*", versions.delete)
}

// versions keeps resourceVersions as an API server does.
type versions struct{ tracker clienttesting.ObjectTracker }

func (v *versions) create(action clienttesting.Action) (bool, runtime.Object, error) {
	if create, ok := action.(clienttesting.CreateAction); ok {
		bump(create.GetObject())
	}
	return false, nil, nil
}

func (v *versions) update(action clienttesting.Action) (bool, runtime.Object, error) {
	update, ok := action.(clienttesting.UpdateAction)
	if !ok {
		return false, nil, nil
	}
	object := update.GetObject()
	sent, err := meta.Accessor(object)
	if err != nil {
		return false, nil, nil //nolint:nilerr // not an object with a version
	}
	current, err := v.tracker.Get(action.GetResource(), action.GetNamespace(), sent.GetName())
	if err != nil {
		return true, nil, err
	}
	held, err := meta.Accessor(current)
	if err != nil {
		return true, nil, err
	}
	if sent.GetResourceVersion() != "" && sent.GetResourceVersion() != held.GetResourceVersion() {
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), sent.GetName(), cluster.ErrFenced)
	}
	sent.SetResourceVersion(held.GetResourceVersion())
	bump(object)
	return false, nil, nil
}

func (v *versions) patch(action clienttesting.Action) (bool, runtime.Object, error) {
	patch, ok := action.(clienttesting.PatchActionImpl)
	if !ok || (patch.GetPatchType() != types.JSONPatchType && patch.GetPatchType() != types.MergePatchType) {
		return false, nil, nil
	}
	current, err := v.tracker.Get(action.GetResource(), action.GetNamespace(), patch.GetName())
	if err != nil {
		return true, nil, err
	}
	before, err := json.Marshal(current)
	if err != nil {
		return true, nil, err
	}
	after, err := applyPatch(patch.GetPatchType(), before, patch.GetPatch())
	if err != nil {
		// The API server's answer to a JSON patch that it can't apply.
		return true, nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	changed, ok := reflect.New(reflect.TypeOf(current).Elem()).Interface().(runtime.Object)
	if !ok {
		return true, nil, fmt.Errorf("patch %s: %T is no object", patch.GetName(), current)
	}
	if err := json.Unmarshal(after, changed); err != nil {
		return true, nil, err
	}
	if len(patch.PatchOptions.DryRun) > 0 {
		return true, changed, nil
	}
	bump(changed)
	return true, changed, v.tracker.Update(action.GetResource(), changed, action.GetNamespace(),
		metav1.UpdateOptions{FieldManager: patch.PatchOptions.FieldManager})
}

func (v *versions) delete(action clienttesting.Action) (bool, runtime.Object, error) {
	deletion, ok := action.(clienttesting.DeleteActionImpl)
	if !ok || deletion.DeleteOptions.Preconditions == nil {
		return false, nil, nil
	}
	current, err := v.tracker.Get(action.GetResource(), action.GetNamespace(), deletion.GetName())
	if err != nil {
		return true, nil, err
	}
	held, err := meta.Accessor(current)
	if err != nil {
		return true, nil, err
	}
	wanted := deletion.DeleteOptions.Preconditions
	if wanted.UID != nil && *wanted.UID != held.GetUID() || wanted.ResourceVersion != nil && *wanted.ResourceVersion != held.GetResourceVersion() {
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), deletion.GetName(), cluster.ErrFenced)
	}
	return false, nil, nil
}

func applyPatch(kind types.PatchType, before, patch []byte) ([]byte, error) {
	if kind == types.MergePatchType {
		return jsonpatch.MergePatch(before, patch)
	}
	operations, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, err
	}
	return operations.Apply(before)
}

// bump gives an object its next resourceVersion.
func bump(object runtime.Object) {
	if accessor, err := meta.Accessor(object); err == nil {
		version, _ := strconv.Atoi(accessor.GetResourceVersion())
		accessor.SetResourceVersion(strconv.Itoa(version + 1))
	}
}
