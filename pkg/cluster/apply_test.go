package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func manifest(apiVersion, kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name},
	}}
}

// applies records what is sent, and refuses the object named refuse with err.
func applies(refuse string, err error) (*cluster.Client, *[]string) {
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind, version := range map[string]string{"Service": "v1", "ConfigMap": "v1", "Deployment": "apps/v1"} {
		mapper.Add(schema.FromAPIVersionAndKind(version, kind), meta.RESTScopeNamespace)
	}
	dynamic := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme())
	var sent []string
	dynamic.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patch := action.(clienttesting.PatchActionImpl)
		line := patch.GetNamespace() + "/" + patch.GetName()
		if len(patch.PatchOptions.DryRun) > 0 {
			line += " dry"
		}
		if patch.PatchOptions.Force != nil && *patch.PatchOptions.Force {
			line += " forced"
			sent = append(sent, line)
			return true, manifest("v1", "Service", patch.GetName()), nil
		}
		sent = append(sent, line)
		if patch.GetName() == refuse {
			return true, nil, err
		}
		return true, manifest("v1", "Service", patch.GetName()), nil
	})
	return &cluster.Client{Dynamic: dynamic, Mapper: mapper}, &sent
}

func ownedBy(manager string) error {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "deployments"}, "shop", errors.New("conflict"))
	conflict.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "` + manager + `" using apps/v1`, Field: ".spec.replicas",
	}}
	return conflict
}

func TestApply(t *testing.T) {
	objects := []*unstructured.Unstructured{manifest("apps/v1", "Deployment", "shop"), manifest("v1", "Service", "svc"), manifest("v1", "ConfigMap", "conf")}
	foreign := manifest("v1", "Service", "svc")
	foreign.SetNamespace("elsewhere")
	trial := []string{"ns/conf dry", "ns/svc dry", "ns/shop dry"}
	for name, test := range map[string]struct {
		objects []*unstructured.Unstructured
		refuse  string
		with    error
		dryRun  bool
		sent    []string
		err     string
	}{
		"in order, tried first":      {objects: objects, sent: append(trial[:3:3], "ns/conf", "ns/svc", "ns/shop")},
		"a dry run":                  {objects: objects, dryRun: true, sent: trial},
		"a refusal, nothing written": {objects: objects, refuse: "shop", with: ownedBy("argocd"), sent: trial, err: "apply deployment/shop: .spec.replicas belongs to argocd"},
		"our own earlier patch": {objects: objects, refuse: "shop", with: ownedBy(cluster.FieldManager),
			sent: append(trial[:3:3], "ns/shop dry forced", "ns/conf", "ns/svc", "ns/shop", "ns/shop forced")},
		"another namespace": {objects: []*unstructured.Unstructured{objects[0], foreign}, err: "apply service/svc: it names namespace elsewhere, and the release lives in ns"},
	} {
		t.Run(name, func(t *testing.T) {
			client, sent := applies(test.refuse, test.with)
			_, err := client.Apply(context.Background(), "ns", test.objects, cluster.ApplyOptions{Fence: cluster.Fence{Epoch: 3, Holder: "ana"}, DryRun: test.dryRun})
			if (err != nil) != (test.err != "") || err != nil && err.Error() != test.err {
				t.Errorf("err = %v, want %q", err, test.err)
			}
			if err != nil && release.HintOf(err) == "" {
				t.Error("no hint")
			}
			if diff := cmp.Diff(test.sent, *sent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Fields that a kubectl apply by hand keeps are not to be taken out of the manifest.
func TestHandedOverIsWhatWasAppliedByHand(t *testing.T) {
	client, _ := applies("shop", ownedBy("kubectl-client-side-apply"))
	_, err := client.Apply(context.Background(), "ns", []*unstructured.Unstructured{manifest("apps/v1", "Deployment", "shop")}, cluster.ApplyOptions{})
	hint := release.HintOf(err)
	if !strings.Contains(hint, "applied by hand without --server-side") || !strings.Contains(hint, "--field-manager="+cluster.FieldManager) || strings.Contains(hint, "take them out") {
		t.Errorf("the hint is %q", hint)
	}
}

// standing is a client of a server that holds the object, and keeps what is
// sent to it.
func standing(object *unstructured.Unstructured, answers ...error) (*cluster.Client, *[]*unstructured.Unstructured) {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(schema.FromAPIVersionAndKind("v1", "ConfigMap"), meta.RESTScopeNamespace)
	dynamic := dynamicfake.NewSimpleDynamicClient(runtime.NewScheme())
	version := 7
	dynamic.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		found := object.DeepCopy()
		found.SetResourceVersion(strconv.Itoa(version))
		return true, found, nil
	})
	var sent []*unstructured.Unstructured
	dynamic.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		received := &unstructured.Unstructured{}
		if err := received.UnmarshalJSON(action.(clienttesting.PatchActionImpl).GetPatch()); err != nil {
			return true, nil, err
		}
		sent = append(sent, received)
		version++
		if len(sent) <= len(answers) && answers[len(sent)-1] != nil {
			return true, nil, answers[len(sent)-1]
		}
		return true, received, nil
	})
	return &cluster.Client{Dynamic: dynamic, Mapper: mapper}, &sent
}

func withStamp(object *unstructured.Unstructured, epoch, holder string) *unstructured.Unstructured {
	object.SetNamespace("ns")
	object.SetAnnotations(map[string]string{cluster.AnnotationEpoch: epoch, cluster.AnnotationHolder: holder})
	return object
}

// TestApplyIsFenced shows that an apply writes over what it read and nothing
// else, leaves the stamp of its run, and gives way to a newer one.
func TestApplyIsFenced(t *testing.T) {
	moved := apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, "conf", errors.New("the object has been modified"))
	for name, test := range map[string]struct {
		standing  *unstructured.Unstructured
		answers   []error
		sent      []string // resourceVersion of each request
		operation string
		fenced    bool
	}{
		"over an older run":            {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "2", "bob"), sent: []string{"7", "8"}, operation: cluster.Unchanged},
		"over its own stamp":           {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "3", "ana"), sent: []string{"7", "8"}, operation: cluster.Unchanged},
		"a newer run":                  {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "4", "bob"), fenced: true},
		"the same epoch, another hand": {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "3", "bob"), fenced: true},
		"written to since it was read": {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "2", "bob"), answers: []error{nil, moved}, sent: []string{"7", "8", "9"}, operation: cluster.Unchanged},
		"written to again and again":   {standing: withStamp(manifest("v1", "ConfigMap", "conf"), "2", "bob"), answers: slices.Repeat([]error{moved}, 20), sent: []string{"7", "8", "9", "10", "11", "12", "13", "14"}, fenced: true},
	} {
		t.Run(name, func(t *testing.T) {
			client, sent := standing(test.standing, test.answers...)
			applied, err := client.Apply(t.Context(), "ns", []*unstructured.Unstructured{manifest("v1", "ConfigMap", "conf")}, cluster.ApplyOptions{Fence: cluster.Fence{Epoch: 3, Holder: "ana"}})
			if errors.Is(err, cluster.ErrFenced) != test.fenced || (err != nil) != test.fenced {
				t.Fatalf("err = %v, want fenced %v", err, test.fenced)
			}
			var versions []string
			for _, object := range *sent {
				versions = append(versions, object.GetResourceVersion())
				if stamp, err := cluster.FenceOf(object); err != nil || stamp != (cluster.Fence{Epoch: 3, Holder: "ana"}) {
					t.Errorf("sent with stamp %+v, %v", stamp, err)
				}
			}
			if diff := cmp.Diff(test.sent, versions); diff != "" {
				t.Error(diff)
			}
			if err == nil && applied[0].Operation != test.operation {
				t.Errorf("operation = %s, want %s", applied[0].Operation, test.operation)
			}
		})
	}
}

// A stamp that is no longer ours ends an apply where it is: what was not sent
// yet is not sent.
func TestApplyEndsWhereTheStampIsLost(t *testing.T) {
	client, sent := applies("", nil)
	objects := []*unstructured.Unstructured{manifest("apps/v1", "Deployment", "shop"), manifest("v1", "Service", "svc"), manifest("v1", "ConfigMap", "conf")}
	asked := 0
	applied, err := client.Apply(t.Context(), "ns", objects, cluster.ApplyOptions{
		Fence: cluster.Fence{Epoch: 3, Holder: "ana"},
		CheckStamp: func(context.Context) error {
			if asked++; asked == 2 {
				return cluster.ErrFenced
			}
			return nil
		},
	})
	if !errors.Is(err, cluster.ErrFenced) || !strings.Contains(err.Error(), "apply service/svc") || len(applied) != 1 {
		t.Errorf("%d applied, %v", len(applied), err)
	}
	if diff := cmp.Diff([]string{"ns/conf dry", "ns/svc dry", "ns/shop dry", "ns/conf"}, *sent); diff != "" {
		t.Error(diff)
	}
}
