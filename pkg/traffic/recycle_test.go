package traffic

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// hastyClock lets every wait end at once, and moves on by it.
type hastyClock struct{ *clocktesting.FakeClock }

func (c hastyClock) NewTimer(wait time.Duration) clock.Timer {
	timer := c.FakeClock.NewTimer(wait)
	c.Step(wait)
	return timer
}

func livePod(name, hash string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID(name), Labels: map[string]string{"version": "blue", "pod-template-hash": hash}},
		Status: corev1.PodStatus{
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", ImageID: "example/shop@sha256:1"}},
		},
	}
}

func TestRecycle(t *testing.T) {
	lost := errors.New("the lease is lost")
	for name, test := range map[string]struct {
		floor     int
		budget    int // how many evictions the budget refuses first
		hash      string
		noReplica bool
		stampHeld int // how many checks of the stamp succeed
		want      RecycleReport
		err       error
	}{
		"all": {floor: 2, hash: "h1", stampHeld: 9999, want: RecycleReport{Done: true, Evicted: []string{"b", "a"},
			Message: "recycled 2 of 2 pods of deployment/shop-blue that still had requests"}},
		"a budget that gives way": {floor: 2, hash: "h1", stampHeld: 9999, budget: 3, want: RecycleReport{Done: true, Evicted: []string{"b", "a"},
			Message: "recycled 2 of 2 pods of deployment/shop-blue that still had requests"}},
		"a budget that does not": {floor: 2, hash: "h1", stampHeld: 9999, budget: 999, want: RecycleReport{
			Stopped: "for 2m0s the eviction of pod b was refused: the budget shop needs 3 healthy pods",
			Message: "recycled 0 of 2 pods of deployment/shop-blue that still had requests, then stopped: for 2m0s the eviction of pod b was refused: the budget shop needs 3 healthy pods"}},
		"another template": {floor: 2, hash: "h2", stampHeld: 9999, want: RecycleReport{Evicted: []string{"b"},
			Stopped: "pod b-new was made from another template (h2): the workload has changed",
			Message: "recycled 1 of 2 pods of deployment/shop-blue that still had requests, then stopped: pod b-new was made from another template (h2): the workload has changed"}},
		"no replacement": {floor: 2, noReplica: true, stampHeld: 9999, want: RecycleReport{Evicted: []string{"b"},
			Stopped: "after 5m0s only 2 of 3 pods are ready",
			Message: "recycled 1 of 2 pods of deployment/shop-blue that still had requests, then stopped: after 5m0s only 2 of 3 pods are ready"}},
		"the stamp is lost": {floor: 2, hash: "h1", stampHeld: 1, err: lost, want: RecycleReport{Evicted: []string{"b"},
			Message: "recycled 1 of 2 pods of deployment/shop-blue that still had requests"}},
		"the stamp is lost while a replacement is waited for": {floor: 2, noReplica: true, stampHeld: 4, err: lost, want: RecycleReport{Evicted: []string{"b"},
			Message: "recycled 1 of 2 pods of deployment/shop-blue that still had requests"}},
	} {
		t.Run(name, func(t *testing.T) {
			client, clientset := clustertest.New(livePod("a", "h1"), livePod("b", "h1"), livePod("c", "h1"))
			pods := corev1.SchemeGroupVersion.WithResource("pods")
			refusals := test.budget
			clientset.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				eviction, ok := action.(clienttesting.CreateAction).GetObject().(*policyv1.Eviction)
				if !ok || action.GetSubresource() != "eviction" || string(*eviction.DeleteOptions.Preconditions.UID) != eviction.Name {
					t.Errorf("unexpected %v", action)
				}
				if refusals--; refusals >= 0 {
					refused := apierrors.NewTooManyRequests("later", 0)
					refused.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: policyv1.DisruptionBudgetCause, Message: "the budget shop needs 3 healthy pods"}}
					return true, nil, refused
				}
				if err := clientset.Tracker().Delete(pods, "shop", eviction.Name); err != nil {
					t.Error(err)
				}
				if !test.noReplica {
					if err := clientset.Tracker().Add(livePod(eviction.Name+"-new", test.hash)); err != nil {
						t.Error(err)
					}
				}
				return true, eviction, nil
			})
			report, err := Recycle(context.Background(), client, RecycleRequest{
				Namespace: "shop",
				Workload:  &cluster.Workload{Ref: release.Workload{Kind: "deployment", Name: "shop-blue"}, Selector: labels.SelectorFromSet(map[string]string{"version": "blue"})},
				Residual:  map[string]float64{"a": 1, "b": 9},
				Floor:     test.floor,
				Clock:     hastyClock{clocktesting.NewFakeClock(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))},
				CheckStamp: func(context.Context) error {
					if test.stampHeld--; test.stampHeld < 0 {
						return lost
					}
					return nil
				},
			})
			if !errors.Is(err, test.err) || (err != nil) != (test.err != nil) {
				t.Errorf("err = %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, report); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecycleNeedsAStampToCheck(t *testing.T) {
	client, _ := clustertest.New()
	_, err := Recycle(context.Background(), client, RecycleRequest{Workload: &cluster.Workload{}, Clock: clock.RealClock{}})
	if err == nil || !strings.Contains(err.Error(), "no stamp can be checked") {
		t.Errorf("err = %v", err)
	}
}
