package cluster_test

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
)

// services has one Service with the annotations given, none with nil, and counts
// the patches that it is sent.
func services(annotations map[string]string) (client *cluster.Client, patches *int) {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(schema.FromAPIVersionAndKind("v1", "Service"), meta.RESTScopeNamespace)
	client = &cluster.Client{Mapper: mapper}
	var held []*unstructured.Unstructured
	if annotations != nil {
		service := manifest("v1", "Service", "svc")
		service.SetNamespace("ns")
		service.SetAnnotations(annotations)
		held = append(held, service)
	}
	patches = new(int)
	clustertest.Dynamic(client, held...).PrependReactor("patch", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		*patches++
		return false, nil, nil
	})
	return client, patches
}

func TestStampObject(t *testing.T) {
	service := cluster.Reference{APIVersion: "v1", Kind: "Service", Name: "svc"}
	ours := cluster.Fence{Epoch: 5, Holder: "ana@laptop/1"}
	stamp := func(epoch, holder string) map[string]string {
		return map[string]string{cluster.AnnotationEpoch: epoch, cluster.AnnotationHolder: holder}
	}
	for name, test := range map[string]struct {
		reference   cluster.Reference
		annotations map[string]string
		patches     int
		refused     bool
	}{
		"without a stamp":       {service, map[string]string{"team": "shop"}, 1, false},
		"of a former holder":    {service, stamp("4", "bob@laptop/2"), 1, false},
		"ours already":          {service, stamp("5", "ana@laptop/1"), 0, false},
		"of a newer holder":     {service, stamp("6", "bob@laptop/2"), 0, true},
		"gone":                  {service, nil, 0, false},
		"of a kind that's gone": {cluster.Reference{APIVersion: "example.com/v1", Kind: "Widget", Name: "w"}, nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			client, patches := services(test.annotations)
			err := client.StampObject(t.Context(), "ns", test.reference, ours)
			if errors.Is(err, cluster.ErrFenced) != test.refused || (err != nil) != test.refused {
				t.Errorf("error %v, refused should be %v", err, test.refused)
			}
			if *patches != test.patches {
				t.Errorf("%d patches, want %d", *patches, test.patches)
			}
			if test.refused || test.annotations == nil {
				return
			}
			found, err := client.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace("ns").Get(t.Context(), "svc", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if fence, err := cluster.FenceOf(found); err != nil || fence != ours {
				t.Errorf("it carries %+v, %v; want %+v", fence, err, ours)
			}
		})
	}
}

// What a process sends that was overtaken, on top of what it read before, is
// refused: that is what the stamp of a take-over is for.
func TestApplyOfAnOvertakenProcessIsRefused(t *testing.T) {
	client, _ := services(map[string]string{cluster.AnnotationEpoch: "4", cluster.AnnotationHolder: "bob@laptop/2"})
	service := cluster.Reference{APIVersion: "v1", Kind: "Service", Name: "svc"}
	if err := client.StampObject(t.Context(), "ns", service, cluster.Fence{Epoch: 5, Holder: "ana@laptop/1"}); err != nil {
		t.Fatal(err)
	}
	_, err := client.Apply(t.Context(), "ns", []*unstructured.Unstructured{manifest("v1", "Service", "svc")}, cluster.ApplyOptions{Fence: cluster.Fence{Epoch: 4, Holder: "bob@laptop/2"}})
	if !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("error %v, want one that wraps ErrFenced", err)
	}
}
