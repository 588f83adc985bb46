package cluster_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// shopAutoscaler scales shop-blue.
func shopAutoscaler(minimum *int32, annotations map[string]string) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-blue", Namespace: "shop", Annotations: annotations},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: minimum, MaxReplicas: 10,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop-blue"}},
	}
}

func TestRaisedFloor(t *testing.T) {
	for name, test := range map[string]struct {
		minimum     *int32
		annotations map[string]string
		pods        int32
		floor       int32 // 0: nothing is changed
		recorded    string
	}{
		"raised to what runs":          {ptr.To[int32](2), nil, 6, 6, "2"},
		"unset is 1":                   {nil, nil, 6, 6, "unset"},
		"high enough":                  {ptr.To[int32](6), nil, 6, 0, ""},
		"as far as its maximum":        {ptr.To[int32](2), nil, 30, 10, "2"},
		"the first record is the true": {ptr.To[int32](4), map[string]string{cluster.AnnotationFloor: "2"}, 6, 6, "2"},
		"raised further":               {ptr.To[int32](4), map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "4"}, 6, 6, "2"},
		"set by somebody in between":   {ptr.To[int32](4), map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "5"}, 6, 6, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			client, clientset := clustertest.New(shopAutoscaler(test.minimum, test.annotations))
			found, err := client.Autoscalers(t.Context(), "shop", shopBlue)
			if err != nil || len(found) != 1 {
				t.Fatalf("autoscalers = %v, %v", found, err)
			}
			change := cluster.RaisedFloor(found[0], test.pods)
			if change == nil {
				if test.floor != 0 {
					t.Fatal("nothing is changed")
				}
				return
			}
			if err := client.ChangeFloor(t.Context(), found[0], *change, cluster.Fence{Epoch: 3, Holder: "ann"}); err != nil {
				t.Fatal(err)
			}
			now, err := clientset.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(t.Context(), "shop-blue", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{cluster.AnnotationFloor: test.recorded, cluster.AnnotationFloorHeld: strconv.Itoa(int(test.floor)), cluster.AnnotationEpoch: "3", cluster.AnnotationHolder: "ann"}
			if diff := cmp.Diff(want, now.Annotations); diff != "" || *now.Spec.MinReplicas != test.floor {
				t.Errorf("minReplicas %d, want %d, annotations:\n%s", *now.Spec.MinReplicas, test.floor, diff)
			}
			if again := cluster.RaisedFloor(*now, test.pods); again != nil {
				t.Errorf("raised twice: %+v", again)
			}
			back, err := cluster.RecordedFloor(*now)
			if err != nil || back == nil || back.To != max(ptr.Deref(test.minimum, 1), 1) && test.annotations == nil {
				t.Fatalf("recorded floor = %+v, %v", back, err)
			}
			if err := client.ChangeFloor(t.Context(), *now, *back, cluster.Fence{Epoch: 3, Holder: "ann"}); err != nil {
				t.Fatal(err)
			}
			now, _ = clientset.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(t.Context(), "shop-blue", metav1.GetOptions{})
			if _, held := now.Annotations[cluster.AnnotationFloorHeld]; held {
				t.Error("what it was raised to is still recorded")
			}
			if left, err := cluster.RecordedFloor(*now); left != nil || err != nil || *now.Spec.MinReplicas != back.To {
				t.Errorf("given back: minReplicas %d, recorded %+v, %v", *now.Spec.MinReplicas, left, err)
			}
		})
	}
}

// A minReplicas that is not what it was raised to is somebody's, who is named
// as far as managedFields do.
func TestFloorThatSomebodySetIsLeft(t *testing.T) {
	recorded := map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "6"}
	owned := []metav1.ManagedFieldsEntry{{Manager: "argocd-controller", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:minReplicas":{}}}`)}}
	beside := []metav1.ManagedFieldsEntry{
		{Manager: "argocd-controller", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:maxReplicas":{}}}`)},
		{Manager: cluster.FieldManager, FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:minReplicas":{}}}`)},
	}
	for name, test := range map[string]struct {
		minimum *int32
		owners  []metav1.ManagedFieldsEntry
		setBy   string
		left    int32
	}{
		"nobody":                  {ptr.To[int32](6), nil, "", 2},
		"a controller":            {ptr.To[int32](4), owned, "argocd-controller", 4},
		"who is not known":        {ptr.To[int32](8), nil, "somebody", 8},
		"by taking it away":       {nil, nil, "somebody", 1},
		"to what it is held at":   {ptr.To[int32](6), owned, "argocd-controller", 6},
		"another field of it":     {ptr.To[int32](6), beside, "", 2},
		"to what it was at first": {ptr.To[int32](2), owned, "argocd-controller", 2},
	} {
		t.Run(name, func(t *testing.T) {
			object := shopAutoscaler(test.minimum, recorded)
			object.ManagedFields = test.owners
			client, clientset := clustertest.New(object)
			change, err := cluster.RecordedFloor(*object)
			if err != nil || change == nil || change.SetBy != test.setBy || change.To != test.left {
				t.Fatalf("recorded floor = %+v, %v; want one of %d, set by %q", change, err, test.left, test.setBy)
			}
			if err := client.ChangeFloor(t.Context(), *object, *change, cluster.Fence{Epoch: 3, Holder: "ann"}); err != nil {
				t.Fatal(err)
			}
			now, err := clientset.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(t.Context(), "shop-blue", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{cluster.AnnotationEpoch: "3", cluster.AnnotationHolder: "ann"}
			if diff := cmp.Diff(want, now.Annotations); diff != "" || ptr.Deref(now.Spec.MinReplicas, 1) != test.left {
				t.Errorf("minReplicas %d, want %d, annotations:\n%s", ptr.Deref(now.Spec.MinReplicas, 1), test.left, diff)
			}
		})
	}
}

func TestFloorIsFenced(t *testing.T) {
	stale := shopAutoscaler(ptr.To[int32](2), map[string]string{cluster.AnnotationEpoch: "4", cluster.AnnotationHolder: "bob"})
	client, _ := clustertest.New(stale)
	err := client.ChangeFloor(t.Context(), *stale, *cluster.RaisedFloor(*stale, 6), cluster.Fence{Epoch: 3, Holder: "ann"})
	if !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("an older holder's write gives %v, want ErrFenced", err)
	}
}

func TestFloorThatIsNoNumberIsToldNotGuessed(t *testing.T) {
	_, err := cluster.RecordedFloor(*shopAutoscaler(ptr.To[int32](6), map[string]string{cluster.AnnotationFloor: "many"}))
	if err == nil || release.HintOf(err) == "" {
		t.Errorf("error %v with hint %q", err, release.HintOf(err))
	}
}

func TestAutoscalersOfAnotherWorkloadAreLeftAlone(t *testing.T) {
	client, _ := clustertest.New(shopAutoscaler(nil, nil))
	found, err := client.Autoscalers(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "shop-green"})
	if err != nil || len(found) != 0 {
		t.Errorf("autoscalers = %v, %v", found, err)
	}
}
